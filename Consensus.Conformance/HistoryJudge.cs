using System.Globalization;
using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Conformance;

/// <summary>Hands an observed history to the safety checker of the simulator, and compares it with the proof's model.</summary>
/// <param name="boots">The boot of each process, by agent and process number. It leaves out processes that named no boot.</param>
internal sealed class HistoryJudge(IReadOnlyDictionary<(int Agent, int Process), string> boots)
{
    private readonly SafetyChecker _checker = new();
    private readonly Dictionary<RunId, RunDescriptor> _descriptors = [];
    private readonly Refinement _refinement = new();

    /// <summary>Judges one history.</summary>
    /// <param name="history">What was observed.</param>
    /// <param name="anonymousRun">Names the run of messages that name none; null: such messages are not judged.</param>
    /// <returns>The first violation, or null.</returns>
    public Violation? Judge(ObservedHistory history, RunDescriptor? anonymousRun)
    {
        // Between two histories nothing is observed.
        _refinement.Clear();
        foreach (var run in _descriptors.Keys)
        {
            _refinement.LeaveOut(run);
        }

        foreach (var one in history.Events)
        {
            var violation = one.Kind switch
            {
                HistoryEventKind.Sent => Sent(history, one, anonymousRun),
                HistoryEventKind.Answered => Answered(history, one),
                HistoryEventKind.Decided when (one.Decision!.Run ?? anonymousRun?.Id) is { } run =>
                    Decided(history, one.Agent, one.Process, one.Decision, run),
                _ => null,
            };
            if (violation is not null)
            {
                return violation;
            }
        }

        return null;
    }

    private Violation? Sent(ObservedHistory history, HistoryEvent sent, RunDescriptor? anonymousRun)
    {
        var message = sent.Call!.Message;
        if (message?.Run is not { } run)
        {
            if (anonymousRun is not null && message is Proposal proposal)
            {
                _checker.ObserveProposedValue(sent.Agent, anonymousRun.Id, proposal.Value);
            }

            return null;
        }

        _descriptors.TryAdd(run.Id, run);
        return message is Final final
            ? Decided(history, sent.Agent, sent.Process, new Decision(final.Value, final.Round, run.Id), run.Id)
            : Check(history, sent.Agent, sent.Process, message, run);
    }

    private Violation? Answered(ObservedHistory history, HistoryEvent answered)
    {
        // A response is a message of the called agent.
        var (agent, process) = (answered.Call!.To, answered.Call.Receiver);
        if (answered.Response is not { Run: { } id } response || !_descriptors.TryGetValue(id, out var run))
        {
            return null;
        }

        return (response.Decision is { } decision ? Decided(history, agent, process, decision, id) : null)
            ?? (response.Vote is { } vote ? Check(history, agent, process, vote, run)
                : response.Proposal is { } proposal ? Check(history, agent, process, proposal, run) : null);
    }

    private Violation? Check(ObservedHistory history, int agent, int process, Message message, RunDescriptor run) =>
        boots.TryGetValue((agent, process), out var boot)
            ? _checker.ObserveMessage(agent, history.Agents[agent], boot, history.Agents.Count, message, run)
                ?? _refinement.ObserveMessage(history.Agents[agent], message, run)
            : null;

    private Violation? Decided(ObservedHistory history, int agent, int process, Decision decision, RunId run)
    {
        var rule = _descriptors.TryGetValue(run, out var descriptor) ? descriptor.Rule : Rule.Classic;
        var boot = boots.GetValueOrDefault((agent, process)) ?? process.ToString(CultureInfo.InvariantCulture);

        // A decision of a run before this history was judged with that run.
        return descriptor is null && decision.Run is not null ? null
            : _checker.ObserveDecision(agent, new Observation(history.Agents[agent], boot, run, decision.Value, decision.Round, rule))
                ?? (descriptor is null ? null : _refinement.ObserveDecision(history.Agents[agent], decision, descriptor));
    }
}
