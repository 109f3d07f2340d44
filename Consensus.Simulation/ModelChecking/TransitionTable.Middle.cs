using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>States in the middle of a run, from which a cluster in memory goes on.</summary>
internal sealed partial class TransitionTable
{
    // No boot of an earlier process.
    private const char RestartedBoot = '~';

    /// <summary>The agents of a cluster and the messages in flight. Each of these reaches its receiver, at any time or never.</summary>
    /// <param name="agents">The agents. One that is down may restart at any time, which is the same as now.</param>
    /// <param name="calls">The calls in flight.</param>
    /// <param name="durable">Whether a restarted agent restores what it persisted.</param>
    public AgentState[] StatesOf(IReadOnlyList<SimulatedAgent> agents, IReadOnlyList<SimulatedCall> calls, bool durable)
    {
        var runs = agents.Select(agent => agent.Machine?.CurrentRun)
            .Concat(calls.SelectMany(call => new[] { call.Message.Run, call.Response?.Descriptor }))
            .OfType<RunDescriptor>().DistinctBy(run => run.Id).ToDictionary(run => run.Id);
        var inFlight = calls.Where(call => call.Response is null || call.CallerRuns)
            .SelectMany(call => CodesOf(call, runs)).ToLookup(message => message.From, message => message.Code);
        return [.. agents.Select(agent =>
        {
            var machine = New(agent.Index, RestartedBoot);
            if (agent.Machine is { } running)
            {
                var saved = new RecordWriter();
                running.Save(saved);
                machine = _make(running.Id, running.Boot, running.Peers, Random);
                machine.Load(new RecordReader(saved.Written));
            }
            else if (durable && agent.Persisted is { } persisted)
            {
                machine.Step(persisted);
            }

            var local = LocalOf(machine, mayStart: false);
            return Intern(agent.Index, local, Union(null, [.. inFlight[agent.Index].Union(local.RepeatedMessages)]), default);
        })];
    }

    /// <summary>What a call carries to its receiver, as messages that no other agent receives.</summary>
    private IEnumerable<(int From, int Code)> CodesOf(SimulatedCall call, Dictionary<RunId, RunDescriptor> runs)
    {
        var (from, to, response) = call.Response is { } back ? (call.To.Index, call.From.Index, back)
            : (call.From.Index, call.To.Index, null);
        if (response is null && call.Message is Handshake)
        {
            yield return (from, Messages.Code(new(CatalogMessageKind.Handshake, from, To: to, Boot: call.From.Machine?.Boot ?? "")));
        }
        else if (call.Message is Handshake)
        {
            yield return (from, Messages.Code(new(
                CatalogMessageKind.Introduced, from, To: to, Boot: response!.Boot ?? "",
                HighestSeenRun: response.HighestSeenRun ?? RunId.None, Agents: response.Agents ?? 0)));
        }

        if (response is { Descriptor: { } joined })
        {
            yield return (from, Messages.Code(new(CatalogMessageKind.Joined, from, Messages.CodeOf(joined), To: to)));
        }

        if ((response is null ? call.Message.Run?.Id : response.Run) is not { } id || !runs.TryGetValue(id, out var run))
        {
            yield break;
        }

        Message?[] said = response is null ? [call.Message, .. call.Message.Relayed?.All ?? []]
            : [response.Decision is { } decision ? new Final(decision.Value, decision.Round) : null, response.Vote, response.Proposal];
        foreach (var message in said.OfType<Message>())
        {
            // The copies of a relay are their authors' messages.
            var author = message is Proposal or Vote ? _bounds.Peers.IndexOf(message.Sender!) : from;
            if (author >= 0 && author != to)
            {
                yield return (from, Messages.Code(Messages[Messages.CodeOf(author, message, Messages.CodeOf(run))] with { To = to }));
            }
        }
    }
}
