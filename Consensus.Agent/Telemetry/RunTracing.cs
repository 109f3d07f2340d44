using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Consensus.Agent.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>
/// Draws one agent's part of a run as spans: <c>run</c> under the request that introduced the run, <c>round N</c> under
/// it, and under that every message the round caused. Each agent has a source of its own, so that agents that share a
/// process can tell their spans apart. Called in the order of things, one call at a time.
/// </summary>
public sealed class RunTracing(string agentId) : IDisposable
{
    /// <summary>Rounds in one trace; a run that takes longer goes on in another, linked both ways.</summary>
    public const int RoundsPerTrace = 32;

    /// <summary>The name of every agent's source.</summary>
    public const string SourceName = "Consensus.Agent";

    private const string ContextKey = "context";

    [ThreadStatic]
    private static ActivityTraceId s_nextTrace;

    private readonly ActivitySource _source = new(SourceName);
    private readonly ExecutionContext? _clean = ExecutionContext.Capture();
    private RunDescriptor? _descriptor;
    private Activity? _run;
    private Activity? _round;
    private Activity? _lastRound;
    private int _startRound;
    private int _segment;

    // Agents enter a round without asking each other, so a trace that they are to share must have a name they all know.
    static RunTracing() => Activity.TraceIdGenerator = static () =>
        s_nextTrace == default ? ActivityTraceId.CreateRandom() : s_nextTrace;

    /// <summary>Whether this is the source of this agent's spans.</summary>
    public bool Owns(ActivitySource source) => ReferenceEquals(source, _source);

    /// <summary>
    /// The context in which a message is to be sent, so that it lies under the round that caused it; null: where it is.
    /// It works for rounds that have ended, too, which could not be made the current span any more.
    /// </summary>
    public ExecutionContext? CauseOf(Message message)
    {
        var cause = message switch
        {
            Handshake or Reset or StateQuery => null,
            Proposal proposal => RoundOf(proposal.Round),
            Vote vote => RoundOf(vote.Round),
            _ => _round ?? _lastRound ?? _run,
        };
        return cause?.GetCustomProperty(ContextKey) as ExecutionContext;
    }

    /// <summary>Where the current run stands, also once it has ended (W3C Trace Context); null without a trace.</summary>
    public string? Traceparent => (_round ?? _lastRound ?? _run)?.Id;

