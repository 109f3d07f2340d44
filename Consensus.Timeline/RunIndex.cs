using System.Diagnostics;
using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>
/// The runs of one agent in short, and which steps belong to each. It bounds the runs. The caller holds the recorder's lock.
/// </summary>
public sealed class RunIndex
{
    /// <summary>The runs that are held.</summary>
    public const int MaxRuns = 100;

    // Newest last.
    private readonly List<RecordedRun> _runs = [];

    private readonly InputLog _log;
    private readonly RunAttribution<(long Step, bool IsSent)> _attribution;
    private readonly Repetitions<int> _sent = new();
    private long _startTakenUpAt;
    private (RecordedRun? Run, RunRecord? Record) _persisted;

    /// <summary>Makes an index without runs.</summary>
    /// <param name="log">What the agent's core is given.</param>
    public RunIndex(InputLog log) => (_log, _attribution) = (log, new(id => Find(id) is not null, OnOpen));

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
        Now = now;
        _attribution.OnStep(now, _log.CurrentRun);
        switch (input)
        {
            case MessageReceived { Message: Handshake or Reset }:
                _attribution.Hold((_log.LastStep, false));
                break;
            case ResponseReceived { Sent: Handshake or Reset } or RequestFailed { Sent: Handshake or Reset }
                or ResponseReceived { Sent: StateQuery, Response.Decision: not null }:
                Newest?.Take(_log.LastStep);
                break;
            case { RelatedMessage: { } message and not StateQuery }:
                Find(_attribution.Of(message))?.Take(_log.LastStep);
                break;
            case Started:
                BootedAt = now;
                Find(_log.CurrentRun?.Id)?.Take(_log.LastStep);
                break;
        }
    }

    /// <summary>The run that this agent creates next starts now.</summary>
    public void OnStartTakenUp(long now) => _startTakenUpAt = now;

    /// <summary>The core reported an event in this step.</summary>
    /// <returns>The run that it belongs to; null: none.</returns>
    public RecordedRun? Take(ProtocolEvent protocolEvent)
    {
        var run = Find(_attribution.Of(protocolEvent));
        run?.Take(_log.LastStep);
        run?.Take(protocolEvent, Now);
        return run;
    }

    /// <summary>The core sends a message in this step.</summary>
    /// <returns>Whether the timeline shows it: not a state query, nor a message repeated often enough.</returns>
    public bool TakeSent(int peer, Message message)
    {
        if (message is Handshake or Reset)
        {
            _attribution.Hold((_log.LastStep, true));
            return true;
        }

        if (message is StateQuery)
        {
            return false;
        }

        if (Find(_attribution.Of(message)) is { } run)
        {
            if (_sent.Add(peer, message))
            {
                return false;
            }

            run.Take(_log.LastStep);
            run.Sent++;
        }

        return true;
    }

    /// <summary>The recorded run, none for that of bare messages; null: this agent does not know the run.</summary>
    public RecordedRun? Find(RunId? id)
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

    /// <summary>Takes over the history of earlier processes, oldest first.</summary>
    public void Restore(IReadOnlyList<RunRecord> history)
    {
        _runs.AddRange(history.Select(RecordedRun.Restore));
        _attribution.Newest = Newest?.Id;
        _persisted = (Newest, history.Count == 0 ? null : history[^1]);
    }

    /// <summary>
    /// The records that changed since the last call, oldest first: of the run that was newest then, and of those that began after it.
    /// </summary>
    /// <param name="now">What the core persists.</param>
    public List<RunRecord> ToPersist(Restored now)
    {
        var records = new List<RunRecord>(2);
        for (var i = Math.Max(0, _persisted.Run is { } last ? _runs.LastIndexOf(last) : 0); i < _runs.Count; i++)
        {
            var run = _runs[i];
            var record = run.ToPersist(run.Id == (now.Run?.Id ?? RunId.None) ? now.Decision : run.Decision);

            // A run of bare messages is persisted once it is decided.
            if ((run.Descriptor is not null || record.Decision is not null) && record != _persisted.Record)
            {
                records.Add(record);
            }

            _persisted = (run, record);
        }

        return records;
    }

    /// <summary>Drops all runs.</summary>
    public void Clear() => _runs.Clear();

    private void OnOpen(RunId id)
    {
        if (id.IsNone)
        {
            // There is at most one; a new one replaces the old one.
            _runs.RemoveAll(run => run.Id.IsNone);
        }

        var opened = Find(id) ?? Add(id);
        foreach (var (step, isSent) in _attribution.Release())
        {
            opened.Take(step);
            opened.Sent += isSent ? 1 : 0;
        }

        opened.Take(_log.LastStep);
        _log.KeepFrom(opened.FirstStep);
        _sent.Clear();
    }

    private RecordedRun Add(RunId id)
    {
        if (_runs.Count == MaxRuns)
        {
            _runs.RemoveAt(0);
        }

        foreach (var old in _runs)
        {
            if (old.LastStep < _log.FirstStep)
            {
                old.DropRounds();
            }
        }

        var descriptor = id.IsNone ? null : _log.CurrentRun;
        var isOwn = id.Initiator == _log.AgentId && id.Boot == _log.Boot;
        _runs.Add(new RecordedRun(id, isOwn && _startTakenUpAt != 0 ? _startTakenUpAt : Now) { Descriptor = descriptor });
        return _runs[^1];
    }
}
