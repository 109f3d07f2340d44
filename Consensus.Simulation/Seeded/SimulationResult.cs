namespace Consensus.Simulation.Seeded;

/// <summary>How a simulated run ended.</summary>
public enum SimulationOutcome
{
    /// <summary>Every agent holds the decision of the newest run, or was reset since.</summary>
    Decided,

    /// <summary>The newest run lost its quorum, and every agent in it reports that.</summary>
    Stalled,

    /// <summary>No run was started.</summary>
    NothingStarted,

    /// <summary>It reached its last allowed round or message.</summary>
    CutOff,

    /// <summary>Not every agent decided a classic run in time. The classic rule does not promise termination.</summary>
    Undecided,

    /// <summary>A run of the ratified rule broke a property. The simulated run ended there.</summary>
    Broken,
}

/// <summary>The result of one simulated run.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Violation">The first violation; one of the ratified rule comes before others.</param>
/// <param name="Messages">Messages and responses that arrived.</param>
/// <param name="VirtualUs">How long it lasted, in virtual µs.</param>
/// <param name="Requests">Requests of runs that were sent: everything but handshakes and state queries.</param>
/// <param name="UnfinishedReason">Why it is not over, where it ended undecided or broken for that.</param>
public sealed record SimulationResult(long Seed, SimulationOutcome Outcome, Violation? Violation,
    int Messages, long VirtualUs, int Requests, string? UnfinishedReason = null);
