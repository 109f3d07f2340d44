using BenchmarkDotNet.Attributes;
using Consensus.Simulation.Worlds;

namespace Consensus.Benchmarks.Core;

/// <summary>Worlds of <c>simulate</c>, another one each time.</summary>
public class SimulatorBenchmarks
{
    private static readonly WorldOptions Rotten = new(
        Drop: Probability.Of(0.1m), Duplicate: Probability.Of(0.1m), Crash: Probability.Of(0.01m),
        Partition: Probability.Of(0.01m), Pause: Probability.Of(0.01m), Reset: Probability.Of(0.005m), Starts: 3);

    private readonly World _quiet = new(new WorldOptions());
    private readonly World _rotten = new(Rotten);
    private long _seed;

    /// <summary>One run of three agents, about 31 messages.</summary>
    [Benchmark]
    public WorldResult Quiet() => _quiet.Run(++_seed);

    /// <summary>Three runs under faults of every kind, about 72 messages.</summary>
    [Benchmark]
    public WorldResult UnderFaults() => _rotten.Run(++_seed);
}
