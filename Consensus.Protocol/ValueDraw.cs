namespace Consensus.Protocol;

/// <summary>The source of an agent's draws in runs without a seed: its only randomness.</summary>
public interface IRandomSource
{
    /// <summary>A number from 0 to <paramref name="bound"/> - 1.</summary>
    int Next(int bound);
}

/// <summary>
/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): small, fast, and the same on every machine, which System.Random does
/// not promise between versions.
/// </summary>
public sealed class SeededRandom(ulong seed) : IRandomSource
{
    private ulong _state = seed;

    /// <summary>The source of a seeded draw: a function of (seed, agent id, round).</summary>
    public static SeededRandom For(long seed, string agentId, int round)
    {
        // FNV-1a over the id: string.GetHashCode differs between processes.
        var hash = 14695981039346656037UL;
        foreach (var c in agentId)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        var random = new SeededRandom((ulong)seed ^ hash);
        random._state = random.NextUInt64() ^ ((ulong)round * 0x9E3779B97F4A7C15UL);
        return random;
    }

    /// <summary>The next 64 bits.</summary>
    public ulong NextUInt64()
    {
        var z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <inheritdoc/>
    public int Next(int bound) => (int)Math.BigMul(NextUInt64(), (ulong)bound, out _);
}

/// <summary>How a run's values are drawn.</summary>
internal static class ValueDraw
{
    /// <summary>A value for <paramref name="round"/>; the run still holds the proposals of the round before.</summary>
    public static int Next(RunState run, int n, string agentId, int round, IRandomSource free)
    {
        var random = run.Seed is { } seed ? SeededRandom.For(seed, agentId, round) : free;
        return run.Draw == DrawStrategy.Plurality && run.Entered
            ? Plurality(run, n, random)
            : 1 + random.Next(run.Values);
    }

    // With probability 1/n any proposal of the round, so that two values with equal support cannot last for ever.
    private static int Plurality(RunState run, int n, IRandomSource random)
    {
        var proposals = run.Proposals;
        if (random.Next(n) == 0)
        {
            var pick = random.Next(run.ProposalCount);
            for (var i = 0; ; i++)
            {
                if (proposals[i] != 0 && pick-- == 0)
                {
                    return proposals[i];
                }
            }
        }

        return run.MostProposed().Value;
    }
}
