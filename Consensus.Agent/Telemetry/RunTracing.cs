using System.Collections.Concurrent;
using System.Diagnostics;
using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>
/// Spans of one agent's part of a run: <c>run</c>, under it each <c>round</c>, and <c>decided</c>. The run of the agent that
/// starts it is the root of the trace. The runs of the others lie under the message that brought the run. Called in the
/// order of events, one call at a time, with no current span that a caller needs.
/// </summary>
internal sealed partial class RunTracing
{
    /// <summary>Rounds in one trace; a run that takes longer goes on in another, linked both ways.</summary>
    public const int RoundsPerTrace = 32;

    private const string SourcePrefix = "Consensus.Agent.";

    // After this time a final would stretch the trace of a run that took some ms. An agent sends its first finals as it decides.
    private static readonly TimeSpan LateFinal = TimeSpan.FromMilliseconds(100);

    private static readonly ConcurrentDictionary<string, int> s_names = new(StringComparer.Ordinal);

    private readonly string _agentId;
    private readonly TimeProvider _time;
    private readonly HashSet<int> _reached = [];

    // The run that began last here, also once it has ended.
    private OpenRun _latest = new(null, 0);
    private RunId _hasRunTitle = RunId.None;
    private Activity? _start;
    private Activity? _run;
    private Activity? _round;
    private ActivityContext _last;
    private ActivityContext _parent;
    private (RunId Run, ActivityContext Context) _previous;
    private int _segment;
    private long _endedAt;

    public RunTracing(string agentId, TimeProvider? time = null)
    {
        (_agentId, _time) = (agentId, time ?? TimeProvider.System);

        // A provider selects sources by name. Agents that share a process must not export each other's spans.
        var count = s_names.AddOrUpdate(agentId, 1, (_, used) => used + 1);
        Source = new ActivitySource(count == 1 ? SourcePrefix + agentId : $"{SourcePrefix}{agentId}.{count}");
    }

    /// <summary>The source of this agent's spans, and of no other's.</summary>
    public ActivitySource Source { get; }

    /// <summary>The span in which this agent is: its round, or its run; null outside.</summary>
    public Activity? Current => _round ?? _run;

    /// <summary>Where the current run stands, also once it has ended (W3C Trace Context); null without a trace.</summary>
    public string? Traceparent => MessageTracing.Format(Position);

    private ActivityContext Position => Current?.Context ?? _last;

    /// <summary>
    /// The parent of the span of a message to a peer. A repeated message makes no span; it carries the parent to peers that
    /// may not know the run yet, and nothing to the others. A late final does the same, and its receiver begins another trace.
    /// </summary>
    public MessageParent ParentOf(int peer, Message message, bool repeated) => message switch
    {
        StateQuery => default,
        Handshake or Reset => new(_start?.Context ?? default, MakesSpan: !repeated),
        _ when repeated && _reached.Contains(peer) => default,
        Proposal or Vote => new(RoundOf(message.Content.Round), !repeated),
        Final when Current is null && _time.GetElapsedTime(_endedAt) >= LateFinal =>
            _reached.Contains(peer) ? default : new(Position, MakesSpan: false, IsLate: true),
        _ => new(Position, !repeated),
    };

    /// <summary>
    /// Starts a span that begins a trace of its own and links to <paramref name="link"/>. It is not exported until
    /// <see cref="Activity.ActivityTraceFlags"/> says so.
    /// </summary>
    public Activity? StartLate(string name, ActivityKind kind, ActivityContext link)
    {
        // Without a parent of its own, a span would lie under whatever is current.
        Activity.Current = null;
        var span = Source.StartActivity(name, kind, default(ActivityContext), links: [new ActivityLink(link)]);
        if (span is not null)
        {
            span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }

        return span;
    }

    /// <summary>A peer responded to a message, so it knows the run that the message names.</summary>
    public void Responded(int peer, Message sent)
    {
        if (sent.Run is { } run && run.Id == _latest.Descriptor?.Id)
        {
            _reached.Add(peer);
        }
    }

