using System.Diagnostics;
using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Turns what happens in a machine into logs, spans and metrics.</summary>
public sealed class AgentTelemetry(RunTracing tracing, AgentMetrics metrics, RunLogger logger)
{
    // Spans are made beside whatever the thread is in.
    private readonly ExecutionContext _clean = ExecutionContext.Capture()!;
    private bool _stopped;

    /// <summary>Where the current run stands in a trace (W3C Trace Context), or null.</summary>
    public string? Traceparent => tracing.Traceparent;

    private bool IsTraced => !_stopped && tracing.Source.HasListeners();

    /// <summary>The parent of a message's span (<see cref="RunTracing.ParentOf"/>).</summary>
    public MessageParent ParentOf(int peer, Message message, bool repeated) => IsTraced ? tracing.ParentOf(peer, message, repeated) : default;

    /// <summary>A message was received and answered.</summary>
    public void Received(Message message, Response answer) => metrics.Message(message, answer, sent: false);

    /// <summary>A peer answered a message, or did not: then <paramref name="answer"/> is null.</summary>
    public void Sent(int peer, Message message, Response? answer)
    {
        metrics.Message(message, answer, sent: true);
        if (answer is not null && IsTraced)
        {
            tracing.Answered(peer, message);
        }
    }

    /// <summary>A decision could not be written, so this agent sends nothing more.</summary>
    public void NotPersisted(string why) => logger.NotPersisted(why);

    /// <summary>A step threw an exception that no code expects, so this agent sends nothing more.</summary>
    public void StepFailed(Exception exception, Input input, RunId? run) => logger.StepFailed(exception, input, run);

    /// <summary>The current run cannot go on, for this reason; null: it can.</summary>
    public void Stalled(RunDescriptor? run, string? reason) => logger.Stalled(run, reason);

    /// <summary>A request to start a run is taken up.</summary>
    public void StartTakenUp(ActivityContext caller) => Clean(() => tracing.StartTakenUp(caller));

    /// <summary>The request taken up has ended.</summary>
    public void StartEnded(StartOutcome outcome) => Clean(() => tracing.StartEnded(outcome switch
    {
        RunStarted => null,
        QuorumUnreachable few => $"no answer of {string.Join(", ", few.Missing)}",
        DuplicateAgentId same => $"two agents have the id {same.AgentId}",
        ClusterSizeMismatch mismatch => $"cluster sizes differ: {string.Join(", ", mismatch.Sizes.Select(size => $"{size.Key} {size.Value}"))}",
        LegacyPeer original => $"{original.Peer} knows no ratified rule",
        _ => "too many starts",
    }));

    /// <summary>Follows one event. Called in the order of events.</summary>
    /// <param name="protocolEvent">The event.</param>
    /// <param name="current">The run after it.</param>
    /// <param name="input">What caused it.</param>
    /// <param name="duration">Of a decision: from the start of the run to the decision.</param>
    public void Record(ProtocolEvent protocolEvent, RunDescriptor? current, Input input, TimeSpan? duration)
    {
        if (!IsTraced)
        {
            metrics.Record(protocolEvent, current, duration);
            logger.Record(protocolEvent, duration);
        }
        else
        {
            Trace(protocolEvent, current, input, duration);
        }
    }

    // A method of its own: its closure would otherwise be allocated where nothing is traced.
    private void Trace(ProtocolEvent protocolEvent, RunDescriptor? current, Input input, TimeSpan? duration)
    {
        var received = input is MessageReceived;
        ActivityContext cause = default;
        if (input is ResponseReceived { Response.Traceparent: { } traceparent })
        {
            _ = ActivityContext.TryParse(traceparent, null, isRemote: true, out cause);
        }
        else if (received && Activity.Current is { } message && message.Source == tracing.Source)
        {
            cause = message.Context;
        }

        Clean(() =>
        {
            // Logs and exemplars lead to the span that is current.
            var ends = protocolEvent.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned or ProtocolEventKind.WasReset;
            if (!ends)
            {
                tracing.Record(protocolEvent, current, cause, received);
            }

            Activity.Current = tracing.Current;
            metrics.Record(protocolEvent, current, duration);
            logger.Record(protocolEvent, duration);
            if (ends)
            {
                tracing.Record(protocolEvent, current, duration: duration);
            }
        });
    }

    /// <summary>Ends the open spans; nothing is traced after it.</summary>
    public void Stop()
    {
        Clean(tracing.Stop);
        _stopped = true;
    }

    private void Clean(Action action)
    {
        if (IsTraced)
        {
            ExecutionContext.Run(_clean, static action => ((Action)action!)(), action);
        }
    }
}
