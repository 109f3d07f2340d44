using Consensus.Agent.Telemetry;

namespace Consensus.Tests.Telemetry;

/// <summary>Traces of a run that is too long for one.</summary>
[Trait(Category.Name, Category.System)]
public sealed class LongRunTraceTests
{
    [Fact]
    public async Task A_long_run_goes_on_in_further_traces_that_all_agents_share_and_that_are_linked_both_ways()
    {
        // With this seed no two of the three draw the same value in the first hundred rounds.
        await using var cluster = await TracedCluster.StartAsync();
        var answer = await cluster.DecideAsync("""{"rule":"classic","values":150,"seed":15,"window_ms":1}""");
        var rounds = answer.GetProperty("outcome").GetProperty("round").GetInt32();
        await cluster.DisposeAsync();
        Assert.InRange(rounds, 100, 100_000);
        var stretches = new List<int>();
        for (var agent = 0; agent < 3; agent++)
        {
            var runs = cluster.SpansOf(agent).Where(span => span.OperationName == "run").ToList();
            stretches.Add(runs.Count);
            for (var i = 1; i < runs.Count; i++)
            {
                Assert.Contains(runs[i - 1].Links, link => link.Context == runs[i].Context);
                Assert.Contains(runs[i].Links, link => link.Context == runs[i - 1].Context);
                Assert.Equal(default, runs[i].ParentSpanId);
            }
        }

        // An agent that is dragged along may skip a stretch; those that live through one share its trace.
        Assert.InRange(stretches.Max(), (99 / RunTracing.RoundsPerTrace) + 1, int.MaxValue);
        var last = cluster.Spans.Max(span => span.GetTagItem("consensus.round") as int? ?? 0);
        Assert.InRange(cluster.Spans.Select(span => span.TraceId).Distinct().Count(),
            stretches.Max(), ((last - 1) / RunTracing.RoundsPerTrace) + 1 + 2);
        var ids = cluster.Spans.Select(span => span.SpanId).ToHashSet();
        Assert.All(cluster.Spans.Where(span => span.ParentSpanId != default), span => Assert.Contains(span.ParentSpanId, ids));
    }
}