    /// <summary>This agent takes up a request to start a run; <paramref name="caller"/> is the trace of who asked for it.</summary>
    public void StartTakenUp(ActivityContext caller)
    {
        _start = Start("run", default, caller == default ? null : [new ActivityLink(caller)]);
        _start?.DisplayName = "run: being started";
    }

    /// <summary>The request taken up has ended; <paramref name="failure"/> is why nothing was started.</summary>
    public void StartEnded(string? failure)
    {
        if (_start is { IsStopped: false } open && (open != _run || failure is not null))
        {
            if (open == _run)
            {
                EndRound("not-started");
                _run = null;
            }

            open.DisplayName = failure is null ? "run: superseded" : $"run: not started, {failure}";
            open.SetTag("consensus.outcome", failure is null ? "superseded" : "not-started");
            open.Stop();
        }

        _start = null;
    }

    /// <summary>Follows one event.</summary>
    /// <param name="protocolEvent">The event.</param>
    /// <param name="change">The runs that it begins and ends.</param>
    /// <param name="cause">Where the event came from: the message's span, or the trace that a response names.</param>
    /// <param name="received">Whether a message of another agent caused it.</param>
    /// <param name="duration">Of a decision: how long it took.</param>
    /// <param name="isOver">Whether another agent had decided the run before it came here.</param>
    /// <param name="support">Of a decision: who supports it.</param>
    public void Record(
        ProtocolEvent protocolEvent, in RunChange change, ActivityContext cause = default, bool received = false,
        TimeSpan? duration = null, bool isOver = false, string? support = null)
    {
        if (change.Began is { } began)
        {
            Begin(began, protocolEvent, cause, received, isOver);
        }

        switch (protocolEvent.Kind)
        {
            case ProtocolEventKind.Drew or ProtocolEventKind.CaughtUp or ProtocolEventKind.Adopted:
                EnterRound(protocolEvent);
                break;
            case ProtocolEventKind.Voted:
                _round?.AddEvent(
                    new ActivityEvent("vote", tags: [new("consensus.value", protocolEvent.Value == 0 ? "none" : protocolEvent.Value)]));
                break;
            case ProtocolEventKind.Decided or ProtocolEventKind.Learned:
                Decide(protocolEvent, change.Outcome, duration, support);
                break;
            case ProtocolEventKind.WasReset:
                End("reset");
                break;
            case ProtocolEventKind.Equivocated:
                Current?.AddEvent(new ActivityEvent(
                    "contradiction",
                    tags: [new("consensus.value", protocolEvent.Value), new("consensus.other.agent.id", protocolEvent.Other)]));
                break;
        }
    }

    /// <summary>
    /// Starts the span of a disagreement, the error of the run's trace. The run has ended here; the caller ends the span.
    /// </summary>
    public Activity? StartDisagreement(ProtocolEvent protocolEvent)
    {
        var span = Start($"disagreement: {protocolEvent.Other} decided {protocolEvent.Value}", Position);
        Describe(span, protocolEvent);
        span?.SetStatus(ActivityStatusCode.Error, "agreement is violated");
        return span;
    }

    /// <summary>Ends the open spans, before the process ends.</summary>
    public void Stop()
    {
        End("stopped");
        _start?.Stop();
    }

    private ActivityContext RoundOf(int round) =>
        _round?.GetTagItem("consensus.round") is int current && current > round && _last != default ? _last : Position;

    private void Begin(OpenRun began, ProtocolEvent protocolEvent, ActivityContext cause, bool received, bool isOver)
    {
        var own = !received && _start is not null
            && (began.Descriptor is null || (began.Id.Initiator == _agentId && began.Id > _hasRunTitle));
        if (own && _run == _start && _start is { IsStopped: false })
        {
            // The same start names another run, because some peer knew a newer one.
            EndRound("superseded");
            _run = null;
        }

        End("superseded");
        var (known, context) = _previous;
        _hasRunTitle = own && began.Descriptor is not null ? began.Id : _hasRunTitle;
        _latest = began;
        _segment = 0;
        _last = default;
        _reached.Clear();
        if (own)
        {
            _run = _start is { IsStopped: false } ? _start : Start("run", _start!.Context);
            Describe(_run, protocolEvent);
        }
        else if (cause != default)
        {
            // What is learned after the decision is a trace of its own, so that the run's ends with the decision.
            Describe(_run = isOver ? Start("run", default, [new ActivityLink(cause)]) : Start("run", cause), protocolEvent);
        }
        else
        {
            // The run came without a trace. The spans of a learner would be a trace without content.
            _last = _parent = !protocolEvent.Run.IsNone && known == protocolEvent.Run ? context : default;
        }
    }

