namespace Consensus.Agent.Peers;

/// <summary>
/// When a peer that could not be reached may be called again: after a pause that doubles from <see cref="FirstPause"/> to
/// <see cref="LastPause"/>, so that it is found again within a second of its return. Thread safe: what races here costs
/// one call more or one less.
/// </summary>
public sealed class Absentee(TimeProvider time)
{
    /// <summary>The pause after the first failure.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause.</summary>
    public static readonly TimeSpan LastPause = TimeSpan.FromSeconds(1);

    // Timestamps; 0: it answers.
    private long _until;
    private long _pause;

    /// <summary>True while it is not called.</summary>
    public bool IsLeftAlone => Volatile.Read(ref _until) is not 0 and var until && time.GetTimestamp() < until;

    /// <summary>It answered.</summary>
    public void IsBack()
    {
        if (Volatile.Read(ref _until) != 0)
        {
            Volatile.Write(ref _pause, 0);
            Volatile.Write(ref _until, 0);
        }
    }

    /// <summary>It could not be reached.</summary>
    public void WasNotReached()
    {
        // Several calls that were under way together are one failure.
        if (!IsLeftAlone)
        {
            var pause = Math.Clamp(Volatile.Read(ref _pause) * 2, Ticks(FirstPause), Ticks(LastPause));
            Volatile.Write(ref _pause, pause);
            Volatile.Write(ref _until, time.GetTimestamp() + pause);
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
