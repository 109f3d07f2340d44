using System.Collections;
using Consensus.Agent.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Turns what happens in a machine into logs, spans and metrics.</summary>
public sealed partial class AgentTelemetry(
    Hosting.AgentOptions options, RunTracing tracing, AgentMetrics metrics, TimeProvider time, ILogger<AgentTelemetry> logger)
{
    // Whoever may speak for an agent could fill the log with these.
    private readonly Throttle _throttle = new(time, 2);

    /// <summary>The context in which a message is to be sent; null: where it is.</summary>
    public ExecutionContext? CauseOf(Message message) => tracing.CauseOf(message);

    /// <summary>A message was answered, or not: then <paramref name="answer"/> is null.</summary>
    public void Message(Message message, Answer? answer, bool sent) => metrics.Message(message, answer, sent);

    /// <summary>What the agent had to announce could not be kept, so it says nothing more.</summary>
    public void NotKept(string why) => NotKept(options.Id, why);

    /// <summary>Where the current run stands in a trace (W3C Trace Context), or null.</summary>
    public string? Traceparent => tracing.Traceparent;

    /// <summary>
    /// Called in the order in which things happened; <paramref name="current"/> is the run after them, and
    /// <paramref name="heard"/> where it stands in a trace, if it was heard of by a question that was no part of it.
    /// </summary>
    public void Happened(Happened happened, RunDescriptor? current, string? heard = null)
    {
        tracing.Happened(happened, current, heard);
        metrics.Happened(happened, current);
        Log(happened);
    }

    private void Log(Happened happened)
    {
        if (happened.Kind is not (Happening.Drew or Happening.Contradicted or Happening.Disagreed) || !logger.IsEnabled(LogLevel.Information))
        {
            return;
        }

        using var scope = logger.BeginScope(new RunScope(happened.Run, happened.Round));
        switch (happened.Kind)
        {
            case Happening.Drew:
                Drew(options.Id, happened.Round, happened.Attempt, happened.Value);
                break;
            case Happening.Contradicted when _throttle.Passes(0, out var held):
                Contradicted(options.Id, happened.Other, happened.Round, happened.Value, held);
                break;
            case Happening.Disagreed when _throttle.Passes(1, out var held):
                Disagreed(options.Id, happened.Other, happened.Value, happened.Run, held);
                break;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "[{AgentId}] Round {Round}, Attempt {Attempt}, Value {Value}")]
    private partial void Drew(string agentId, int round, int attempt, int value);

    [LoggerMessage(2, LogLevel.Warning, "[{AgentId}] {Other} said two things in round {Round}; the second, {Value}, was refused ({Held} more held back)")]
    private partial void Contradicted(string agentId, string? other, int round, int value, long held);

    [LoggerMessage(3, LogLevel.Warning, "[{AgentId}] {Other} decided {Value} in run {Run}, which differs from the decision here: agreement is violated ({Held} more held back)")]
    private partial void Disagreed(string agentId, string? other, int value, RunId run, long held);

    [LoggerMessage(4, LogLevel.Critical, "[{AgentId}] {Why}")]
    private partial void NotKept(string agentId, string why);

    /// <summary>The run and the round that log lines belong to.</summary>
    private sealed class RunScope(RunId run, int round) : IReadOnlyList<KeyValuePair<string, object?>>
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

        public override string ToString() => $"run {run}, round {round}";
    }
}