    private void EnterRound(ProtocolEvent protocolEvent)
    {
        if (_run is null)
        {
            Describe(_run = Start("run", _parent), protocolEvent);
        }

        EndRound("undecided");
        var segment = (protocolEvent.Round - _latest.StartRound) / RoundsPerTrace;
        if (segment != _segment)
        {
            ContinueInNextTrace(segment, protocolEvent);
        }

        _round = Start($"round {protocolEvent.Round}", _run?.Context ?? default);
        if (_round is { IsAllDataRequested: true } round)
        {
            Describe(round, protocolEvent);
            round.SetTag("consensus.round", protocolEvent.Round);
            round.SetTag("consensus.value", protocolEvent.Value);
            round.SetTag("consensus.attempts", protocolEvent.Attempt);
            round.AddEvent(new ActivityEvent("propose", tags:
            [
                new("consensus.value", protocolEvent.Value), new("consensus.how", protocolEvent.Kind.WireName()),
            ]));
        }
    }

    private void Decide(ProtocolEvent protocolEvent, string? outcome, TimeSpan? duration, string? support)
    {
        if (_run is null || outcome is null)
        {
            return;
        }

        var name = protocolEvent.Other is { } other && outcome == "learned"
            ? $"learned {protocolEvent.Value} from {other}" : $"{outcome} {protocolEvent.Value}";
        var mark = Start(name, Position);
        Describe(mark, protocolEvent);
        mark?.SetTag("consensus.support", support);
        mark?.Stop();
        _run.SetTag("consensus.round", protocolEvent.Round);
        _run.SetTag("consensus.value", protocolEvent.Value);
        _run.SetTag("consensus.attempts", protocolEvent.Attempt);
        _run.SetTag("consensus.decision.duration_ms", duration?.TotalMilliseconds);

        // The span has the duration of the metric, the log and the timeline.
        if (duration is { } took && _segment == 0)
        {
            _run.SetEndTime(_run.StartTimeUtc + took);
        }

        End(outcome, EventFormatter.Of(new Decision(protocolEvent.Value, protocolEvent.Round, _latest.Descriptor?.Id)));
    }

    private void End(string outcome, string? text = null)
    {
        EndRound(outcome);
        if (_run is { } run)
        {
            // What is sent about a decision later still belongs to its run.
            _last = _last == default ? run.Context : _last;
            _previous = (_latest.Id, run.Context);
            run.DisplayName = $"{_latest.Title}: {text ?? outcome}";
            run.SetTag("consensus.outcome", outcome);
            run.Stop();
            _endedAt = _time.GetTimestamp();
        }

        _run = null;
    }

    private void EndRound(string outcome)
    {
        if (_round is { } round)
        {
            round.SetTag("consensus.outcome", outcome);
            round.Stop();
            _last = round.Context;
            _round = null;
        }
    }

    private void Describe(Activity? span, ProtocolEvent protocolEvent)
    {
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag("consensus.run.id", protocolEvent.Run.IsNone ? null : protocolEvent.Run.ToString());
            span.SetTag("consensus.rule", OpenRun.RuleOf(_latest.Descriptor));
            span.SetTag("consensus.learner", protocolEvent.Kind == ProtocolEventKind.JoinedAsLearner ? true : null);
        }
    }

    private Activity? Start(string name, ActivityContext parent, ActivityLink[]? links = null)
    {
        // Without a parent of its own, a span would lie under whatever is current.
        Activity.Current = null;
        var span = Source.StartActivity(name, ActivityKind.Internal, parent, links: links);
        span?.SetTag("consensus.agent.id", _agentId);
        return span;
    }
}
