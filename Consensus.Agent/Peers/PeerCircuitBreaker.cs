namespace Consensus.Agent.Peers;

/// <summary>
/// When a peer that could not be reached may be called again: after a pause that doubles from <see cref="FirstBreak"/> to
/// <see cref="LongestBreak"/>, so that it is found again within a second of its return. Thread safe: what races here costs
/// one call more or one less.
/// </summary>
public sealed class PeerCircuitBreaker(TimeProvider time)
{
    /// <summary>The pause after the first failure.</summary>
    public static readonly TimeSpan FirstBreak = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause.</summary>
    public static readonly TimeSpan LongestBreak = TimeSpan.FromSeconds(1);

    // Timestamps; 0: it answers.
    private long _until;
    private long _break;

    /// <summary>True while it is not called.</summary>
    public bool IsOpen => Volatile.Read(ref _until) is not 0 and var until && time.GetTimestamp() < until;

    /// <summary>It answered.</summary>
    public void RecordSuccess()
    {
        if (Volatile.Read(ref _until) != 0)
        {
            Volatile.Write(ref _break, 0);
            Volatile.Write(ref _until, 0);
        }
    }

    /// <summary>It could not be reached.</summary>
    public void RecordFailure()
    {
        // Several calls that were under way together are one failure.
        if (!IsOpen)
        {
            var pause = Math.Clamp(Volatile.Read(ref _break) * 2, Ticks(FirstBreak), Ticks(LongestBreak));
            Volatile.Write(ref _break, pause);
            Volatile.Write(ref _until, time.GetTimestamp() + pause);
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
