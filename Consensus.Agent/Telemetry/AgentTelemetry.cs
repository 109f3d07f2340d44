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
    public void Received(Message message, Answer answer) => metrics.Message(message, answer, sent: false);

    /// <summary>A peer answered a message, or did not: then <paramref name="answer"/> is null.</summary>
    public void Sent(int peer, Message message, Answer? answer)
    {
        metrics.Message(message, answer, sent: true);
        if (answer is not null && IsTraced)
        {
            tracing.Answered(peer, message);
        }
    }

    /// <summary>A decision could not be written, so this agent sends nothing more.</summary>
    public void NotKept(string why) => logger.NotKept(why);

    /// <summary>The current run cannot go on, for this reason; null: it can.</summary>
    public void Stalled(RunDescriptor? run, string? reason) => logger.Stalled(run, reason);

    /// <summary>A request to start a run is taken up.</summary>
    public void StartTakenUp(ActivityContext caller) => Clean(() => tracing.StartTakenUp(caller));

    /// <summary>The request taken up has ended.</summary>
    public void StartEnded(StartOutcome outcome) => Clean(() => tracing.StartEnded(outcome switch
    {
        RunStarted => null,
        TooFewAnswered few => $"no answer of {string.Join(", ", few.Missing)}",
        SameId same => $"two agents have the id {same.AgentId}",
        ClusterSizeMismatch mismatch => $"cluster sizes differ: {string.Join(", ", mismatch.Sizes.Select(size => $"{size.Key} {size.Value}"))}",
        OriginalPeer original => $"{original.Peer} knows no ratified rule",
        _ => "too many starts",
    }));

    /// <summary>Follows one event. Called in the order of events.</summary>
    /// <param name="happened">The event.</param>
    /// <param name="current">The run after it.</param>
    /// <param name="input">What caused it.</param>
    /// <param name="duration">Of a decision: from the start of the run to the decision.</param>
    public void Happened(Happened happened, RunDescriptor? current, Input input, TimeSpan? duration)
    {
        if (!IsTraced)
        {
            metrics.Happened(happened, current, duration);
            logger.Happened(happened, duration);
        }
        else
        {
            Trace(happened, current, input, duration);
        }
    }

    // A method of its own: its closure would otherwise be allocated where nothing is traced.
    private void Trace(Happened happened, RunDescriptor? current, Input input, TimeSpan? duration)
    {
        var received = input is Received;
        ActivityContext cause = default;
        if (input is Answered { Answer.Traceparent: { } traceparent })
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
            var ends = happened.Kind is Happening.Decided or Happening.Learned or Happening.WasReset;
            if (!ends)
            {
                tracing.Happened(happened, current, cause, received);
            }

            Activity.Current = tracing.Current;
            metrics.Happened(happened, current, duration);
            logger.Happened(happened, duration);
            if (ends)
            {
                tracing.Happened(happened, current, duration: duration);
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
