using System.Diagnostics;

namespace Consensus.Benchmarks.Cluster;

/// <summary>One thing that is timed over and over.</summary>
/// <param name="Name">What.</param>
/// <param name="Once">Does it once and returns the ms it took.</param>
internal sealed record Cell(string Name, Func<Task<double>> Once)
{
    public Samples Samples { get; } = new();
}

internal static class Measuring
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(60);

    /// <summary>
    /// Times all cells in turns, a slice each, so that whatever else the machine does at a moment slows all of them and
    /// their ratios hold.
    /// </summary>
    public static async Task AlternateAsync(TimeSpan time, Action<TimeSpan> progress, params Cell[] cells)
    {
        var clock = Stopwatch.StartNew();
        do
        {
            foreach (var cell in cells)
            {
                var turn = Stopwatch.StartNew();
                do
                {
                    cell.Samples.Add(await cell.Once());
                }
                while (turn.Elapsed < Slice);
                progress(clock.Elapsed);
            }
        }
        while (clock.Elapsed < time);
    }
}
