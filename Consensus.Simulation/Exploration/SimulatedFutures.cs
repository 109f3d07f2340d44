using Consensus.Protocol;

namespace Consensus.Simulation.Exploration;

/// <summary>What happened in simulated futures of one state.</summary>
/// <param name="Count">How many were simulated.</param>
/// <param name="DecidedIn">By round: in how many the first decision fell in that round. Further futures did not decide.</param>
/// <param name="Decided">By value: in how many some agent decided it.</param>
/// <param name="Disagreements">In how many two agents decided different values.</param>
public sealed record SimulatedFutures(
    int Count, IReadOnlyDictionary<int, int> DecidedIn, IReadOnlyDictionary<int, int> Decided, int Disagreements)
{
    /// <summary>How many rounds are simulated at most.</summary>
    public const int MaxRounds = 20;

    /// <summary>Simulates futures without faults. The same arguments give the same futures.</summary>
    /// <param name="options">What is explored.</param>
    /// <param name="path">The path so far.</param>
    /// <param name="count">How many futures.</param>
    /// <param name="maxDelayMs">The longest delay of a message or response; the shortest is 0.2 ms.</param>
    /// <param name="steps">How many of all steps are taken; null: all.</param>
    public static SimulatedFutures Of(
        ExplorationOptions options, IReadOnlyList<ExplorationStep> path, int count, int maxDelayMs, int? steps = null)
    {
        var (rounds, values, disagreements) = (new SortedDictionary<int, int>(), new SortedDictionary<int, int>(), 0);
        for (var i = 0; i < count; i++)
        {
            var cluster = ExploredCluster.After(options, path, steps ?? ExploredCluster.TimesOf(options, path).Count);
            var (round, decided) = cluster.GoOn(SeededRandom.For(i, "future", 0), maxDelayMs, MaxRounds);
            disagreements += decided.Count > 1 ? 1 : 0;
            foreach (var value in decided)
            {
                values[value] = values.GetValueOrDefault(value) + 1;
            }

            if (round > 0)
            {
                rounds[round] = rounds.GetValueOrDefault(round) + 1;
            }
        }

        return new(count, rounds, values, disagreements);
    }
}
