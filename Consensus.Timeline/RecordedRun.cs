using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>One run in short, as one agent recorded it, and which recorded steps belong to it.</summary>
public sealed class RecordedRun(RunId id, long startedAt)
{
    /// <summary>How many rounds are remembered by this agent's value even where their steps are gone.</summary>
    public const int MaxRounds = 10_000;

    private RoundMark[] _rounds = [];
    private int _roundCount;

    /// <summary>This agent's value in one round, and when it entered.</summary>
    public readonly record struct RoundMark(int Round, int Value, long At);

    /// <summary>The run; none for the run of bare messages.</summary>
    public RunId Id { get; } = id;

    /// <summary>The id by which callers ask for the run.</summary>
    public string Name { get; } = NameOf(id);

    /// <summary>Null for the run of bare messages.</summary>
    public RunDescriptor? Descriptor { get; init; }

    /// <summary>µs since 1970: when this agent began to start the run, or joined it.</summary>
    public long StartedAt { get; } = startedAt;

    /// <summary>0 while undecided.</summary>
    public long DecidedAt { get; private set; }

    /// <summary>The value that it decided; 0 while undecided.</summary>
    public int DecisionValue { get; private set; }

    /// <summary>The round of the decision; 0 while undecided.</summary>
    public int DecisionRound { get; private set; }

    /// <summary>Null while undecided.</summary>
    public Decision? Decision => DecidedAt == 0 ? null : new Decision(DecisionValue, DecisionRound, Descriptor?.Id);

    /// <summary>The last round that this agent entered; 0: none.</summary>
    public int LastRound { get; private set; }

    /// <summary>Values that this agent drew.</summary>
    public int Attempts { get; private set; }

    /// <summary>Messages that this agent sent in it. Repetitions do not count.</summary>
    public int Sent { get; internal set; }

    /// <summary>Whether this agent takes no part in it.</summary>
    public bool Learner { get; private set; }

    /// <summary>The first step that belongs to it, of this process; 0: none does.</summary>
    public long FirstStep { get; private set; }

    /// <summary>The last step that belongs to it.</summary>
    public long LastStep { get; private set; }

    /// <summary>The rounds that this agent entered, in order.</summary>
    public ReadOnlySpan<RoundMark> Rounds => _rounds.AsSpan(0, _roundCount);

    /// <summary>The name of a run; of the run of bare messages, for no id.</summary>
    public static string NameOf(RunId id) => id.IsNone ? RunRecord.AnonymousRun : id.ToString();

    /// <summary>The summary of a run that an earlier process recorded; its steps are gone.</summary>
    internal static RecordedRun Restore(RunRecord record) => new(record.Run?.Id ?? RunId.None, record.StartedAtUs)
    {
        Descriptor = record.Run, LastRound = record.LastRound, Attempts = record.Attempts, Sent = record.Sent, Learner = record.Learner,
        DecidedAt = record.DecidedAtUs, DecisionValue = record.Value, DecisionRound = record.Round,
    };

    /// <summary>The record to persist, with the core's decision.</summary>
    internal RunRecord ToPersist(Decision? decision) => new(
        Descriptor, StartedAt, LastRound, Attempts, Sent, Learner,
        decision is null ? 0 : Math.Max(1, DecidedAt), decision?.Value ?? 0, decision?.Round ?? 0);

    /// <summary>
    /// The run in short. A decision without a time, or one before the start by a clock that was set back, has no duration.
    /// </summary>
    public RunSummary Summary()
    {
        var decided = DecidedAt != 0;
        var last = decided ? DecisionRound : LastRound;
        return new RunSummary(
            Name, Descriptor?.Rule ?? Rule.Classic, Descriptor?.Draw ?? DrawStrategy.Fresh,
            StartedAt, Math.Max(0, last - (Descriptor?.StartRound ?? 1) + 1), Sent,
            decided && DecidedAt >= StartedAt ? (DecidedAt - StartedAt) / 1000.0 : null,
            decided ? DecisionValue : null, Learner, decided ? DecisionRound : null);
    }

    /// <summary>A step belongs to it.</summary>
    internal void Take(long step) => (FirstStep, LastStep) = (FirstStep == 0 ? step : FirstStep, step);

    /// <summary>The core reported an event of it.</summary>
    internal void Take(ProtocolEvent protocolEvent, long at)
    {
        switch (protocolEvent.Kind)
        {
            case ProtocolEventKind.Drew or ProtocolEventKind.CaughtUp or ProtocolEventKind.Adopted:
                LastRound = Math.Max(LastRound, protocolEvent.Round);
                Attempts = protocolEvent.Attempt;
                if (_roundCount < MaxRounds)
                {
                    if (_roundCount == _rounds.Length)
                    {
                        Array.Resize(ref _rounds, Math.Min(MaxRounds, Math.Max(4, _roundCount * 2)));
                    }

                    _rounds[_roundCount++] = new RoundMark(protocolEvent.Round, protocolEvent.Value, at);
                }

                break;
            case ProtocolEventKind.Decided or ProtocolEventKind.Learned when DecidedAt == 0:
                (DecidedAt, DecisionValue, DecisionRound) = (at, protocolEvent.Value, protocolEvent.Round);
                break;
            case ProtocolEventKind.JoinedAsLearner:
                Learner = true;
                break;
        }
    }

    /// <summary>Drops the values of its rounds and retains the summary.</summary>
    internal void DropRounds() => (_rounds, _roundCount) = ([], 0);
}
