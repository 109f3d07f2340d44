using Consensus.Simulation.Seeded;

namespace Consensus.Simulation.Mutants;

/// <summary>Finds simulated runs in which a mutant goes wrong.</summary>
public static class MutantSearch
{
    private const int MaxRuns = 8_000;
    private const int MaxViolations = 4;

    // A short window and slow links: decisive messages often arrive too late.
    private static readonly SimulationOptions Slow = new(
        WindowMs: 5, Drop: Probability.Of(0.1m), Pause: Probability.Of(0.02m), Latency: Latency.Tail);

    private static readonly SimulationOptions Faulty = new(
        Values: 2, WindowMs: 5, Drop: Probability.Of(0.2m), Crash: Probability.Of(0.05m),
        Reset: Probability.Of(0.02m), Starts: 2, Latency: Latency.Tail, FaultsMs: 500);

    // An agent queries its peers for some seconds after it starts. Only later is it the last one that knows of a run.
    private static readonly SimulationOptions Restarting = new(
        Values: 2, WindowMs: 5, Crash: Probability.Of(0.03m), Starts: 3, FaultsMs: 6_000);

    /// <summary>
    /// The smallest of the first violations found, one of the mutant's own property if there is one. Takes a second or two.
    /// </summary>
    /// <returns>Null where none is found.</returns>
    public static Counterexample? Find(Mutant mutant)
    {
        (SimulationOptions Options, int Violations)[] simulated = mutant.Condition switch
        {
            // Each violation of termination takes long to shrink.
            MutantCondition.PersistedState => [(Restarting, 1)],
            MutantCondition.DifferentClusterSizes => [(Slow, MaxViolations)],
            _ => [(Slow, MaxViolations), (Faulty, MaxViolations)],
        };
        return simulated
            .Select(one => Counterexample.Find(mutant.AdaptOptions(one.Options), 1, MaxRuns, one.Violations, mutant.Factory))
            .OfType<Counterexample>()
            .OrderBy(found => found.Violation.Property == mutant.Property ? 0 : 1).ThenBy(found => found.Events).FirstOrDefault();
    }
}
