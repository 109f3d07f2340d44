using System.Diagnostics;
using Consensus.Agent.Storage;
using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>
/// The logs of one agent's runs: decides which run an event belongs to, and bounds the runs and the events. The caller
/// holds the recorder's lock.
/// </summary>
internal sealed class RunEventLogs(string agentId, string boot, EventStream stream)
{
    /// <summary>The runs that are held.</summary>
    public const int MaxRuns = RunStore.HistoryLength;

    /// <summary>The events of all runs. The oldest runs lose theirs first, and retain their summary.</summary>
    public const int MaxEvents = 100_000;

    private const int MaxPending = 512;
    private const long PendingUs = 5_000_000;

    // Newest last.
    private readonly List<RunEventLog> _logs = [];

    // Events from before a run has an id. They belong to the run that follows.
    private readonly Queue<RecordedEvent> _pending = new();
    private RunDescriptor? _current;
    private RecordedEvent? _booted;
    private long _startTakenUpAt;
    private long _lastMessageId;
    private int _total;

    /// <summary>The time of the current step, in µs since 1970.</summary>
    public long Now { get; private set; }

    /// <summary>The number of the current step in the record of inputs; 0: inputs are not recorded.</summary>
    public long Step { get; set; }

    /// <summary>All logs, oldest first.</summary>
    public IEnumerable<RunEventLog> All => _logs;

    /// <summary>The log of the newest run; null: there is none.</summary>
    public RunEventLog? Newest => _logs.Count == 0 ? null : _logs[^1];

    /// <summary>A step begins at <paramref name="now"/>, and after it <paramref name="current"/> is the run.</summary>
    public void OnStep(long now, RunDescriptor? current) => (Now, _current) = (now, current);

    /// <summary>The run that this agent creates next starts in this step.</summary>
    public void OnStartTakenUp() => _startTakenUpAt = Now;

    /// <summary>A message gets this number.</summary>
    public void OnMessageId(long messageId) => _lastMessageId = messageId;

    /// <summary>The process started.</summary>
    public void OnBooted(in RecordedEvent booted)
    {
        stream.Add(booted, null);
        _booted = booted;
        if (_current is { } recovered && Of(recovered.Id) is { } log)
        {
            _total += log.Add(booted);
        }
    }

    /// <summary>The log of the run that a message belongs to; null: none.</summary>
    public RunEventLog? Of(Message message) => message switch
    {
        { Run: { } run } => Of(run.Id),
        StateQuery => Newest,
        _ => _current is null ? OfBareRun() : null,
    };

    /// <summary>The log of a run; null: neither recorded nor the current run, whose log is made here.</summary>
    public RunEventLog? Of(RunId id)
    {
        if (Find(id) is { } found)
        {
            return found;
        }

        if (_current?.Id != id)
        {
            return null;
        }

        var log = Open(id, _current);
        if (_booted is { } booted && !(_current.Members.TryGetValue(agentId, out var member) && member == boot))
        {
            // An earlier process of this agent was in the run. So the run shows the restart.
            _total += log.Add(booted);
        }

        return log;
    }

    /// <summary>The log of the run of bare messages. There is at most one; a new one replaces the old one.</summary>
    public RunEventLog OfBareRun()
    {
        if (Newest is { Descriptor: null } newest)
        {
            return newest;
        }

        if (FindBare() is { } old)
        {
            _total -= old.GiveUp();
            _logs.Remove(old);
        }

        return Open(RunId.None, null);
    }

    /// <summary>The log of a recorded run; null: this agent does not know the run.</summary>
    public RunEventLog? Find(RunId id)
    {
        // A loop: the closure of a search would be allocated for each message.
        for (var i = _logs.Count - 1; i >= 0; i--)
        {
            if (_logs[i].Id == id)
            {
                return _logs[i];
            }
        }

        return null;
    }

    /// <summary>The log of the run of bare messages; null: there is none.</summary>
    public RunEventLog? FindBare() => _logs.FindLast(log => log.Descriptor is null);

    /// <summary>Adds an event to a run.</summary>
    public void Append(RunEventLog log, in RecordedEvent entry)
    {
        stream.Add(entry, log.Name);
        log.LastStep = Step;
        _total += log.Add(entry);
        for (var i = 0; _total > MaxEvents && i < _logs.Count - 1; i++)
        {
            _total -= _logs[i].GiveUp();
        }
    }

    /// <summary>Holds an event for the run that follows.</summary>
    public void Pend(in RecordedEvent entry)
    {
        if (_pending.Count == MaxPending)
        {
            _pending.Dequeue();
        }

        stream.Add(entry, null);
        _pending.Enqueue(entry);
    }

    /// <summary>Whether a sent message waits for the run that follows.</summary>
    public bool IsPending(long messageId) => _pending.Any(entry => entry.Kind == TimelineEventKind.Sent && entry.MessageId == messageId);

    /// <summary>Takes over the history of earlier processes, oldest first.</summary>
    public void Restore(IReadOnlyList<RunRecord> history) => _logs.AddRange(history.Select(RunEventLog.Restore));

    /// <summary>The record to persist of <paramref name="run"/>; null: of the run of bare messages.</summary>
    public RunRecord ToPersist(RunDescriptor? run, Decision? decision) =>
        ((run is null ? FindBare() : Find(run.Id)) ?? throw new UnreachableException("A run is recorded when it is joined.")).ToPersist(decision);

    /// <summary>Drops all runs.</summary>
    public void Clear()
    {
        _logs.Clear();
        _total = 0;
    }

    private RunEventLog Open(RunId id, RunDescriptor? descriptor)
    {
        if (_logs.Count == MaxRuns)
        {
            _total -= _logs[0].GiveUp();
            _logs.RemoveAt(0);
        }

        var isOwn = descriptor is not null && id.Initiator == agentId && id.Boot == boot;
        var log = new RunEventLog(id, isOwn && _startTakenUpAt != 0 ? _startTakenUpAt : Now)
        {
            Descriptor = descriptor, FirstMessageId = _lastMessageId + 1, FirstStep = Step, LastStep = Step,
        };
        _logs.Add(log);
        while (_pending.TryDequeue(out var entry))
        {
            if (Now - entry.At <= PendingUs)
            {
                log.FirstMessageId = entry.Kind == TimelineEventKind.Sent ? Math.Min(log.FirstMessageId, entry.MessageId) : log.FirstMessageId;
                _total += log.Add(entry);
            }
        }

        return log;
    }
}
