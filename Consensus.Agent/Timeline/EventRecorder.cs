using Consensus.Agent.Peers;
using Consensus.Agent.Storage;
using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>
/// Records the events of one agent. The agent service calls it in the order of events, one call at a time; any thread may
/// read by the <see cref="Reader"/>.
/// </summary>
public sealed class EventRecorder
{
    private readonly TimeProvider _time;
    private readonly long _baseUs;
    private readonly long _baseTimestamp;
    private readonly Lock _gate = new();
    private readonly NameTable _names = new();
    private readonly EventStream _stream;
    private readonly RunEventLogs _logs;

    // State queries and repetitions are recorded only if their response carries new information.
    private readonly Dictionary<long, (RunEventLog Log, RecordedEvent Sent)> _unrecorded = [];
    private readonly Dictionary<int, short> _peerNames = [];

    /// <summary>Makes a recorder.</summary>
    /// <param name="agentId">This agent.</param>
    /// <param name="boot">This agent's boot.</param>
    /// <param name="time">The clock. Its timestamps order the events even where its wall clock is set back.</param>
    public EventRecorder(string agentId, string boot, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_time, _baseUs, _baseTimestamp) = (time, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10, time.GetTimestamp());
        _stream = new EventStream(_gate, _names, time);
        _logs = new RunEventLogs(agentId, boot, _stream);
        Reader = new TimelineReader(agentId, boot, _gate, _logs, _names, _stream);
    }

    /// <summary>Reads what this recorder records.</summary>
    public TimelineReader Reader { get; }

    /// <summary>Records from now on what the core is given, too, so that <see cref="TimelineReader"/> can re-execute it.</summary>
    /// <param name="log">Where to.</param>
    /// <param name="rules">The rules that the core follows; null: those that are proved.</param>
    public void RecordInputs(InputLog log, SafetyRules? rules = null) => Reader.Inputs = new RecordedInputs(log, rules);

    /// <summary>The core took an input in this step.</summary>
    /// <param name="input">The input.</param>
    /// <param name="effects">What the core made of it.</param>
    /// <param name="key">The sender's id of the message (<see cref="MessageId"/>); null: it has none.</param>
    /// <param name="messageId">Of a response or failure: the number of this agent's message.</param>
    public void Given(Input input, IReadOnlyList<Effect> effects, string? key = null, long messageId = 0)
    {
        lock (_gate)
        {
            if (Reader.Inputs?.Log is { } log)
            {
                (string, string)? cause = null;
                if (key is not null && MessageId.TryParse(key, out var sender, out var boot, out var number))
                {
                    (cause, messageId) = ((sender.ToString(), boot.ToString()), number);
                }

                log.Add(_logs.Now, input, effects, cause, messageId);
                _logs.Step = log.LastStep;
            }
        }
    }

    /// <summary>A step begins: its events have one time, and after it <paramref name="current"/> is the run.</summary>
    public void OnStep(RunDescriptor? current) => _logs.OnStep(_baseUs + (_time.GetElapsedTime(_baseTimestamp).Ticks / 10), current);

    /// <summary>This agent takes up a request to start a run in this step: the run that it then creates starts here.</summary>
    public void StartTakenUp() => _logs.OnStartTakenUp();

    /// <summary>The process started.</summary>
    public void Booted()
    {
        lock (_gate)
        {
            _logs.OnBooted(NewEntry(TimelineEventKind.Booted));
        }
    }

    /// <summary>The core reported an event.</summary>
    /// <returns>
    /// Of a decision, how long it took at this agent: from the start of the run to the decision. The run starts when this
    /// agent takes up the request to start it, and at the others when they join.
    /// </returns>
    public TimeSpan? Record(ProtocolEvent protocolEvent)
    {
        ArgumentNullException.ThrowIfNull(protocolEvent);
        lock (_gate)
        {
            var log = protocolEvent.Kind == ProtocolEventKind.WasReset ? _logs.Newest : protocolEvent.Run.IsNone ? _logs.OfBareRun() : _logs.Of(protocolEvent.Run);
            if (log is not null)
            {
                _logs.Append(log, NewEntry((TimelineEventKind)protocolEvent.Kind) with
                {
                    Round = protocolEvent.Round, Value = protocolEvent.Value, Extra = protocolEvent.Attempt, Other = _names.IndexOf(protocolEvent.Other),
                });
            }

            return protocolEvent.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned or ProtocolEventKind.Restored && log is { DecidedAt: not 0 }
                ? TimeSpan.FromMicroseconds(log.DecidedAt - log.StartedAt)
                : null;
        }
    }

    /// <summary>This agent sends a message to a peer.</summary>
    /// <param name="messageId">The message's number, higher than all before.</param>
    /// <param name="peer">The peer's index.</param>
    /// <param name="address">The peer's address, which names it until its first response.</param>
    /// <param name="message">The message.</param>
    /// <returns>Whether the message is recorded: a state query is not, nor is a message repeated often enough.</returns>
    public bool Sent(long messageId, int peer, string address, Message message)
    {
        lock (_gate)
        {
            if (!_peerNames.TryGetValue(peer, out var name))
            {
                _peerNames[peer] = name = _names.IndexOf(address);
            }

            _logs.OnMessageId(messageId);
            var entry = NewEntry(TimelineEventKind.Sent, messageId, message) with { Other = name };
            if (message is Handshake or Reset)
            {
                _logs.Pend(entry);
            }
            else if (_logs.Of(message) is { } log)
            {
                if (message is StateQuery || log.IsRepetition(entry))
                {
                    _unrecorded[messageId] = (log, entry);
                    return false;
                }

                _logs.Append(log, entry);
            }

            return true;
        }
    }

    /// <summary>A message arrived and got a response.</summary>
    /// <param name="key">The sender's id of the message (<see cref="MessageId"/>); null: it has none.</param>
    /// <param name="message">The message.</param>
    /// <param name="response">The response.</param>
    public void Received(string? key, Message message, Response response)
    {
        ArgumentNullException.ThrowIfNull(response);
        if (message is StateQuery)
        {
            return;
        }

        lock (_gate)
        {
            var entry = NewEntry(TimelineEventKind.Received, 0, message) with { Status = response.Status, Reason = response.Reason };
            if (MessageId.TryParse(key, out var sender, out var boot, out var messageId))
            {
                entry = entry with { Other = _names.IndexOf(sender), Boot = _names.IndexOf(boot), MessageId = messageId };
            }
            else if (message.Sender is { } name)
            {
                entry = entry with { Other = _names.IndexOf(name) };
            }

            if (message is Handshake or Reset)
            {
                _logs.Pend(entry);
            }
            else if (_logs.Of(message) is { } log && !log.IsRepetition(entry))
            {
                _logs.Append(log, entry);
            }
        }
    }

    /// <summary>A peer responded to a message.</summary>
    public void Responded(long messageId, int peer, Message sent, Response response)
    {
        ArgumentNullException.ThrowIfNull(response);
        lock (_gate)
        {
            if (response.AgentId is { } id)
            {
                _peerNames[peer] = _names.IndexOf(id);
            }

            var (kind, round, value, extra) = response.Carried;
            End(sent, NewEntry(TimelineEventKind.Answered, messageId) with
            {
                Other = _peerNames.GetValueOrDefault(peer), Message = kind, Round = round, Value = value, Extra = extra,
                Status = response.Status, Reason = response.Reason,
            });
        }
    }

    /// <summary>A peer did not respond to a message.</summary>
    public void Lost(long messageId, int peer, Message sent)
    {
        lock (_gate)
        {
            End(sent, NewEntry(TimelineEventKind.Lost, messageId) with { Other = _peerNames.GetValueOrDefault(peer) });
        }
    }

    /// <summary>Blocks readers until the events recorded meanwhile are persisted.</summary>
    internal Lock.Scope Hold() => _gate.EnterScope();

    /// <summary>Takes over the history of earlier processes, oldest first. Called before anything is recorded.</summary>
    internal void Restore(IReadOnlyList<RunRecord> history)
    {
        lock (_gate)
        {
            _logs.Restore(history);
        }
    }

    /// <inheritdoc cref="RunEventLogs.ToPersist"/>
    internal RunRecord ToPersist(RunDescriptor? run, Decision? decision)
    {
        lock (_gate)
        {
            return _logs.ToPersist(run, decision);
        }
    }

    /// <summary>Drops all events: some could not be persisted, and no reader may see those.</summary>
    internal void Forget()
    {
        lock (_gate)
        {
            _logs.Clear();
            _stream.Clear();
            Reader.Inputs = null;
        }
    }

    private RecordedEvent NewEntry(TimelineEventKind kind) => new(_stream.NextId(), _logs.Now, 0, 0, 0, 0, 0, 0, kind, MessageKind.None, ResponseStatus.Unknown, null);

    private RecordedEvent NewEntry(TimelineEventKind kind, long messageId, Message? message = null)
    {
        var (what, round, value, extra) = message?.Content ?? default;
        return NewEntry(kind) with { MessageId = messageId, Message = what, Round = round, Value = value, Extra = extra };
    }

    private void End(Message sent, RecordedEvent end)
    {
        if (_unrecorded.Remove(end.MessageId, out var unrecorded))
        {
            // Of what a repetition brings, only a decision is new information.
            if (unrecorded.Log.DecidedAt == 0 && end.Message == MessageKind.Final)
            {
                _logs.Append(unrecorded.Log, unrecorded.Sent);
                _logs.Append(unrecorded.Log, end);
            }
        }
        else if (sent is Handshake or Reset)
        {
            // Its run need not have an id yet, while the newest is still the one before.
            if (!_logs.IsPending(end.MessageId) && _logs.Newest is { } newest && end.MessageId >= newest.FirstMessageId)
            {
                _logs.Append(newest, end);
            }
            else
            {
                _logs.Pend(end);
            }
        }
        else if (sent is not StateQuery && _logs.Of(sent) is { } log)
        {
            _logs.Append(log, end);
        }
    }
}
