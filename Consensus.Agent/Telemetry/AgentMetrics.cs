using System.Diagnostics.Metrics;
using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Counts one agent's runs, rounds and messages. Called in the order of events, one call at a time.</summary>
internal sealed class AgentMetrics
{
    /// <summary>The name of every agent's meter.</summary>
    public const string MeterName = "Consensus.Agent";

    /// <summary>Bucket bounds in s. Percentiles are read off them, so they lie close where decisions and calls lie.</summary>
    internal static readonly double[] DurationBuckets =
    [
        0.0001, 0.00015, 0.0002, 0.0003, 0.0004, 0.0005, 0.0006, 0.0008, 0.001,
        0.0012, 0.0015, 0.002, 0.0025, 0.003, 0.004, 0.005, 0.006, 0.008,
        0.01, 0.012, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1,
        0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60,
    ];

    private readonly Counter<long> _runs;
    private readonly Histogram<int> _rounds;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _attempts;

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

    /// <summary>Counts a message; null for <paramref name="response"/>: it got none.</summary>
    public void Message(Message message, Response? response, bool sent)
    {
        if (_messages.Enabled)
        {
            _messages.Add(1, new("consensus.message.type", message.Kind.WireName()),
                new("consensus.message.direction", sent ? "sent" : "received"), new("consensus.outcome", OutcomeOf(response)));
        }
    }

    /// <summary>Counts one event.</summary>
    /// <param name="protocolEvent">The event.</param>
    /// <param name="change">The runs that it begins and ends.</param>
    /// <param name="current">The run after it.</param>
    /// <param name="duration">Of a decision: from the start of the run to the decision.</param>
    public void Record(ProtocolEvent protocolEvent, in RunChange change, RunDescriptor? current, TimeSpan? duration)
    {
        if (change.Ended is { } ended)
        {
            if (protocolEvent.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned)
            {
                _duration.Record(duration.GetValueOrDefault().TotalSeconds, RuleTag(ended.Descriptor));
                _rounds.Record(Math.Max(1, protocolEvent.Round - ended.StartRound + 1), RuleTag(ended.Descriptor));
            }

            _runs.Add(1, RuleTag(ended.Descriptor), new("consensus.outcome", change.Outcome));
        }

        if (protocolEvent.Kind == ProtocolEventKind.Drew)
        {
            _attempts.Add(1, RuleTag(current));
        }
    }

    private static KeyValuePair<string, object?> RuleTag(RunDescriptor? run) => new("consensus.rule", OpenRun.RuleOf(run));

    /// <summary>The outcome of a message; null: it got no response.</summary>
    internal static string OutcomeOf(Response? response) => response switch
    {
        null => "failed",
        { Status: ResponseStatus.Refused } => "refused",
        { Status: ResponseStatus.AlreadyStarted } => "duplicate",
        { Status: ResponseStatus.Ignored } => "stale",
        _ => "ok",
    };
}
