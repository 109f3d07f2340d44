using System.Diagnostics;
using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Turns the events of a state machine into logs, spans and metrics.</summary>
internal sealed class AgentTelemetry(RunTracing tracing, AgentMetrics metrics, RunLogger logger)
{
    private readonly RunTracker _runs = new();

    // A span must not lie under the span that the calling thread is in.
    private readonly ExecutionContext _clean = ExecutionContext.Capture()!;
    private bool _stopped;

    /// <summary>Where the current run stands in a trace (W3C Trace Context), or null.</summary>
    public string? Traceparent => tracing.Traceparent;

    private bool IsTraced => !_stopped && tracing.Source.HasListeners();

    /// <summary>The parent of a message's span (<see cref="RunTracing.ParentOf"/>).</summary>
    public MessageParent ParentOf(int peer, Message message, bool repeated) =>
        IsTraced ? tracing.ParentOf(peer, message, repeated) : default;

    /// <summary>A message arrived and got this response.</summary>
    public void Received(Message message, Response response) => metrics.Message(message, response, sent: false);

    /// <summary>The result of a message to a peer; null for <paramref name="response"/>: the peer did not respond.</summary>
    public void Sent(int peer, Message message, Response? response)
    {
        metrics.Message(message, response, sent: true);
        if (response is not null && IsTraced)
        {
            tracing.Responded(peer, message);
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
    public void StartEnded(StartOutcome outcome) =>
        Clean(() => tracing.StartEnded(outcome is RunStarted ? null : EventFormatter.Of(outcome)));

    /// <summary>Follows one event. Called in the order of events.</summary>
    /// <param name="protocolEvent">The event.</param>
    /// <param name="current">The run after it.</param>
    /// <param name="input">What caused it.</param>
    /// <param name="duration">Of a decision: from the start of the run to the decision.</param>
    /// <param name="machine">The machine after it: a traced decision says who supports it.</param>
    public void Record(
        ProtocolEvent protocolEvent, RunDescriptor? current, Input input, TimeSpan? duration, AgentStateMachine? machine = null)
    {
        var change = _runs.Follow(protocolEvent, current);
        if (!IsTraced)
        {
            metrics.Record(protocolEvent, change, current, duration);
            logger.Record(protocolEvent, duration);
        }
        else
        {
            var support = protocolEvent.Kind == ProtocolEventKind.Decided ? machine?.Snapshot().Support : null;
            Trace(protocolEvent, change, current, input, duration, support);
        }
    }

    // A method of its own: its closure would otherwise be allocated where nothing is traced.
    private void Trace(
        ProtocolEvent protocolEvent, RunChange change, RunDescriptor? current, Input input, TimeSpan? duration, string? support)
    {
        var received = input is MessageReceived;
        ActivityContext cause = default;
        var isOver = input is ResponseReceived { Response.Decision: not null };
        if (input is ResponseReceived { Response.Traceparent: { } traceparent })
        {
            _ = ActivityContext.TryParse(traceparent, null, isRemote: true, out cause);
        }
        else if (received && Activity.Current is { } message && message.Source == tracing.Source)
        {
            // Several peers may bring a run at once. Only the message that did is a trace.
            if (change.Began is not null && message.IsAllDataRequested)
            {
                message.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
            }

            cause = message.Context;
        }

        Clean(() =>
        {
            // Logs and exemplars lead to the span that is current. So a run that only ends here ends after them.
            var ends = change is { Ended: not null, Began: null };
            if (!ends)
            {
                tracing.Record(protocolEvent, change, cause, received, isOver: isOver);
            }

            using var disagreement =
                protocolEvent.Kind == ProtocolEventKind.AgreementViolated ? tracing.StartDisagreement(protocolEvent) : null;
            Activity.Current = disagreement ?? tracing.Current;
            metrics.Record(protocolEvent, change, current, duration);
            logger.Record(protocolEvent, duration);
            if (ends)
            {
                tracing.Record(protocolEvent, change, duration: duration, support: support);
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
