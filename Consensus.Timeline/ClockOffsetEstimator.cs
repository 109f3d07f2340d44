namespace Consensus.Timeline;

/// <summary>
/// Finds how far clocks are apart from what was sent and received (as NTP and Cristian do), so that nothing is drawn as
/// received before it was sent. Each message bounds the difference of two clocks from one side, each response from the
/// other; together they are difference constraints, which shortest paths solve.
/// </summary>
internal sealed class ClockOffsetEstimator(int agents)
{
    private const long Unbounded = long.MaxValue / 4;

    // _atMost[a, b]: clock b is ahead of clock a by at most this, in µs.
    private readonly long[,] _atMost = Fill(agents);

    /// <summary>
    /// Something that left <paramref name="from"/> at its time <paramref name="sent"/> was at <paramref name="to"/> at its
    /// time <paramref name="received"/>.
    /// </summary>
    public void Observe(int from, long sent, int to, long received) =>
        _atMost[from, to] = Math.Min(_atMost[from, to], received - sent);

    /// <summary>How far each clock is ahead of agent 0's, in µs; all 0 where that explains everything.</summary>
    public long[] Offsets()
    {
        var offsets = new long[agents];
        if (Explains(offsets))
        {
            return offsets;
        }

        // Both envelopes solve the constraints, so what lies in the middle of the two does.
        var max = Distances(forward: true);
        var min = Distances(forward: false);
        for (var i = 1; i < agents; i++)
        {
            var (low, high) = (-min[i], max[i]);
            offsets[i] = (low > -Unbounded, high < Unbounded) switch
            {
                (true, true) => low + ((high - low) / 2),
                (true, false) => Math.Max(0, low),
                (false, true) => Math.Min(0, high),
                _ => 0,
            };
        }

        return offsets;
    }

    private bool Explains(long[] offsets)
    {
        for (var a = 0; a < agents; a++)
        {
            for (var b = 0; b < agents; b++)
            {
                if (offsets[b] - offsets[a] > _atMost[a, b])
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Bellman-Ford from agent 0, along the bounds or against them.</summary>
    private long[] Distances(bool forward)
    {
        var distances = new long[agents];
        Array.Fill(distances, Unbounded);
        distances[0] = 0;

        // Drifting or stepped clocks can contradict themselves; the number of passes bounds the work all the same.
        for (var pass = 1; pass < agents; pass++)
        {
            for (var a = 0; a < agents; a++)
            {
                for (var b = 0; b < agents; b++)
                {
                    var bound = forward ? _atMost[a, b] : _atMost[b, a];
                    if (distances[a] < Unbounded && bound < Unbounded && distances[a] + bound < distances[b])
                    {
                        distances[b] = distances[a] + bound;
                    }
                }
            }
        }

        return distances;
    }

    private static long[,] Fill(int agents)
    {
        var bounds = new long[agents, agents];
        for (var a = 0; a < agents; a++)
        {
            for (var b = 0; b < agents; b++)
            {
                bounds[a, b] = Unbounded;
            }
        }

        return bounds;
    }
}
