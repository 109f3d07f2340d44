namespace Consensus.Simulation.Seeded;

/// <summary>How a world ended.</summary>
public enum SimulationOutcome
{
    /// <summary>Every agent holds the decision of the newest run, or was reset since.</summary>
    Decided,

    /// <summary>The newest run lost its quorum, and every agent in it says so truthfully.</summary>
    Stalled,

    /// <summary>No run ever came to be.</summary>
    NothingStarted,

    /// <summary>It came to the last round or message it was allowed.</summary>
    CutOff,

    /// <summary>A classic run that had not decided everywhere when time was over; the classic rule promises nothing.</summary>
    Undecided,

    /// <summary>A rule that claims safety broke a promise; the world ended there.</summary>
    Broken,
}

/// <summary>What came of one world.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="End">How it ended.</param>
/// <param name="Violation">The first promise broken; one of a rule that claims safety comes before others.</param>
/// <param name="Messages">Calls and answers that arrived.</param>
/// <param name="VirtualUs">How long it lasted, in virtual µs.</param>
/// <param name="Unfinished">What was still wrong where it ended undecided or cut off.</param>
public sealed record SimulationResult(long Seed, SimulationOutcome End, Violation? Violation, int Messages, long VirtualUs, string? Unfinished = null);
