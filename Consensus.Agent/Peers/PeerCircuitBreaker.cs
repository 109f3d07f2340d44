namespace Consensus.Agent.Peers;

/// <summary>
/// The back-off of one peer that could not be reached. The pause between calls doubles from <see cref="FirstBreak"/> to
/// <see cref="LongestBreak"/>, so a peer that returns is found within a second. Thread safe: a race costs one call more or less.
/// </summary>
internal sealed class PeerCircuitBreaker(TimeProvider time)
{
    /// <summary>The pause after the first failure.</summary>
    public static readonly TimeSpan FirstBreak = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause.</summary>
    public static readonly TimeSpan LongestBreak = TimeSpan.FromSeconds(1);

    // Timestamps; 0: closed.
    private long _until;
    private long _break;

    /// <summary>True while the peer gets no calls.</summary>
    public bool IsOpen => Volatile.Read(ref _until) is not 0 and var until && time.GetTimestamp() < until;

    /// <summary>The peer responded.</summary>
    public void RecordSuccess()
    {
        if (Volatile.Read(ref _until) != 0)
        {
            Volatile.Write(ref _break, 0);
            Volatile.Write(ref _until, 0);
        }
    }

    /// <summary>The peer could not be reached.</summary>
    public void RecordFailure()
    {
        // Several failures in flight together count as one.
        if (!IsOpen)
        {
            var pause = Math.Clamp(Volatile.Read(ref _break) * 2, Ticks(FirstBreak), Ticks(LongestBreak));
            Volatile.Write(ref _break, pause);
            Volatile.Write(ref _until, time.GetTimestamp() + pause);
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
