using Consensus.Agent.Peers;
using Consensus.Protocol;
using Consensus.Timeline;

namespace Consensus.Agent.Recorder;

/// <summary>
/// Records what one agent's core is given. Events and states are made from that when somebody reads. The agent service calls it in the
/// order of steps, one call at a time; any thread may read by the <see cref="Reader"/>.
/// </summary>
internal sealed class EventRecorder
{
    private readonly TimeProvider _time;
    private readonly long _baseUs;
    private readonly long _baseTimestamp;
    private readonly Lock _gate = new();
    private readonly InputLog _log;
    private readonly RunIndex _runs;
    private readonly EventStream _stream;

    /// <summary>Makes a recorder.</summary>
    /// <param name="log">What the agent's core is given from now on.</param>
    /// <param name="time">The clock. Its timestamps order the events even where its wall clock is set back.</param>
    /// <param name="rules">The rules that the core follows; null: those that are proved.</param>
    public EventRecorder(InputLog log, TimeProvider time, SafetyRules? rules = null)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_time, _baseUs, _baseTimestamp) = (time, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10, time.GetTimestamp());
        _log = log;
        _runs = new RunIndex(log);
        _stream = new EventStream(_gate, log, _runs, time, rules);
        Reader = new TimelineReader(_gate, _runs, log, _stream, rules);
    }

    /// <summary>Reads what this recorder records.</summary>
    public TimelineReader Reader { get; }

    /// <summary>The core has taken an input.</summary>
    /// <param name="input">The input.</param>
    /// <param name="effects">What the core made of it.</param>
    /// <param name="key">The sender's id of the message (<see cref="MessageId"/>); null: it has none.</param>
    /// <param name="messageId">Of a response or failure: the number of this agent's message.</param>
    /// <returns>The number of the first message that the step sends; the others follow it in the order of the effects.</returns>
    public long OnStep(Input input, IReadOnlyList<Effect> effects, string? key = null, long messageId = 0)
    {
        lock (_gate)
        {
            var first = _log.LastMessageId + 1;
            var now = NowUs();
            if (MessageId.TryParse(key, out var sender, out var boot, out var number))
            {
                _log.Add(now, input, effects, sender, boot, number);
            }
            else
            {
                _log.Add(now, input, effects, messageId: messageId);
            }

            _runs.OnStep(now, input);
            _stream.OnStep();
            return first;
        }
    }

    /// <summary>This agent takes up a request to start a run: the run that it then creates starts now.</summary>
    public void StartTakenUp() => _runs.OnStartTakenUp(NowUs());

    /// <summary>The core reported an event in this step.</summary>
    /// <returns>
    /// Of a decision, how long it took at this agent: from the start of the run to the decision. The run starts when this
    /// agent takes up the request to start it, and at the others when they join.
    /// </returns>
    public TimeSpan? Record(ProtocolEvent protocolEvent)
    {
        ArgumentNullException.ThrowIfNull(protocolEvent);
        lock (_gate)
        {
            var run = _runs.Take(protocolEvent);
            return protocolEvent.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned or ProtocolEventKind.Restored
                && run is { DecidedAt: not 0 }
                ? TimeSpan.FromMicroseconds(run.DecidedAt - run.StartedAt)
                : null;
        }
    }

    /// <summary>The core sends a message in this step.</summary>
    /// <param name="peer">The peer's index.</param>
    /// <param name="message">The message.</param>
    /// <returns>Whether the timeline shows it: not a state query, nor a message repeated often enough.</returns>
    public bool Sent(int peer, Message message)
    {
        lock (_gate)
        {
            return _runs.TakeSent(peer, message);
        }
    }

    private long NowUs() => _baseUs + (_time.GetElapsedTime(_baseTimestamp).Ticks / 10);

    /// <summary>Blocks readers until the steps recorded meanwhile are persisted.</summary>
    internal Lock.Scope Hold() => _gate.EnterScope();

    /// <summary>Takes over the history of earlier processes, oldest first. Called before anything is recorded.</summary>
    internal void Restore(IReadOnlyList<RunRecord> history)
    {
        lock (_gate)
        {
            _runs.Restore(history);
        }
    }

    /// <inheritdoc cref="RunIndex.ToPersist"/>
    internal List<RunRecord> ToPersist(Restored now)
    {
        lock (_gate)
        {
            return _runs.ToPersist(now);
        }
    }

    /// <summary>Drops all that is recorded: some could not be persisted, and no reader may see that.</summary>
    internal void Forget()
    {
        lock (_gate)
        {
            _log.Clear();
            _runs.Clear();
        }
    }
}
