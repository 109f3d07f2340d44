using System.Diagnostics;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Telemetry;

/// <summary>Finals that an agent sends long after a run, as it does when it asks the relay whether all hold the decision.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class LateFinalTests
{
    private static readonly RunDescriptor Run =
        new(new RunId(1, "agent1", "a"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200, new Dictionary<string, string> { ["agent1"] = "a" }, Spread: Spread.Relay);

    [Fact]
    public void A_final_over_a_second_after_a_relayed_run_makes_no_span_so_that_the_trace_of_the_run_stays_short()
    {
        var time = new FakeTimeProvider();
        var tracing = new RunTracing("agent-late", time);
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source == tracing.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var runs = new RunTracker();
        foreach (var kind in new[] { ProtocolEventKind.Joined, ProtocolEventKind.Drew, ProtocolEventKind.Learned })
        {
            var one = new ProtocolEvent(kind, Run.Id, 1, 2);
            tracing.Record(one, runs.Follow(one, Run));
        }

        var final = new Final(2, 1, Run, "agent2");
        Assert.True(tracing.ParentOf(0, final, repeated: false).MakesSpan);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(default, tracing.ParentOf(0, final, repeated: false));
    }
}
