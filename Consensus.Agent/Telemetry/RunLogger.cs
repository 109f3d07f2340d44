using System.Collections;
using Consensus.Agent.Configuration;
using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Writes one agent's log lines about runs. Called in the order of events, one call at a time.</summary>
public sealed partial class RunLogger(AgentOptions options, TimeProvider time, ILogger<RunLogger> logger)
{
    // Anyone who may send as an agent could fill the log with these.
    private readonly Throttle _throttle = new(time, 2);
    private (RunId Run, string Reason)? _stalled;

    /// <summary>Follows one event; <paramref name="duration"/> is a decision's.</summary>
    public void Happened(Happened happened, TimeSpan? duration)
    {
        if (!IsLogged(happened) || !logger.IsEnabled(happened.Kind is Happening.Contradicted or Happening.Disagreed ? LogLevel.Warning : LogLevel.Information))
        {
            return;
        }

        using var scope = logger.BeginScope(new RunScope(happened.Run, happened.Round));
        switch (happened.Kind)
        {
            case Happening.Drew:
                Drew(options.Id, happened.Round, happened.Attempt, happened.Value);
                break;
            case Happening.Decided or Happening.Learned or Happening.Restored:
                var how = happened.Kind switch { Happening.Decided => "decided", Happening.Learned => "learned", _ => "recovered" };
                Decided(options.Id, happened.Value, happened.Round, how, happened.Attempt, duration?.TotalMilliseconds);
                break;
            case Happening.Contradicted when _throttle.Passes(0, out var held):
                Contradicted(options.Id, happened.Other, happened.Round, happened.Value, held);
                break;
            case Happening.Disagreed when _throttle.Passes(1, out var held):
                Disagreed(options.Id, happened.Other, happened.Value, happened.Run, held);
                break;
        }
    }

    /// <summary>The current run cannot go on, for this reason; null: it can. Writes a line when the run or the reason changes.</summary>
    public void Stalled(RunDescriptor? run, string? reason)
    {
        (RunId Run, string Reason)? stalled = run is null || reason is null ? null : (run.Id, reason);
        if (stalled is { } now && stalled != _stalled)
        {
            using var scope = logger.BeginScope(new RunScope(now.Run));
            Stalled(options.Id, now.Run, now.Reason);
        }

        _stalled = stalled;
    }

    /// <summary>A decision could not be written, so this agent sends nothing more.</summary>
    public void NotKept(string why) => NotKept(options.Id, why);

    // A run that an earlier process kept without a decision has nothing to report.
    private static bool IsLogged(Happened happened) =>
        happened is { Kind: Happening.Drew or Happening.Decided or Happening.Learned or Happening.Contradicted or Happening.Disagreed }
            or { Kind: Happening.Restored, Value: > 0 };

    [LoggerMessage(1, LogLevel.Information, "[{AgentId}] Round {Round}, Attempt {Attempt}, Value {Value}")]
    private partial void Drew(string agentId, int round, int attempt, int value);

    [LoggerMessage(2, LogLevel.Warning, "[{AgentId}] {Other} sent two different messages in round {Round}; the second, {Value}, was refused ({Held} more held back)")]
    private partial void Contradicted(string agentId, string? other, int round, int value, long held);

    [LoggerMessage(3, LogLevel.Warning, "[{AgentId}] {Other} decided {Value} in run {Run}, which differs from the decision here: agreement is violated ({Held} more held back)")]
    private partial void Disagreed(string agentId, string? other, int value, RunId run, long held);

    [LoggerMessage(4, LogLevel.Critical, "[{AgentId}] {Why}")]
    private partial void NotKept(string agentId, string why);

    [LoggerMessage(5, LogLevel.Information, "[{AgentId}] decided {Value} in round {Round} ({How}; attempts: {Attempts}; ms: {DurationMs})")]
    private partial void Decided(string agentId, int value, int round, string how, int attempts, double? durationMs);

    [LoggerMessage(6, LogLevel.Warning, "[{AgentId}] Run {Run} is stalled: {Reason}")]
    private partial void Stalled(string agentId, RunId run, string reason);

    /// <summary>The run and the round that log lines belong to.</summary>
    private sealed class RunScope(RunId run, int? round = null) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => 2;

        public KeyValuePair<string, object?> this[int index] => index switch
        {
            0 => new("consensus.run.id", run.IsNone ? null : run.ToString()),
            1 => new("consensus.round", round),
            _ => throw new ArgumentOutOfRangeException(nameof(index)),
        };

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            yield return this[0];
            yield return this[1];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => round is null ? $"run {run}" : $"run {run}, round {round}";
    }
}
