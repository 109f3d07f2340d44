namespace Consensus.Protocol;

/// <summary>Which timers of an agent are set.</summary>
/// <param name="Bits">One bit for each <see cref="Timer"/>.</param>
public readonly record struct TimerSet(int Bits)
{
    /// <summary>Whether a timer is set.</summary>
    public bool Contains(Timer timer) => (Bits & (1 << (int)timer)) != 0;

    /// <summary>Which are set after a step.</summary>
    /// <param name="input">The step's input.</param>
    /// <param name="effects">Its effects.</param>
    public TimerSet After(Input input, IReadOnlyList<Effect> effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        var bits = input is TimerFired fired ? Bits & ~(1 << (int)fired.Timer) : Bits;
        for (var i = 0; i < effects.Count; i++)
        {
            bits = effects[i] switch
            {
                SetTimer set => bits | (1 << (int)set.Timer),
                CancelTimer cancel => bits & ~(1 << (int)cancel.Timer),
                _ => bits,
            };
        }

        return new TimerSet(bits);
    }
}