    /// <summary>Follows one happening; a run that is joined lies under <paramref name="heard"/>, or else under what the thread is in.</summary>
    public void Happened(Happened happened, RunDescriptor? current, string? heard = null)
    {
        if (!_source.HasListeners())
        {
            return;
        }

        switch (happened.Kind)
        {
            case Happening.Joined or Happening.JoinedAsLearner:
                End("superseded");
                Begin(happened, current, heard);
                break;
            case Happening.Drew or Happening.Copied or Happening.Adopted:
                EnterRound(happened, current);
                break;
            case Happening.Voted:
                _round?.AddEvent(new ActivityEvent("vote", tags: [new("consensus.value", happened.Value == 0 ? "none" : happened.Value)]));
                break;
            case Happening.Decided or Happening.Learned:
                Decide(happened);
                break;
            case Happening.WasReset:
                End("reset");
                break;
            case Happening.Contradicted or Happening.Disagreed:
                (_round ?? _run)?.AddEvent(new ActivityEvent(
                    happened.Kind == Happening.Disagreed ? "disagreement" : "contradiction",
                    tags: [new("consensus.value", happened.Value), new("consensus.other.agent.id", happened.Other)]));
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End("stopped");
        _source.Dispose();
    }

    private Activity? RoundOf(int round) =>
        RoundNumber(_round) == round ? _round : RoundNumber(_lastRound) == round ? _lastRound : _round ?? _lastRound ?? _run;

    private static int? RoundNumber(Activity? round) => round?.GetTagItem("consensus.round") as int?;

    private void Begin(Happened happened, RunDescriptor? current, string? heard = null)
    {
        _descriptor = current;
        _startRound = current?.StartRound ?? happened.Round;
        _segment = 0;
        _lastRound = null;
        _run = Start("run", ActivityContext.TryParse(heard, null, isRemote: true, out var cause) ? cause : Activity.Current?.Context ?? default);
        _run?.SetTag("consensus.learner", happened.Kind == Happening.JoinedAsLearner ? true : null);
    }

    private void EnterRound(Happened happened, RunDescriptor? current)
    {
        // A bare run is joined by its first round.
        if (_run is null)
        {
            Begin(happened, current);
        }

        EndRound("undecided");
        var segment = (happened.Round - _startRound) / RoundsPerTrace;
        if (segment != _segment)
        {
            GoOnInNextTrace(segment);
        }

        _round = Start($"round {happened.Round}", _run?.Context ?? default);
        _round?.SetTag("consensus.round", happened.Round);
        _round?.SetTag("consensus.value", happened.Value);
        _round?.SetTag("consensus.attempts", happened.Attempt);
        _round?.AddEvent(new ActivityEvent("propose", tags:
        [
            new("consensus.value", happened.Value), new("consensus.how", happened.Kind.ToString().ToLowerInvariant()),
        ]));
    }

    private void GoOnInNextTrace(int segment)
    {
        _segment = segment;
        if (_run is not { } before)
        {
            return;
        }

        var name = Encoding.UTF8.GetBytes($"{_descriptor?.Id}/{segment}");
        s_nextTrace = _descriptor is null ? default : ActivityTraceId.CreateFromBytes(SHA256.HashData(name).AsSpan(0, 16));
        try
        {
            _run = Start("run", default, [new ActivityLink(before.Context)]);
        }
        finally
        {
            s_nextTrace = default;
        }

        if (_run is not null)
        {
            before.AddLink(new ActivityLink(_run.Context));
        }

        before.SetTag("consensus.outcome", "continued");
        Stop(before);
    }

    private void Decide(Happened happened)
    {
        var outcome = happened.Kind == Happening.Decided ? "decided" : "learned";
        foreach (var span in (Activity?[])[_round, _run])
        {
            span?.AddEvent(new ActivityEvent("decided", tags: [new("consensus.value", happened.Value), new("consensus.round", happened.Round)]));
        }

        _run?.SetTag("consensus.round", happened.Round);
        _run?.SetTag("consensus.value", happened.Value);
        _run?.SetTag("consensus.attempts", happened.Attempt);
        End(outcome);
    }

    private void End(string outcome)
    {
        EndRound(outcome);
        _run?.SetTag("consensus.outcome", outcome);
        Stop(_run);

        // What is said about a decision later still belongs to its run.
        _lastRound ??= _run;
        _run = null;
    }

    private void EndRound(string outcome)
    {
        if (_round is not null)
        {
            _round.SetTag("consensus.outcome", outcome);
            Stop(_round);
            _lastRound = _round;
            _round = null;
        }
    }

    /// <summary>Ends a span. What the thread is in stays current, though it may have ended too, and could not be made current again.</summary>
    private void Stop(Activity? span)
    {
        if (span is not null)
        {
            ExecutionContext.Run(_clean!, static span => ((Activity)span!).Stop(), span);
        }
    }

    /// <summary>Starts a span beside whatever the thread is in; no parent begins a trace.</summary>
    private Activity? Start(string name, ActivityContext parent, ActivityLink[]? links = null)
    {
        Activity? span = null;
        ExecutionContext.Run(_clean!, _ =>
        {
            span = _source.StartActivity(name, ActivityKind.Internal, parent, links: links);
            span?.SetCustomProperty(ContextKey, ExecutionContext.Capture());
        }, null);
        span?.SetTag("consensus.agent.id", agentId);
        span?.SetTag("consensus.run.id", _descriptor?.Id.ToString());
        span?.SetTag("consensus.rule", AgentMetrics.RuleOf(_descriptor));
        return span;
    }
}
