using System.Diagnostics;
using Consensus.Agent.Storage;
using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>
/// The runs of one agent in short. It decides which run a step belongs to, and bounds the runs. The caller holds the recorder's lock.
/// </summary>
internal sealed class RunIndex(InputLog log)
{
    /// <summary>The runs that are held.</summary>
    public const int MaxRuns = RunStore.HistoryLength;

    // Newest last.
    private readonly List<RecordedRun> _runs = [];

    // Steps of handshakes. They belong to the run that follows.
    private readonly Queue<(long Step, long At, bool IsSent)> _pending = new();
    private readonly Repetitions<int> _sent = new();
    private RunDescriptor? _current;
    private long _startTakenUpAt;

    /// <summary>The time of the current step, in µs since 1970.</summary>
    public long Now { get; private set; }

    /// <summary>When the process started, in µs since 1970; 0: not yet.</summary>
    public long BootedAt { get; private set; }

    /// <summary>All runs, oldest first.</summary>
    public IEnumerable<RecordedRun> All => _runs;

    /// <summary>The newest run; null: there is none.</summary>
    public RecordedRun? Newest => _runs.Count == 0 ? null : _runs[^1];

    /// <summary>A step was recorded.</summary>
    public void OnStep(long now, Input input)
    {
        (Now, _current) = (now, log.CurrentRun);
        switch (input)
        {
            case MessageReceived { Message: Handshake or Reset }:
                Pend(isSent: false);
                break;
            case ResponseReceived { Sent: Handshake or Reset } or RequestFailed { Sent: Handshake or Reset }
                or ResponseReceived { Sent: StateQuery, Response.Decision: not null }:
                Newest?.Take(log.LastStep);
                break;
            case { RelatedMessage: { } message and not StateQuery }:
                Of(message)?.Take(log.LastStep);
                break;
            case Started:
                BootedAt = now;
                (_current is null ? null : Of(_current.Id))?.Take(log.LastStep);
                break;
        }
    }

    /// <summary>The run that this agent creates next starts in this step.</summary>
    public void OnStartTakenUp() => _startTakenUpAt = Now;

    /// <summary>The core reported an event in this step.</summary>
    /// <returns>The run that it belongs to; null: none.</returns>
    public RecordedRun? Take(ProtocolEvent protocolEvent)
    {
        var run = protocolEvent.Kind == ProtocolEventKind.WasReset ? Newest
            : protocolEvent.Run.IsNone ? OfBareRun() : Of(protocolEvent.Run);
        run?.Take(log.LastStep);
        run?.Take(protocolEvent, Now);
        return run;
    }

    /// <summary>The core sends a message in this step.</summary>
    /// <returns>Whether the timeline shows it: not a state query, nor a message repeated often enough.</returns>
    public bool TakeSent(int peer, Message message)
    {
        if (message is Handshake or Reset)
        {
            Pend(isSent: true);
            return true;
        }

        if (message is StateQuery)
        {
            return false;
        }

        if (Of(message) is { } run)
        {
            if (_sent.Add(peer, message))
            {
                return false;
            }

            run.Take(log.LastStep);
            run.Sent++;
        }

        return true;
    }

    /// <summary>The recorded run; null: this agent does not know the run.</summary>
    public RecordedRun? Find(RunId id)
    {
        // A loop: the closure of a search would be allocated for each message.
        for (var i = _runs.Count - 1; i >= 0; i--)
        {
            if (_runs[i].Id == id)
            {
                return _runs[i];
            }
        }

        return null;
    }

    /// <summary>The run of bare messages; null: there is none.</summary>
    public RecordedRun? FindBare() => _runs.FindLast(run => run.Descriptor is null);

    /// <summary>Takes over the history of earlier processes, oldest first.</summary>
    public void Restore(IReadOnlyList<RunRecord> history) => _runs.AddRange(history.Select(RecordedRun.Restore));

    /// <summary>The record to persist of <paramref name="run"/>; null: of the run of bare messages.</summary>
    public RunRecord ToPersist(RunDescriptor? run, Decision? decision) =>
        ((run is null ? FindBare() : Find(run.Id)) ?? throw new UnreachableException("A run is recorded when it is joined."))
            .ToPersist(decision);

    /// <summary>Drops all runs.</summary>
    public void Clear() => _runs.Clear();

    private RecordedRun? Of(Message message) =>
        message.Run is { } run ? Of(run.Id) : _current is null ? OfBareRun() : null;

    /// <summary>A run; null: neither recorded nor the current run, whose record begins here.</summary>
    private RecordedRun? Of(RunId id) => Find(id) ?? (_current?.Id == id ? Open(id, _current) : null);

    /// <summary>The run of bare messages. There is at most one; a new one replaces the old one.</summary>
    private RecordedRun OfBareRun()
    {
        if (Newest is { Descriptor: null } newest)
        {
            return newest;
        }

        _runs.RemoveAll(run => run.Descriptor is null);
        return Open(RunId.None, null);
    }

    private RecordedRun Open(RunId id, RunDescriptor? descriptor)
    {
        if (_runs.Count == MaxRuns)
        {
            _runs.RemoveAt(0);
        }

        foreach (var old in _runs)
        {
            if (old.LastStep < log.FirstStep)
            {
                old.DropRounds();
            }
        }

        var isOwn = descriptor is not null && id.Initiator == log.AgentId && id.Boot == log.Boot;
        var run = new RecordedRun(id, isOwn && _startTakenUpAt != 0 ? _startTakenUpAt : Now) { Descriptor = descriptor };
        while (_pending.TryDequeue(out var pending))
        {
            if (EventProjector.IsOfNextRun(pending.At, Now))
            {
                run.Take(pending.Step);
                run.Sent += pending.IsSent ? 1 : 0;
            }
        }

        run.Take(log.LastStep);
        log.KeepFrom(run.FirstStep);
        _sent.Clear();
        _runs.Add(run);
        return run;
    }

    private void Pend(bool isSent)
    {
        if (_pending.Count == EventProjector.MaxPending)
        {
            _pending.Dequeue();
        }

        _pending.Enqueue((log.LastStep, Now, isSent));
    }
}
