using Consensus.Protocol;
using Consensus.Agent.Storage;

namespace Consensus.Agent.Timeline;

/// <summary>
/// What one agent recorded of one run. Beyond <see cref="MaxEvents"/> the first <see cref="HeadEvents"/> stay and the
/// rest is a ring: how a run began and how it ended is what people look for.
/// </summary>
internal sealed class RunEventLog(RunId id, long startedAt)
{
    /// <summary>The events that one run holds.</summary>
    public const int MaxEvents = 20_000;

    /// <summary>Events of its beginning that are never overwritten.</summary>
    public const int HeadEvents = 4_000;

    /// <summary>How many rounds are remembered by this agent's value even where their messages are gone.</summary>
    public const int MaxRounds = 10_000;

    /// <summary>How often one unchanged message to or from one agent is recorded; repetitions hold nothing new.</summary>
    private const int MaxSame = 3;

    private readonly Dictionary<int, (RecordedEvent Last, int Count)> _same = [];
    private RecordedEvent[] _entries = [];
    private RoundMark[] _rounds = [];
    private int _count;
    private int _roundCount;

    /// <summary>This agent's value in one round, and when it entered.</summary>
    public readonly record struct RoundMark(int Round, int Value, long At);

    /// <summary>The run; none for the run of bare messages.</summary>
    public RunId Id { get; } = id;

    /// <summary>The id as it is asked for.</summary>
    public string Name { get; } = id.IsNone ? RunRecord.Bare : id.ToString();

    /// <summary>Null for the run of bare messages.</summary>
    public RunDescriptor? Descriptor { get; set; }

    /// <summary>µs since 1970: when this agent began to start the run, or joined it.</summary>
    public long StartedAt { get; } = startedAt;

    /// <summary>0 while undecided.</summary>
    public long DecidedAt { get; private set; }

    public int DecisionValue { get; private set; }

    public int DecisionRound { get; private set; }

    public int LastRound { get; private set; }

    public int Attempts { get; private set; }

    public int Sent { get; private set; }

    public bool Learner { get; private set; }

    /// <summary>The record to persist, with the core's decision.</summary>
    public RunRecord ToPersist(Decision? decision) => new(
        Descriptor, StartedAt, LastRound, Attempts, Sent, Learner,
        decision is null ? 0 : Math.Max(1, DecidedAt), decision?.Value ?? 0, decision?.Round ?? 0);

    /// <summary>The first message that belongs to it.</summary>
    public long FirstMessageId { get; set; }

    /// <summary>The first step of the record of inputs that belongs to it; 0: inputs are not recorded.</summary>
    public long FirstStep { get; init; }

    /// <summary>The last step that belongs to it.</summary>
    public long LastStep { get; set; }

    /// <summary>Events overwritten or given up.</summary>
    public int Dropped { get; private set; }

    public int Count => _count;

    public ReadOnlySpan<RoundMark> Rounds => _rounds.AsSpan(0, _roundCount);

    /// <summary>The summary of a run that an earlier process recorded; its events are gone.</summary>
    public static RunEventLog Restore(RunRecord record) => new(record.Run?.Id ?? RunId.None, record.StartedAtUs)
    {
        Descriptor = record.Run, LastRound = record.LastRound, Attempts = record.Attempts, Sent = record.Sent, Learner = record.Learner,
        DecidedAt = record.DecidedAtUs, DecisionValue = record.Value, DecisionRound = record.Round, FirstMessageId = long.MaxValue,
    };

    /// <summary>The run in short. A decision without a time, or one before the start by a clock that was set back, has no duration.</summary>
    public RunSummary Summary()
    {
        var decided = DecidedAt != 0;
        var last = decided ? DecisionRound : LastRound;
        return new RunSummary(
            Name, Descriptor?.Rule ?? Rule.Classic, Descriptor?.Draw ?? DrawStrategy.Fresh, StartedAt, Math.Max(0, last - (Descriptor?.StartRound ?? 1) + 1), Sent,
            decided && DecidedAt >= StartedAt ? (DecidedAt - StartedAt) / 1000.0 : null, decided ? DecisionValue : null, Learner, decided ? DecisionRound : null);
    }

    /// <summary>True where the same message to or from this agent was recorded often enough.</summary>
    public bool IsRepetition(in RecordedEvent entry)
    {
        // Sent and received are counted apart.
        var key = (entry.Other * 2) + (entry.Kind == TimelineEventKind.Sent ? 1 : 0);
        var count = _same.TryGetValue(key, out var same) && same.Last.IsRepetitionOf(entry) ? same.Count + 1 : 1;
        _same[key] = (entry, count);
        return count > MaxSame;
    }

    /// <returns>By how many events the log has grown: 0 or 1.</returns>
    public int Add(in RecordedEvent entry)
    {
        Summarize(entry);
        if (_count == MaxEvents)
        {
            _entries[HeadEvents + (Dropped++ % (MaxEvents - HeadEvents))] = entry;
            return 0;
        }

        Grow(ref _entries, _count, MaxEvents);
        _entries[_count++] = entry;
        return 1;
    }

    /// <summary>Drops the events and retains the summary.</summary>
    /// <returns>How many there were.</returns>
    public int GiveUp()
    {
        var count = _count;
        (_entries, _rounds, _count, _roundCount) = ([], [], 0, 0);
        _same.Clear();
        Dropped += count;
        return count;
    }

    /// <summary>The events in the order in which they were recorded.</summary>
    public List<RecordedEvent> Read()
    {
        var list = new List<RecordedEvent>(_count);
        var overwritten = _count == MaxEvents ? Dropped % (MaxEvents - HeadEvents) : 0;
        list.AddRange(_entries.AsSpan(0, Math.Min(_count, HeadEvents)));
        if (_count > HeadEvents)
        {
            list.AddRange(_entries.AsSpan(HeadEvents + overwritten, _count - HeadEvents - overwritten));
            list.AddRange(_entries.AsSpan(HeadEvents, overwritten));
        }

        return list;
    }

    private void Summarize(in RecordedEvent entry)
    {
        switch (entry.Kind)
        {
            case TimelineEventKind.Drew or TimelineEventKind.CaughtUp or TimelineEventKind.Adopted:
                LastRound = Math.Max(LastRound, entry.Round);
                Attempts = entry.Extra;
                if (_roundCount < MaxRounds)
                {
                    Grow(ref _rounds, _roundCount, MaxRounds);
                    _rounds[_roundCount++] = new RoundMark(entry.Round, entry.Value, entry.At);
                }

                break;
            case TimelineEventKind.Decided or TimelineEventKind.Learned when DecidedAt == 0:
                (DecidedAt, DecisionValue, DecisionRound) = (entry.At, entry.Value, entry.Round);
                break;
            case TimelineEventKind.JoinedAsLearner:
                Learner = true;
                break;
            case TimelineEventKind.Sent:
                Sent++;
                break;
        }
    }

    private static void Grow<T>(ref T[] array, int count, int most)
    {
        if (count == array.Length)
        {
            Array.Resize(ref array, Math.Min(most, Math.Max(32, count * 2)));
        }
    }
}
