using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Conformance;

/// <summary>
/// Turns an observed history into the trace that diagram and timeline are drawn from. What agents do inside is read off
/// their messages.
/// </summary>
public sealed class HistoryTrace
{
    // Copies of one message to several peers are sent within so many µs.
    private const long BroadcastUs = 20_000;
    private readonly ObservedHistory _history;
    private readonly RunDescriptor? _anonymousRun;
    private readonly SimulationTrace _trace;
    private readonly Dictionary<ObservedCall, TraceCall> _calls = [];
    private readonly Dictionary<int, TraceStep> _lastStep = [];
    private readonly HashSet<(int Agent, ProtocolEventKind Kind, RunId Run, int Round)> _shown = [];
    private readonly HashSet<(int Agent, RunId Run)> _toldDecision = [];
    private readonly Dictionary<(RunId Run, int Round), int> _votedFor = [];
    private readonly Dictionary<(int Agent, RunId Run), int> _draws = [];

    private HistoryTrace(ObservedHistory history, RunDescriptor? anonymousRun) =>
        (_history, _anonymousRun, _trace) = (history, anonymousRun, new(name: agent => history.Agents[agent]));

    /// <summary>Makes the trace.</summary>
    /// <param name="history">What was observed.</param>
    /// <param name="anonymousRun">Names the run of messages that name none.</param>
    public static SimulationTrace Of(ObservedHistory history, RunDescriptor? anonymousRun)
    {
        var trace = new HistoryTrace(history, anonymousRun);
        for (var agent = 0; agent < history.Agents.Count; agent++)
        {
            trace._trace.Steps.Add(new TraceStep(0, agent, TraceStepKind.Boot) { Note = "the first process" });
        }

        foreach (var one in history.Events)
        {
            trace.Add(one);
        }

        return trace._trace;
    }

    private void Add(HistoryEvent one)
    {
        switch (one.Kind)
        {
            case HistoryEventKind.Started:
                Step(one, TraceStepKind.Boot);
                break;
            case HistoryEventKind.Killed:
                Step(one, TraceStepKind.Crash);
                Forget(one.Agent);
                break;
            case HistoryEventKind.RunRequested:
                Step(one, TraceStepKind.Start);
                break;
            case HistoryEventKind.Sent when Named(one.Call!.Message) is { } message:
                Send(one, message);
                break;
            case HistoryEventKind.Received when !one.Call!.Lost && _calls.TryGetValue(one.Call, out var call):
                call.Receipts.Add((one.AtUs, null));
                Step(one, TraceStepKind.Receive, call, call.Receipts.Count - 1);
                if (call.Message is Final { Run: { } told })
                {
                    _toldDecision.Add((one.Agent, told.Id));
                }

                break;
            case HistoryEventKind.Answered when _calls.TryGetValue(one.Call!, out var call):
                Answer(one, call);
                break;
            case HistoryEventKind.Unanswered when _calls.TryGetValue(one.Call!, out var call):
                call.Complete(null, one.AtUs);
                (call.Lost, call.ResponseLost) = (one.Call!.Lost, one.Call.AnswerLost);
                Step(one, TraceStepKind.Failure, call);
                break;
            case HistoryEventKind.Decided when (one.Decision!.Run ?? _anonymousRun?.Id) is { } run:
                if (!_shown.Contains((one.Agent, ProtocolEventKind.Decided, run, 0)))
                {
                    Decide(Step(one, TraceStepKind.Send), one.Agent, run, one.Decision.Value, one.Decision.Round);
                }

                break;
        }
    }

    private TraceStep Step(HistoryEvent one, TraceStepKind kind, TraceCall? call = null, int copy = 0)
    {
        var step = new TraceStep(one.AtUs, one.Agent, kind)
        {
            Call = call, Copy = copy, Note = kind == TraceStepKind.Boot ? $"process {one.Process}" : null,
        };
        _trace.Steps.Add(step);
        _lastStep[one.Agent] = step;
        return step;
    }

    private void Send(HistoryEvent one, Message message)
    {
        // One message to several peers is drawn as one, and beside what caused it where that has just happened.
        var step = _lastStep.GetValueOrDefault(one.Agent);
        if (step is null || one.AtUs - step.At > BroadcastUs
            || (step.Kind == TraceStepKind.Send && step.Sent.Any(sent => sent.To == one.Call!.To && sent.Message == message)))
        {
            step = Step(one, TraceStepKind.Send);
        }

        var same = step.Sent.FirstOrDefault(sent => sent.Message.Content == message.Content)?.Message ?? message;
        var call = _trace.AddObservedCall(one.Agent, one.Process, one.Call!.To, same, one.AtUs);
        call.Lost = one.Call.Lost;
        _calls[one.Call] = call;
        step.Sent.Add(call);
        AddEventsBefore(step, one.Agent, message);
    }

