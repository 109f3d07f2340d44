using BenchmarkDotNet.Attributes;
using Consensus.Simulation.ModelChecking;

namespace Consensus.Benchmarks.Core;

/// <summary>The exhaustive model check of <c>check</c>, with small bounds.</summary>
public class ModelCheckerBenchmarks
{
    /// <summary>Every state of three agents in one round, with a crash and a reset.</summary>
    [Benchmark]
    public long OneRound() => new ModelChecker(new ModelCheckerOptions(Rounds: 1)).Run().States;
}
