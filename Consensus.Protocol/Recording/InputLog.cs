namespace Consensus.Protocol;

/// <summary>
/// What one process of an agent was given: each input with its time, its cause and its draws, and a hash of the effects. Each
/// segment begins with the machine's state, so any segment can be re-executed alone (<see cref="Recording"/>). Memory is bounded: the
/// oldest segments are dropped, and of a run that is longer than all of them, those after its first ones. Not thread safe.
/// </summary>
public sealed class InputLog
{
    /// <summary>Steps in one segment. Re-executing them takes less than 1 ms for three agents.</summary>
    public const int StepsPerSegment = 128;

    /// <summary>Segments that are kept: 20,480 steps, about 1 MB for three agents.</summary>
    public const int MaxSegments = 160;

    // How the newest run began and how it ended is what people look for.
    private const int FirstSegments = 32;

    private readonly AgentStateMachine _machine;
    private readonly RecordedDraws _draws;
    private readonly List<Segment> _segments = [];
    private Segment _last;
    private TimerSet _timers;
    private long _lastAt;
    private long _kept;

    /// <summary>Begins with the machine's present state.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="draws">The source of its draws.</param>
    public InputLog(AgentStateMachine machine, RecordedDraws draws)
    {
        ArgumentNullException.ThrowIfNull(draws);
        (_machine, _draws) = (machine, draws);
        draws.Clear();
        _last = Open();
    }

    /// <summary>The agent.</summary>
    public string AgentId => _machine.Id;

    /// <summary>Its process.</summary>
    public string Boot => _machine.Boot;

    /// <summary>The machine's current run, or null.</summary>
    public RunDescriptor? CurrentRun => _machine.CurrentRun;

    /// <summary>The number of the first step that is still recorded.</summary>
    public long FirstStep => _segments[0].FirstStep;

    /// <summary>The number of the last step; steps count from 1.</summary>
    public long LastStep { get; private set; }

    /// <summary>The number of the last message that the machine sent; messages count from 1, in the order of the effects.</summary>
    public long LastMessageId { get; private set; }

    /// <summary>One segment.</summary>
    private sealed class Segment(long firstStep, long beganAt, long sentBefore)
    {
        public readonly long FirstStep = firstStep;
        public int Steps;
        public int MinRound = int.MaxValue;
        public int MaxRound;

        /// <summary>Whether anything in it belongs to no single round, such as a decision.</summary>
        public bool IsOfAllRounds;

        private ReadOnlyMemory<byte> _bytes;

        /// <summary>Null once all its steps are written.</summary>
        public RecordWriter? Writer { get; private set; } = new();

        public RecordedSegment Read() => new(FirstStep, beganAt, sentBefore, Steps, Writer?.Written ?? _bytes);

        public void Close() => (_bytes, Writer) = (Writer!.Written.ToArray(), null);

        public void Cover(int round) => (MinRound, MaxRound) = (Math.Min(MinRound, round), Math.Max(MaxRound, round));
    }

    /// <summary>Records the step that the machine has just taken.</summary>
    /// <param name="at">When, in µs since 1970.</param>
    /// <param name="input">The input.</param>
    /// <param name="effects">What the machine made of it.</param>
    /// <param name="sender">Who sent the message; empty: unknown, or no message.</param>
    /// <param name="senderBoot">The sender's boot.</param>
    /// <param name="messageId">The sender's number of the message; of a response or failure, this agent's; 0: none.</param>
    public void Add(
        long at, Input input, IReadOnlyList<Effect> effects, ReadOnlySpan<char> sender = default, ReadOnlySpan<char> senderBoot = default,
        long messageId = 0)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(effects);
        LastStep++;
        var writer = _last.Writer!;
        writer.Write(at - _lastAt);
        writer.Write(messageId);
        writer.Write(!sender.IsEmpty);
        if (!sender.IsEmpty)
        {
            writer.Write(sender);
            writer.Write(senderBoot);
        }

        writer.Write(input);
        writer.Write(_draws.Drawn.Count);
        foreach (var draw in _draws.Drawn)
        {
            writer.Write((long)draw);
        }

        _draws.Clear();
        writer.Write((long)EffectHash.Of(effects));
        _lastAt = at;
        _timers = _timers.After(input, effects);
        _last.Cover(_machine.CurrentRound);
        _last.Cover(input.RelatedMessage?.Content.Round is > 0 and var round ? round : _machine.CurrentRound);
        _last.IsOfAllRounds |= input.RelatedMessage is Handshake or Reset;
        for (var i = 0; i < effects.Count; i++)
        {
            LastMessageId += effects[i] is Send ? 1 : 0;
            _last.IsOfAllRounds |= effects[i] is ProtocolEvent { IsOfOneRound: false };
        }

        if (++_last.Steps == StepsPerSegment)
        {
            _last.Close();
            _last = Open();
        }
    }

    /// <summary>A run begins: its first steps stay, whatever its length.</summary>
    /// <param name="step">Its first step.</param>
    public void KeepFrom(long step) => _kept = step;

    /// <summary>Forgets all steps. What follows begins with the machine's present state.</summary>
    public void Clear()
    {
        _segments.Clear();
        _last = Open();
    }

    /// <summary>What is recorded of these steps, in whole segments. The log may grow while the result is read.</summary>
    /// <param name="first">The first step.</param>
    /// <param name="last">The last step.</param>
    /// <param name="wanted">Whether the rounds of a segment, from the first to the last, are asked for; null: all are.</param>
    public Recording Read(long first, long last, Func<int, int, bool>? wanted = null) => new(
        _machine.Id, _machine.Boot, _machine.Peers,
        [
            .. _segments.Where(segment => segment.Steps > 0 && segment.FirstStep <= last && segment.FirstStep + segment.Steps > first
                    && (wanted is null || segment.IsOfAllRounds || wanted(segment.MinRound, segment.MaxRound)))
                .Select(segment => segment.Read()),
        ]);

    /// <summary>How many of these steps are no longer recorded.</summary>
    /// <param name="first">The first step, from 1.</param>
    /// <param name="last">The last step.</param>
    public long CountGone(long first, long last) => Math.Max(0, last - first + 1)
        - _segments.Sum(held => Math.Max(0, Math.Min(last, held.FirstStep + held.Steps - 1) - Math.Max(first, held.FirstStep) + 1));

    private Segment Open()
    {
        var segment = new Segment(LastStep + 1, _lastAt, LastMessageId);
        _machine.Save(segment.Writer!);
        segment.Writer!.Write((long)_timers.Bits);
        _segments.Add(segment);
        if (_segments.Count > MaxSegments)
        {
            _segments.RemoveAt(_segments[1].FirstStep <= _kept ? 0 : FirstSegments);
        }

        return segment;
    }
}
