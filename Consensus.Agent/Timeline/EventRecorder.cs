using Consensus.Agent.Peers;
using Consensus.Agent.Storage;
using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>
/// Records the events of one agent, bounded: the last <see cref="MaxRuns"/> runs, <see cref="RunEventLog.MaxEvents"/>
/// events of each and <see cref="MaxEvents"/> of all. The agent service calls the recording methods, one at a
/// time and in the order of things; any thread may read. Recording stores numbers; reading makes texts of them.
/// </summary>
/// <param name="agentId">This agent.</param>
/// <param name="boot">Its boot.</param>
/// <param name="time">Timestamps of it order the events, whatever happens to the wall clock.</param>
public sealed partial class EventRecorder(string agentId, string boot, TimeProvider time)
{
    /// <summary>The runs that the recorder holds.</summary>
    public const int MaxRuns = RunStore.HistoryLength;

    /// <summary>The events of all runs. The oldest runs lose theirs first, and retain their summary.</summary>
    public const int MaxEvents = 100_000;

    /// <summary>Events that the live stream can resume over.</summary>
    public const int MaxStreamed = 4_096;

    private const int MaxPending = 512;
    private const int MaxNames = 1_024;
    private const long PendingUs = 5_000_000;

    private readonly Lock _gate = new();
    private readonly long _baseUs = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10;
    private readonly long _baseTimestamp = time.GetTimestamp();

    // Newest last.
    private readonly List<RunEventLog> _logs = [];
    private readonly Queue<RecordedEvent> _pending = new();
    private readonly string?[] _names = new string?[MaxNames];
    private readonly Dictionary<string, short> _nameIndex = new(StringComparer.Ordinal);
    private readonly Dictionary<long, (RunEventLog? Log, RecordedEvent Sent)> _unrecorded = [];
    private readonly Dictionary<int, short> _peerNames = [];
    private RunDescriptor? _current;
    private RecordedEvent? _booted;
    private long _now;
    private long _startTakenUpAt;
    private long _lastId;
    private long _lastMessageId;
    private int _total;
    private int _nameCount = 1;

    /// <summary>This agent.</summary>
    public string AgentId => agentId;

    /// <summary>Its boot.</summary>
    public string Boot => boot;

    /// <summary>The id of a message on the wire.</summary>
    public string KeyOf(long messageId) => MessageId.Format(agentId, boot, messageId);

    /// <summary>What follows protocolEvent in one step: at one time, and after it <paramref name="current"/> is the run.</summary>
    public void OnStep(RunDescriptor? current)
    {
        _now = _baseUs + (time.GetElapsedTime(_baseTimestamp).Ticks / 10);
        _current = current;
    }

    /// <summary>The process started.</summary>
    public void Booted()
    {
        lock (_gate)
        {
            _booted = Stream(NewEntry(TimelineEventKind.Booted), null);
            if (_current is { } kept && LogOf(kept.Id) is { } log)
            {
                _total += log.Add(_booted.Value);
            }
        }
    }

    /// <summary>A request to start a run is taken up in this step: the run that this agent then names begins here.</summary>
    public void StartTakenUp() => _startTakenUpAt = _now;

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
            var log = protocolEvent.Kind == ProtocolEventKind.WasReset ? Newest : protocolEvent.Run.IsNone ? BareLog() : LogOf(protocolEvent.Run);
            if (log is not null)
            {
                Append(log, NewEntry(TimelineNames.KindOf(protocolEvent.Kind)) with { Round = protocolEvent.Round, Value = protocolEvent.Value, Extra = protocolEvent.Attempt, Other = NameIndex(protocolEvent.Other) });
            }

