namespace Consensus.Protocol;

/// <summary>The largest cluster and the largest run that may be asked for.</summary>
public static class ProtocolLimits
{
    /// <summary>Agents of a cluster.</summary>
    public const int MaxAgents = 101;

    /// <summary>
    /// The largest cluster whose runs are direct by default. A trace then shows who proposed and voted to whom, and a relay
    /// would save little.
    /// </summary>
    public const int MaxDirectAgents = 3;

    /// <summary>The last round that a message may name: far beyond any run, and far from overflow.</summary>
    public const int MaxRound = 2_000_000_000;

    /// <summary>The highest round a run may begin with: as many again are left to it.</summary>
    public const int MaxStartRound = 1_000_000_000;

    /// <summary>Values are drawn from 1..values.</summary>
    public const int MaxValues = 1_000_000_000;

    /// <summary>The longest window of a run, in ms.</summary>
    public const int MaxWindowMs = 60_000;

    /// <summary>Starts that may wait for the one in progress.</summary>
    public const int MaxQueuedStarts = 64;

    /// <summary>Runs have this number after decades of hundreds a second; a higher one is compared with the clock.</summary>
    public const long PlainRunNumber = 1_000_000_000_000;

    /// <summary>Seeds are from -<c>MaxSeed</c> to <c>MaxSeed</c>: every JSON reader holds these numbers exactly, browsers too.</summary>
    public const long MaxSeed = (1L << 53) - 1;

    /// <summary>Whether this is a seed.</summary>
    public static bool IsSeed(long seed) => seed is >= -MaxSeed and <= MaxSeed;

    /// <summary>The range of seeds, for error messages.</summary>
    public static string SeedRange { get; } = $"a whole number from -{MaxSeed} to {MaxSeed}";
}
