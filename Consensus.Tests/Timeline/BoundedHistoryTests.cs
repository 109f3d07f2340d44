using Consensus.Protocol;
using Consensus.Timeline;

namespace Consensus.Tests.Timeline;

/// <summary>A recorder's memory does not grow with the number of runs.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class BoundedHistoryTests
{
    [Fact]
    public void A_long_history_holds_no_more_than_a_full_one()
    {
        var cluster = new RecordedCluster(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        do
        {
            Run(cluster, 100);
        }
        while (cluster.Timelines.Any(timeline => timeline.ReadRecording(null)!.Segments[0].FirstStep == 1));

        var full = Held(cluster);
        Run(cluster, 500);

        // The messages of a run come in another order each time, and so in slightly other numbers.
        Assert.InRange(Held(cluster), 0, full * 1.1);
    }

    [Fact]
    public void A_recorded_run_takes_at_most_72_bytes_for_each_event()
    {
        var cluster = new RecordedCluster(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        cluster.Run(new RunRequest(Rule: Rule.Classic, Values: 1_000));
        Assert.All(cluster.Timelines, timeline =>
        {
            var bytes = timeline.ReadRecording(null)!.Segments.Sum(segment => segment.Bytes.Length);
            Assert.InRange(bytes, 1, 72 * timeline.Read().Events!.Count);
        });
    }

    private static void Run(RecordedCluster cluster, int runs)
    {
        for (var run = 0; run < runs; run++)
        {
            cluster.Run(new RunRequest(Values: 1));
        }
    }

    private static int Held(RecordedCluster cluster) => cluster.Timelines.Sum(ObjectGraph.SizeOf);
}
