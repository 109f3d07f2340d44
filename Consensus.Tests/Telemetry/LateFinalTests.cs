using System.Diagnostics;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Telemetry;

/// <summary>Finals that an agent sends after its run has ended, until every agent holds the decision.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class LateFinalTests
{
    private static readonly RunDescriptor Run =
        new(new RunId(1, "agent1", "a"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh,
            200, new Dictionary<string, string> { ["agent1"] = "a" }, Spread: Spread.Relay);

    [Theory]
    [InlineData(Spread.Relay)]
    [InlineData(Spread.Direct)]
    public void A_late_final_makes_no_span_in_the_trace_of_the_run_and_its_receiver_begins_another(Spread spread)
    {
        var run = Run with { Spread = spread };
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
            tracing.Record(one, runs.Follow(one, run));
        }

        var final = new Final(2, 1, run, "agent2");
        var early = tracing.ParentOf(0, final, repeated: false);
        Assert.Equal((true, false), (early.MakesSpan, early.IsLate));
        time.Advance(TimeSpan.FromMilliseconds(150));
        var late = tracing.ParentOf(1, final, repeated: true);
        Assert.Equal((false, true), (late.MakesSpan, late.IsLate));
        tracing.Responded(0, final);
        Assert.Equal(default, tracing.ParentOf(0, final, repeated: false));

        // A late final that changes nothing at its receiver is not exported.
        using var span = new MessageTracing(tracing)
            .StartReceive(final, "agent2", MessageTracing.Format(early.Context), MessageTracing.Late);
        Assert.False(span!.Recorded);
        Assert.NotEqual(early.Context.TraceId, span.TraceId);
        Assert.Equal(early.Context.TraceId, Assert.Single(span.Links).Context.TraceId);
    }
}