            return protocolEvent.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned or ProtocolEventKind.Restored && log is { DecidedAt: not 0 }
                ? TimeSpan.FromMicroseconds(log.DecidedAt - log.StartedAt)
                : null;
        }
    }

    /// <inheritdoc cref="Sent(int, string, Message, out bool)"/>
    public long Sent(int peer, string address, Message message) => Sent(peer, address, message, out _);

    /// <summary>A message goes out to a peer, of whom at least an address is known.</summary>
    /// <param name="peer">The peer's index.</param>
    /// <param name="address">The peer's address.</param>
    /// <param name="message">The message.</param>
    /// <param name="recorded">Whether it is recorded: a message repeated often enough is not, nor is a question for state.</param>
    /// <returns>Its number, for <see cref="KeyOf"/>, <see cref="Answered"/> and <see cref="Lost"/>.</returns>
    public long Sent(int peer, string address, Message message, out bool recorded)
    {
        recorded = true;
        lock (_gate)
        {
            if (!_peerNames.TryGetValue(peer, out var name))
            {
                _peerNames[peer] = name = NameIndex(address);
            }

            var id = ++_lastMessageId;
            var entry = NewEntry(TimelineEventKind.Sent, id, message) with { Other = name };
            if (message is Handshake or Reset)
            {
                Pend(entry);
            }
            else if (LogOf(message) is { } log)
            {
                // State queries and frequent repetitions are recorded only if the response holds new information.
                if (message is StateQuery || log.IsRepetition(entry))
                {
                    _unrecorded[id] = (log, entry);
                    recorded = false;
                }
                else
                {
                    Append(log, entry);
                }
            }

            return id;
        }
    }

    /// <summary>A message came in and was answered.</summary>
    /// <param name="key">How its sender named it; null where it did not.</param>
    /// <param name="message">The message.</param>
    /// <param name="answer">The answer it got.</param>
    public void Received(string? key, Message message, Response answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        if (message is StateQuery)
        {
            return;
        }

        lock (_gate)
        {
            var entry = NewEntry(TimelineEventKind.Received, 0, message) with { Status = RecordedEvent.WordIndex(answer.Status), Reason = RecordedEvent.WordIndex(answer.Reason) };
            if (TryReadKey(key, out var sender, out var senderBoot, out var id))
            {
                entry = entry with { Other = sender, Boot = senderBoot, MessageId = id };
            }
            else if (message.Sender is { } name)
            {
                entry = entry with { Other = NameIndex(name) };
            }

            if (message is Handshake or Reset)
            {
                Pend(entry);
            }
            else if (LogOf(message) is { } log && !log.IsRepetition(entry))
            {
                Append(log, entry);
            }
        }
    }

    /// <summary>A peer answered.</summary>
    public void Answered(long messageId, int peer, Message sent, Response answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        lock (_gate)
        {
            if (answer.AgentId is { } id)
            {
                _peerNames[peer] = NameIndex(id);
            }

            var (kind, round, value, extra) = RecordedEvent.News(answer);
            End(sent, NewEntry(TimelineEventKind.Answered, messageId) with
            {
                Other = _peerNames.GetValueOrDefault(peer), Message = kind, Round = round, Value = value, Extra = extra,
                Status = RecordedEvent.WordIndex(answer.Status), Reason = RecordedEvent.WordIndex(answer.Reason),
            });
        }
    }

    /// <summary>A peer did not answer.</summary>
    public void Lost(long messageId, int peer, Message sent)
    {
        lock (_gate)
        {
            End(sent, NewEntry(TimelineEventKind.Lost, messageId) with { Other = _peerNames.GetValueOrDefault(peer) });
        }
    }

    private RunEventLog? Newest => _logs.Count == 0 ? null : _logs[^1];

    private RecordedEvent NewEntry(TimelineEventKind kind) => new(++_lastId, _now, 0, 0, 0, 0, 0, 0, kind, MessageKind.None, 0, 0);

    private RecordedEvent NewEntry(TimelineEventKind kind, long messageId, Message? message = null)
    {
        var (what, round, value, extra) = message is null ? default : RecordedEvent.Describe(message);
        return NewEntry(kind) with { MessageId = messageId, Message = what, Round = round, Value = value, Extra = extra };
    }

    private void End(Message sent, RecordedEvent end)
    {
        if (_unrecorded.Remove(end.MessageId, out var unrecorded))
        {
            // Only a decision makes a repetition worth telling of.
            if (unrecorded.Log is { DecidedAt: 0 } undecided && end.Message == MessageKind.Final)
            {
                Append(undecided, unrecorded.Sent);
                Append(undecided, end);
            }
        }
        else if (sent is Handshake or Reset)
        {
            // Its run need not have a name yet, while the newest is still the one before.
            if (!IsPending(end.MessageId) && Newest is { } newest && end.MessageId >= newest.FirstMessageId)
            {
                Append(newest, end);
            }
            else
            {
                Pend(end);
            }
        }
        else if (sent is not StateQuery && LogOf(sent) is { } log)
        {
            Append(log, end);
        }
    }

    private void Append(RunEventLog log, in RecordedEvent entry)
    {
        _total += log.Add(Stream(entry, log));
        for (var i = 0; _total > MaxEvents && i < _logs.Count - 1; i++)
        {
            _total -= _logs[i].GiveUp();
        }
    }
}
