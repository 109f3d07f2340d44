namespace Consensus.Protocol;

/// <summary>
/// What one process of an agent was given: each input with its time, its cause and its draws, and a hash of the effects. Each
/// segment begins with the machine's state, so any segment can be re-executed alone (<see cref="Recording"/>). Memory is bounded:
/// the segments right after the first ones are dropped. Not thread safe.
/// </summary>
public sealed class InputLog
{
    /// <summary>Steps in one segment. Re-executing them takes less than 1 ms for three agents.</summary>
    public const int StepsPerSegment = 128;

    /// <summary>Segments that are kept.</summary>
    public const int MaxSegments = 512;

    // How the newest run began stays, whatever its length.
    private const int FirstSegments = 32;

    private readonly AgentStateMachine _machine;
    private readonly RecordedDraws _draws;
    private readonly List<Segment> _segments = [];
    private Segment _last;
    private long _lastAt;

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

    /// <summary>The number of the last step; steps count from 1.</summary>
    public long LastStep { get; private set; }

    /// <summary>One segment.</summary>
    private sealed class Segment(long firstStep, long beganAt)
    {
        public readonly long FirstStep = firstStep;
        public readonly long BeganAt = beganAt;
        public readonly RecordWriter Writer = new();
        public int Steps;
        public int MinRound = int.MaxValue;
        public int MaxRound;

        public RecordedSegment Read() => new(FirstStep, BeganAt, Steps, Writer.Written.ToArray());
    }

    /// <summary>Records the step that the machine has just taken.</summary>
    /// <param name="at">When, in µs since 1970.</param>
    /// <param name="input">The input.</param>
    /// <param name="effects">What the machine made of it.</param>
    /// <param name="cause">Who sent the message; null: unknown, or no message.</param>
    /// <param name="messageId">The sender's number of the message; of a response or failure, this agent's; 0: none.</param>
    public void Add(long at, Input input, IReadOnlyList<Effect> effects, (string Sender, string Boot)? cause, long messageId)
    {
        LastStep++;
        var writer = _last.Writer;
        writer.Write(at - _lastAt);
        writer.Write(messageId);
        writer.Write(cause?.Sender);
        if (cause is { } sender)
        {
            writer.Write(sender.Boot);
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
        _last.MinRound = Math.Min(_last.MinRound, _machine.CurrentRound);
        _last.MaxRound = Math.Max(_last.MaxRound, _machine.CurrentRound);
        if (++_last.Steps == StepsPerSegment)
        {
            _last = Open();
        }
    }

    /// <summary>Forgets all steps. What follows begins with the machine's present state.</summary>
    public void Clear()
    {
        _segments.Clear();
        _last = Open();
    }

    /// <summary>What is recorded of these steps, in whole segments.</summary>
    /// <param name="first">The first step.</param>
    /// <param name="last">The last step.</param>
    /// <param name="wanted">Whether the rounds of a segment, from the first to the last, are asked for; null: all are.</param>
    public Recording Read(long first, long last, Func<int, int, bool>? wanted = null) => new(
        _machine.Id, _machine.Boot, _machine.Peers,
        [
            .. _segments.Where(segment => segment.Steps > 0 && segment.FirstStep <= last && segment.FirstStep + segment.Steps > first
                    && (wanted is null || wanted(segment.MinRound, segment.MaxRound)))
                .Select(segment => segment.Read()),
        ]);

    private Segment Open()
    {
        var segment = new Segment(LastStep + 1, _lastAt);
        _machine.Save(segment.Writer);
        _segments.Add(segment);
        if (_segments.Count > MaxSegments)
        {
            _segments.RemoveAt(FirstSegments);
        }

        return segment;
    }
}