    private void Answer(HistoryEvent one, TraceCall call)
    {
        call.Complete(one.Response ?? new Response(), one.AtUs);
        var responder = call.To;
        var step = Step(one, TraceStepKind.Response, call);
        if (one.Response is { Run: { } run } response && response.Decision is { } decision)
        {
            _toldDecision.Add((one.Agent, run));
            Decide(_trace.Steps.LastOrDefault(last => last.Agent == responder) ?? step, responder, run, decision.Value, decision.Round);
        }
        else if (one.Response is { Run: { } id } said && (_anonymousRun ?? DescriptorOf(id)) is { } descriptor
            && (Message?)said.Vote is var vote && (vote ?? said.Proposal) is { } inside
            && _trace.Steps.LastOrDefault(last => last.Agent == responder) is { } own)
        {
            AddEventsBefore(own, responder, inside with { Run = descriptor });
        }
    }

    private RunDescriptor? DescriptorOf(RunId id) => _trace.Calls.Select(call => call.Message.Run).FirstOrDefault(run => run?.Id == id);

    /// <summary>Adds what must have happened inside an agent before it sent this.</summary>
    private void AddEventsBefore(TraceStep step, int agent, Message message)
    {
        if (message.Run is not { } run)
        {
            return;
        }

        switch (message)
        {
            case Vote vote:
                Propose(step, agent, run, vote.Proposed, vote.Round);
                if (vote.Value is { } voted)
                {
                    _votedFor[(run.Id, vote.Round)] = voted;
                }

                Show(step, agent, ProtocolEventKind.Voted, run.Id, vote.Round, vote.Value ?? 0);
                break;
            case Proposal proposal:
                Propose(step, agent, run, proposal.Value, proposal.Round);
                break;
            case NewRound { Value: { } value } opened:
                Propose(step, agent, run, value, opened.Round);
                break;
            case Final final:
                Decide(step, agent, run.Id, final.Value, final.Round);
                break;
        }
    }

    private void Propose(TraceStep step, int agent, RunDescriptor run, int value, int round)
    {
        if (!_shown.Add((agent, ProtocolEventKind.Drew, run.Id, round)))
        {
            return;
        }

        var kind = _votedFor.TryGetValue((run.Id, round - 1), out var voted) && voted == value ? ProtocolEventKind.Adopted

            // An agent leaves a round by votes, its own included. Without its vote, it copied a message of the later round.
            : run.Rule == Rule.Ratified && round > run.StartRound
                && !_shown.Contains((agent, ProtocolEventKind.Voted, run.Id, round - 1)) ? ProtocolEventKind.CaughtUp
            : ProtocolEventKind.Drew;
        var attempt = kind == ProtocolEventKind.Drew ? _draws[(agent, run.Id)] = _draws.GetValueOrDefault((agent, run.Id)) + 1 : 0;
        step.Events.Add(new ProtocolEvent(kind, run.Id, round, value, attempt));
    }

    /// <summary>A new process of an agent knows nothing of what the killed one did.</summary>
    private void Forget(int agent)
    {
        _shown.RemoveWhere(one => one.Agent == agent);
        _toldDecision.RemoveWhere(one => one.Agent == agent);
        foreach (var run in _draws.Keys.Where(one => one.Agent == agent).ToList())
        {
            _draws.Remove(run);
        }
    }

    private void Decide(TraceStep step, int agent, RunId run, int value, int round) =>
        Show(step, agent, ProtocolEventKind.Decided, run, 0, value,
            _toldDecision.Contains((agent, run)) ? ProtocolEventKind.Learned : null, round);

    private void Show(TraceStep step, int agent, ProtocolEventKind kind, RunId run,
        int round, int value, ProtocolEventKind? instead = null, int? shownRound = null)
    {
        if (_shown.Add((agent, kind, run, round)))
        {
            step.Events.Add(new ProtocolEvent(instead ?? kind, run, shownRound ?? round, value));
        }
    }

    /// <summary>The message with the run that it belongs to.</summary>
    private Message? Named(Message? message) =>
        message is NewRound or Proposal or Final && message.Run is null && _anonymousRun is not null
            ? message with { Run = _anonymousRun } : message;
}
