namespace Consensus.Simulation.Exploration;

/// <summary>The outcome of a search.</summary>
/// <param name="Path">The whole path to the goal; null: none was found.</param>
/// <param name="States">The number of states that the search visited.</param>
/// <param name="IsComplete">Whether the search visited every state that it can reach.</param>
/// <param name="Reason">Why the last agent of the path is stalled; empty for other goals.</param>
public sealed record ExplorationResult(IReadOnlyList<ExplorationStep>? Path, int States, bool IsComplete, string Reason);
