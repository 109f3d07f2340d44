namespace Consensus.Protocol;

/// <summary>The protocol's delays, in ms. None of them depends on a drawn value.</summary>
public static class ProtocolTiming
{
    /// <summary>How long a quorum waits for stragglers, unless the run names another window.</summary>
    public const int DefaultWindowMs = 200;

    /// <summary>
    /// How long a start waits for more responses once a quorum has responded, in the handshake and in the first round. The
    /// run's window has no part in it: a run with a window of 0 would report healthy peers as missing.
    /// </summary>
    public const int StartWaitMs = 200;

    /// <summary>The shortest back-off before a message is retransmitted.</summary>
    public const int MinBackOffMs = 50;

    /// <summary>The longest back-off before a message is retransmitted, and the period of polls.</summary>
    public const int MaxBackOffMs = 2000;

    /// <summary>
    /// The shortest window of a classic round once <see cref="UnpacedClassicRounds"/> were drawn in vain. A classic round
    /// ends without a response, so nothing else keeps an undecidable run from opening rounds faster than agents can take.
    /// </summary>
    public const int MinClassicWindowMs = 10;

    /// <summary>
    /// How long an agent leaves a proposal or vote to the relay before it also sends to the others. It grows with the cluster:
    /// a relay that serves many agents takes longer, and agents that gave up on it too soon would send the square again.
    /// </summary>
    public static int HoldMs(int agents) => Math.Max(MinHoldMs, agents * HoldMsPerAgent);

    private const int MinHoldMs = 10;

    private const int HoldMsPerAgent = 2;

    /// <summary>How many rounds of a classic run last no longer than its window.</summary>
    public const int UnpacedClassicRounds = 100;

    /// <summary>The first back-off of a run's messages: its window, within the limits of a back-off.</summary>
    internal static int FirstBackOffMs(RunState run) => Math.Clamp(run.WindowMs, MinBackOffMs, MaxBackOffMs);

    /// <summary>The back-off after one of <paramref name="milliseconds"/>.</summary>
    internal static int NextBackOffMs(int milliseconds) => Math.Min(milliseconds * 2, MaxBackOffMs);
}
