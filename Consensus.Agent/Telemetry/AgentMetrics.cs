using System.Diagnostics.Metrics;
using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Counts one agent's runs, rounds and messages. Called in the order of things, one call at a time.</summary>
public sealed class AgentMetrics
{
    /// <summary>The name of every agent's meter.</summary>
    public const string MeterName = "Consensus.Agent";

    /// <summary>Bucket bounds in s. Percentiles are read off them, so they lie close where decisions and calls lie.</summary>
    internal static readonly double[] DurationBuckets =
    [
        0.0001, 0.00015, 0.0002, 0.0003, 0.0004, 0.0005, 0.0006, 0.0008, 0.001, 0.0012, 0.0015, 0.002, 0.0025, 0.003, 0.004, 0.005, 0.006, 0.008,
        0.01, 0.012, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60,
    ];

    private readonly Counter<long> _runs;
    private readonly Histogram<int> _rounds;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _attempts;
    private RunDescriptor? _current;
    private bool _open;
    private int _startRound;

    public AgentMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _runs = meter.CreateCounter<long>("consensus.runs", "{run}", "Runs that ended here, by rule and outcome.");
        _rounds = meter.CreateHistogram<int>(
            "consensus.rounds", "{round}", "Rounds until a decision.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 3, 4, 5, 7, 10, 15, 25, 50, 100, 250, 1000] });
        _duration = meter.CreateHistogram(
            "consensus.decision.duration", "s", "Time from the start of a run at this agent to its decision.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBuckets });
        _messages = meter.CreateCounter<long>("consensus.messages", "{message}", "Messages by type, direction and outcome.");
        _attempts = meter.CreateCounter<long>("consensus.attempts", "{attempt}", "Values drawn.");
    }

    /// <summary>A message was answered, or not: then <paramref name="answer"/> is null.</summary>
    public void Message(Message message, Response? answer, bool sent)
    {
        if (_messages.Enabled)
        {
            _messages.Add(1, new("consensus.message.type", message.Kind), new("consensus.message.direction", sent ? "sent" : "received"), new("consensus.outcome", OutcomeOf(answer)));
        }
    }

    /// <summary>Follows one event; <paramref name="duration"/> is a decision's.</summary>
    public void Record(ProtocolEvent protocolEvent, RunDescriptor? current, TimeSpan? duration)
    {
        switch (protocolEvent.Kind)
        {
            case ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner:
                End("superseded");
                Begin(current?.StartRound ?? protocolEvent.Round, current);
                break;
            case ProtocolEventKind.Drew:
                if (!_open)
                {
                    Begin(protocolEvent.Round, current);
                }

                _attempts.Add(1, RuleTag);
                break;
            case ProtocolEventKind.Decided or ProtocolEventKind.Learned:
                if (_open)
                {
                    _duration.Record(duration.GetValueOrDefault().TotalSeconds, RuleTag);
                    _rounds.Record(Math.Max(1, protocolEvent.Round - _startRound + 1), RuleTag);
                }

                End(protocolEvent.Kind == ProtocolEventKind.Decided ? "decided" : "learned");
                break;
            case ProtocolEventKind.WasReset:
                End("reset");
                break;
        }
    }

    private KeyValuePair<string, object?> RuleTag => new("consensus.rule", RuleOf(_current));

    /// <summary>The name of a run's rule; a bare run follows the classic rule.</summary>
    internal static string RuleOf(RunDescriptor? run) => run is { Rule: Rule.Ratified } ? "ratified" : "classic";

    private void Begin(int startRound, RunDescriptor? current)
    {
        (_open, _startRound, _current) = (true, startRound, current);
    }

    private void End(string outcome)
    {
        if (_open)
        {
            _runs.Add(1, RuleTag, new("consensus.outcome", outcome));
            _open = false;
        }
    }

    /// <summary>The outcome of a message; null: it got no response.</summary>
    internal static string OutcomeOf(Response? answer) => answer switch
    {
        null => "failed",
        { Status: ResponseStatus.Refused } => "refused",
        { Status: ResponseStatus.AlreadyStarted } => "duplicate",
        { Status: ResponseStatus.Ignored } => "stale",
        _ => "ok",
    };
}
