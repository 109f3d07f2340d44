using Consensus.Protocol;
using Consensus.Agent.Timeline;

namespace Consensus.Tests.Timeline;

/// <summary>A recorder's memory does not grow with the number of runs.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class BoundedHistoryTests
{
    [Fact]
    public void Two_thousand_runs_hold_what_two_hundred_did()
    {
        var cluster = new RecordedCluster(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        var few = 0;
        for (var run = 1; run <= 2_000; run++)
        {
            cluster.Run(new RunRequest(Values: 1));
            few = run == 2 * RunEventLogs.MaxRuns ? Held(cluster) : few;
        }

        // The messages of a run come in another order each time, and so in slightly other numbers.
        Assert.InRange(Held(cluster), 0, few * 1.1);
    }

    private static int Held(RecordedCluster cluster) => cluster.Timelines.Sum(ObjectGraph.SizeOf);
}
