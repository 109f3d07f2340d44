namespace Consensus.Protocol;

/// <summary>Gives the core the inputs of one segment again, also while more steps are added to it.</summary>
public sealed class Reexecution
{
    private readonly RepeatedDraws _draws = new();
    private readonly AgentStateMachine _machine;
    private readonly RecordReader _reader;
    private RecordedSegment _segment;
    private long _at;
    private long _sent;
    private int _done;

    /// <summary>Begins before the first step.</summary>
    /// <param name="recording">Whose segment it is.</param>
    /// <param name="segment">The segment.</param>
    /// <param name="rules">The rules that the core follows; null: those that are proved.</param>
    /// <exception cref="FormatException">The segment is damaged.</exception>
    public Reexecution(Recording recording, RecordedSegment segment, SafetyRules? rules = null)
    {
        ArgumentNullException.ThrowIfNull(recording);
        ArgumentNullException.ThrowIfNull(segment);
        _segment = segment;
        _machine = new AgentStateMachine(recording.AgentId, recording.Boot, recording.Peers, _draws, rules);
        _reader = new RecordReader(segment.Bytes);
        _machine.Load(_reader);
        Timers = new TimerSet(_reader.ReadInt());
        (_at, _sent) = (segment.BeganAt, segment.SentBefore);
    }

    /// <summary>The machine after the last step that was taken.</summary>
    public AgentStateMachine Machine => _machine;

    /// <summary>Which timers are set after that step.</summary>
    public TimerSet Timers { get; private set; }

    /// <summary>Goes on with steps that were added meanwhile.</summary>
    /// <returns>False where the segment is another one.</returns>
    public bool TryExtend(RecordedSegment segment)
    {
        ArgumentNullException.ThrowIfNull(segment);
        if (segment.FirstStep != _segment.FirstStep)
        {
            return false;
        }

        _segment = segment;
        _reader.Extend(segment.Bytes);
        return true;
    }

    /// <summary>Takes the next step.</summary>
    /// <returns>False where no more steps are recorded.</returns>
    /// <exception cref="FormatException">The segment is damaged.</exception>
    public bool TryStep(out ReexecutedStep step)
    {
        if (_done == _segment.Steps)
        {
            step = default;
            return false;
        }

        _at += _reader.ReadLong();
        var messageId = _reader.ReadLong();
        var (sender, boot) = _reader.ReadBool() ? (_reader.ReadText(), _reader.ReadText()) : (null, null);
        var input = _reader.ReadInput();
        var draws = _reader.ReadInts();
        _draws.Begin(draws);
        var effects = _machine.Step(input);
        Timers = Timers.After(input, effects);
        var differs = EffectHash.Of(effects) != (uint)_reader.ReadLong();
        step = new ReexecutedStep(
            _segment.FirstStep + _done++, _at, sender, boot, messageId, _sent + 1, input, draws, effects, _machine, differs);
        for (var i = 0; i < effects.Count; i++)
        {
            _sent += effects[i] is Send ? 1 : 0;
        }

        return true;
    }
}
