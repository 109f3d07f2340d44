using BenchmarkDotNet.Attributes;
using Consensus.Simulation.Exploring;

namespace Consensus.Benchmarks.Core;

/// <summary>The exhaustive exploration of <c>check</c>, with small bounds.</summary>
public class ExplorerBenchmarks
{
    /// <summary>Every state of three agents in one round, with a crash and a reset.</summary>
    [Benchmark]
    public long OneRound() => new Explorer(new ExplorerBounds(Rounds: 1)).Run().States;
}
