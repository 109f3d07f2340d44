using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>Which run an event belongs to.</summary>
public sealed partial class EventRecorder
{
    private RunEventLog? LogOf(Message message) => message switch
    {
        { Run: { } run } => LogOf(run.Id),
        StateQuery => Newest,
        _ => _current is null ? BareLog() : null,
    };

    /// <summary>A run's log; made where it is the current run.</summary>
    private RunEventLog? LogOf(RunId id)
    {
        for (var i = _logs.Count - 1; i >= 0; i--)
        {
            if (_logs[i].Id == id)
            {
                return _logs[i];
            }
        }

        if (_current?.Id != id)
        {
            return null;
        }

        var log = Open(id, _current);
        if (_booted is { } booted && !(_current.Members.TryGetValue(agentId, out var member) && member == boot))
        {
            // It was there before, and has forgotten: the run shows the restart.
            _total += log.Add(booted);
        }

        return log;
    }

    /// <summary>There is one run of bare messages at most; a new one takes the place of the old.</summary>
    private RunEventLog BareLog()
    {
        if (Newest is { Descriptor: null } newest)
        {
            return newest;
        }

        if (_logs.Find(log => log.Descriptor is null) is { } old)
        {
            _total -= old.GiveUp();
            _logs.Remove(old);
        }

        return Open(RunId.None, null);
    }

    private RunEventLog Open(RunId id, RunDescriptor? descriptor)
    {
        if (_logs.Count == MaxRuns)
        {
            _total -= _logs[0].GiveUp();
            _logs.RemoveAt(0);
        }

        var isOwn = descriptor is not null && id.Initiator == agentId && id.Boot == boot;
        var log = new RunEventLog(id, isOwn && _startTakenUpAt != 0 ? _startTakenUpAt : _now) { Descriptor = descriptor, FirstMessageId = _lastMessageId + 1 };
        _logs.Add(log);
        while (_pending.TryDequeue(out var entry))
        {
            if (_now - entry.At <= PendingUs)
            {
                log.FirstMessageId = entry.Kind == TimelineEventKind.Sent ? Math.Min(log.FirstMessageId, entry.MessageId) : log.FirstMessageId;
                _total += log.Add(entry);
            }
        }

        return log;
    }

    /// <summary>What comes before a run has a name belongs to the run that follows.</summary>
    private void Pend(in RecordedEvent entry)
    {
        if (_pending.Count == MaxPending)
        {
            _pending.Dequeue();
        }

        _pending.Enqueue(Stream(entry, null));
    }

    private bool IsPending(long messageId) => _pending.Any(entry => entry.Kind == TimelineEventKind.Sent && entry.MessageId == messageId);
}
