using BenchmarkDotNet.Attributes;
using Consensus.Simulation.Seeded;

namespace Consensus.Benchmarks.Core;

/// <summary>Simulated runs of <c>simulate</c>, another seed each time.</summary>
public class SimulatorBenchmarks
{
    private static readonly SimulationOptions Faulty = new(
        Drop: Probability.Of(0.1m), Duplicate: Probability.Of(0.1m), Crash: Probability.Of(0.01m),
        Partition: Probability.Of(0.01m), Pause: Probability.Of(0.01m), Reset: Probability.Of(0.005m), Starts: 3);

    private readonly Simulator _faultFree = new(new SimulationOptions());
    private readonly Simulator _faulty = new(Faulty);
    private long _seed;

    /// <summary>One run of three agents, about 31 messages.</summary>
    [Benchmark]
    public SimulationResult WithoutFaults() => _faultFree.Run(++_seed);

    /// <summary>Three runs under faults of every kind, about 72 messages.</summary>
    [Benchmark]
    public SimulationResult UnderFaults() => _faulty.Run(++_seed);
}
