using System.Diagnostics.Metrics;
using Consensus.Agent.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Counts one agent's runs, rounds and messages. Called in the order of things, one call at a time.</summary>
public sealed class AgentMetrics
{
    /// <summary>The name of every agent's meter.</summary>
    public const string MeterName = "Consensus.Agent";

    private static readonly double[] DurationBuckets =
        [0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly TimeProvider _time;
    private readonly Counter<long> _runs;
    private readonly Histogram<int> _rounds;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _attempts;
    private RunDescriptor? _current;
    private bool _open;
    private long _joinedAt;
    private int _startRound;

    public AgentMetrics(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create(MeterName);
        _runs = meter.CreateCounter<long>("consensus.runs", "{run}", "Runs that ended here, by rule and outcome.");
        _rounds = meter.CreateHistogram<int>(
            "consensus.rounds", "{round}", "Rounds until a decision.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 3, 4, 5, 7, 10, 15, 25, 50, 100, 250, 1000] });
        _duration = meter.CreateHistogram(
            "consensus.decision.duration", "s", "Time from joining a run to its decision.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBuckets });
        _messages = meter.CreateCounter<long>("consensus.messages", "{message}", "Messages by type, direction and outcome.");
        _attempts = meter.CreateCounter<long>("consensus.attempts", "{attempt}", "Values drawn.");
    }

    /// <summary>A message was answered, or not: then <paramref name="answer"/> is null.</summary>
    public void Message(Message message, Answer? answer, bool sent)
    {
        if (_messages.Enabled)
        {
            _messages.Add(1, new("consensus.message.type", message.Kind), new("consensus.message.direction", sent ? "sent" : "received"), new("consensus.outcome", OutcomeOf(answer)));
        }
    }

    /// <summary>Follows one happening.</summary>
    public void Happened(Happened happened, RunDescriptor? current)
    {
        switch (happened.Kind)
        {
            case Happening.Joined or Happening.JoinedAsLearner:
                End("superseded");
                Begin(current?.StartRound ?? happened.Round, current);
                break;
            case Happening.Drew:
                if (!_open)
                {
                    Begin(happened.Round, current);
                }

                _attempts.Add(1, RuleTag);
                break;
            case Happening.Decided or Happening.Learned:
                if (_open)
                {
                    _duration.Record(_time.GetElapsedTime(_joinedAt).TotalSeconds, RuleTag);
                    _rounds.Record(Math.Max(1, happened.Round - _startRound + 1), RuleTag);
                }

                End(happened.Kind == Happening.Decided ? "decided" : "learned");
                break;
            case Happening.WasReset:
                End("reset");
                break;
        }
    }

    private KeyValuePair<string, object?> RuleTag => new("consensus.rule", RuleOf(_current));

    /// <summary>The word for the rule of a run; a bare one follows the classic rule.</summary>
    internal static string RuleOf(RunDescriptor? run) => run is { Rule: Rule.Ratified } ? "ratified" : "classic";

    private void Begin(int startRound, RunDescriptor? current)
    {
        (_open, _joinedAt, _startRound, _current) = (true, _time.GetTimestamp(), startRound, current);
    }

    private void End(string outcome)
    {
        if (_open)
        {
            _runs.Add(1, RuleTag, new("consensus.outcome", outcome));
            _open = false;
        }
    }

    private static string OutcomeOf(Answer? answer) => answer switch
    {
        null => "failed",
        { Status: Status.Refused } => "refused",
        { Status: Status.AlreadyStarted } => "duplicate",
        { Status: Status.Ignored } => "stale",
        _ => "ok",
    };
}
