using System.Collections;
using Consensus.Agent.Configuration;
using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Writes one agent's log lines about runs. Called in the order of events, one call at a time.</summary>
internal sealed partial class RunLogger(AgentOptions options, TimeProvider time, ILogger<RunLogger> logger)
{
    // Anyone who may send as an agent could fill the log with these.
    private readonly LogRateLimiter _rateLimiter = new(time, 2);
    private (RunId Run, string Reason)? _stalled;

    /// <summary>Follows one event; <paramref name="duration"/> is a decision's.</summary>
    public void Record(ProtocolEvent protocolEvent, TimeSpan? duration)
    {
        if (LevelOf(protocolEvent) is not { } level || !logger.IsEnabled(level))
        {
            return;
        }

        using var scope = logger.BeginScope(new RunScope(protocolEvent.Run, protocolEvent.Round));
        switch (protocolEvent.Kind)
        {
            case ProtocolEventKind.Drew:
                Drew(options.Id, protocolEvent.Round, protocolEvent.Attempt, protocolEvent.Value);
                break;
            case ProtocolEventKind.Decided or ProtocolEventKind.Learned or ProtocolEventKind.Restored:
                var how = protocolEvent.Kind switch
                {
                    ProtocolEventKind.Decided => "decided",
                    ProtocolEventKind.Learned => "learned",
                    _ => "recovered",
                };
                Decided(options.Id, protocolEvent.Value, protocolEvent.Round, how, protocolEvent.Attempt, duration?.TotalMilliseconds);
                break;
            case ProtocolEventKind.Equivocated when _rateLimiter.Passes(0, out var held):
                Contradicted(options.Id, protocolEvent.Other, protocolEvent.Round, protocolEvent.Value, held);
                break;
            case ProtocolEventKind.AgreementViolated when _rateLimiter.Passes(1, out var held):
                Disagreed(options.Id, protocolEvent.Other, protocolEvent.Value, protocolEvent.Run, held);
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
    public void NotPersisted(string why) => NotPersisted(options.Id, why);

    /// <summary>A step threw an exception that no code expects, so this agent sends nothing more.</summary>
    public void StepFailed(Exception exception, Input input, RunId? run) =>
        StepFailed(exception, options.Id, input is MessageReceived received ? received.Message.Kind.WireName() : input.GetType().Name, run);

    /// <summary>The level of an event's line; null: it has none. A restored run without a decision has nothing to report.</summary>
    private static LogLevel? LevelOf(ProtocolEvent protocolEvent) => protocolEvent switch
    {
        { Kind: ProtocolEventKind.Drew or ProtocolEventKind.Decided or ProtocolEventKind.Learned } => LogLevel.Information,
        { Kind: ProtocolEventKind.Restored, Value: > 0 } => LogLevel.Information,
        { Kind: ProtocolEventKind.Equivocated } => LogLevel.Warning,
        { Kind: ProtocolEventKind.AgreementViolated } => LogLevel.Error,
        _ => null,
    };

    [LoggerMessage(1, LogLevel.Information, "[{AgentId}] Round {Round}, Attempt {Attempt}, Value {Value}")]
    private partial void Drew(string agentId, int round, int attempt, int value);

    [LoggerMessage(2, LogLevel.Warning,
        "[{AgentId}] {Other} sent two different messages in round {Round}; the second, {Value}, was refused ({Held} more held back)")]
    private partial void Contradicted(string agentId, string? other, int round, int value, long held);

    [LoggerMessage(3, LogLevel.Error,
        "[{AgentId}] {Other} decided {Value} in run {Run}, which differs from the decision here: "
            + "agreement is violated ({Held} more held back)")]
    private partial void Disagreed(string agentId, string? other, int value, RunId run, long held);

    [LoggerMessage(4, LogLevel.Critical, "[{AgentId}] {Why}")]
    private partial void NotPersisted(string agentId, string why);

    [LoggerMessage(9, LogLevel.Critical, "[{AgentId}] The agent has failed at {Input} in run {Run}, "
        + "and takes no more part: restart it. Report this line with its exception.")]
    private partial void StepFailed(Exception exception, string agentId, string input, RunId? run);

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
