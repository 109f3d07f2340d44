using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Consensus.Tests.Telemetry;

/// <summary>What the metrics of three agents count.</summary>
[Trait(Category.Name, Category.System)]
public sealed class MetricTests
{
    [Fact]
    public async Task Metrics_count_runs_rounds_durations_attempts_and_messages()
    {
        await using var cluster = await TracedCluster.StartAsync();
        var rounds = 0;
        for (var i = 0; i < 5; i++)
        {
            rounds += (await cluster.DecideAsync()).GetProperty("outcome").GetProperty("round").GetInt32();
        }

        var metrics = cluster.MetricsOf(0);
        Assert.Equal(5, Sum(metrics, "consensus.runs", ("consensus.rule", "ratified")));
        Assert.Equal((5, rounds), HistogramOf(Find(metrics, "consensus.rounds")));
        var (count, seconds) = HistogramOf(Find(metrics, "consensus.decision.duration"));
        Assert.Equal(5, count);
        Assert.InRange(seconds, 0.000001, 60);
        Assert.InRange(Sum(metrics, "consensus.attempts"), 5, 5 + rounds);
        Assert.Equal(
            10, Sum(metrics, "consensus.messages", ("consensus.message.type", "new_round"), ("consensus.message.direction", "sent")));
        Assert.Equal("s", Find(metrics, "consensus.decision.duration").Unit);
        Assert.All(metrics.Where(metric => metric.Name.StartsWith("consensus.", StringComparison.Ordinal)),
            metric => Assert.NotEmpty(metric.Description));
    }

    [Fact]
    public async Task Messages_are_counted_by_type_and_outcome()
    {
        await using var cluster = await TracedCluster.StartAsync();
        await cluster.DecideAsync();
        await cluster.StopAsync(2);
        await cluster.DecideAsync("""{"window_ms":20}""", 0, 1);
        var metrics = cluster.MetricsOf(0);

        // A peer that a proposal reached first answers a new round otherwise than with ok.
        Assert.Equal(
            4, Sum(metrics, "consensus.messages", ("consensus.message.type", "new_round"), ("consensus.message.direction", "sent")));
        Assert.InRange(Sum(metrics, "consensus.messages", ("consensus.message.type", "new_round"), ("consensus.outcome", "ok")), 1, 3);
        Assert.InRange(Sum(metrics, "consensus.messages", ("consensus.message.type", "new_round"), ("consensus.outcome", "failed")), 1, 2);
    }

    [Fact]
    public async Task The_exemplar_of_a_duration_leads_to_the_trace_of_its_run()
    {
        await using var cluster = await TracedCluster.StartAsync();
        await cluster.DecideAsync();
        var traces = new List<string>();
        foreach (ref readonly var point in Find(cluster.MetricsOf(1), "consensus.decision.duration").GetMetricPoints())
        {
            Assert.True(point.TryGetExemplars(out var exemplars));
            foreach (ref readonly var exemplar in exemplars)
            {
                traces.Add(exemplar.TraceId.ToString());
            }
        }

        await cluster.DisposeAsync();
        Assert.Equal(Assert.Single(cluster.SpansOf(1), span => span.OperationName == "run").TraceId.ToString(), Assert.Single(traces));
    }

    [Fact]
    public async Task Buckets_resolve_milliseconds()
    {
        await using var cluster = await TracedCluster.StartAsync();
        await cluster.DecideAsync();
        var metrics = cluster.MetricsOf(0);
        foreach (var name in new[] { "consensus.decision.duration", "http.server.request.duration", "http.client.request.duration" })
        {
            var bounds = new List<double>();
            foreach (ref readonly var point in Find(metrics, name).GetMetricPoints())
            {
                bounds.Clear();
                foreach (var bucket in point.GetHistogramBuckets())
                {
                    bounds.Add(bucket.ExplicitBound);
                }
            }

            // From 0.2 ms to 0.1 s, no bucket is wider than a half of where it begins.
            var steps = bounds.Zip(bounds.Skip(1)).Where(step => step.First is >= 0.0002 and < 0.1).ToList();
            Assert.NotEmpty(steps);
            Assert.All(steps, step => Assert.InRange(step.Second / step.First, 1, 1.51));
        }
    }

    [Fact]
    public async Task An_agent_counts_its_own_calls_only()
    {
        await using var cluster = await TracedCluster.StartAsync();
        await cluster.DecideAsync();
        var calls = Find(cluster.MetricsOf(1), "http.client.request.duration");
        var ports = new HashSet<object?>();
        foreach (ref readonly var point in calls.GetMetricPoints())
        {
            foreach (var tag in point.Tags)
            {
                _ = tag.Key == "server.port" && ports.Add(tag.Value);
            }
        }

        var own = cluster.Services[1]
            .GetRequiredService<Agent.Configuration.AgentOptions>().Peers.Select(peer => (object?)peer.Port).ToHashSet();
        Assert.Subset(own, ports);
    }

    internal static (long Count, double Sum) HistogramOf(Metric metric)
    {
        var (count, sum) = (0L, 0.0);
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            count += point.GetHistogramCount();
            sum += point.GetHistogramSum();
        }

        return (count, sum);
    }

    private static Metric Find(List<Metric> metrics, string name) => Assert.Single(metrics, metric => metric.Name == name);

    private static long Sum(List<Metric> metrics, string name, params (string Key, string Value)[] tags)
    {
        var sum = 0L;
        foreach (ref readonly var point in Find(metrics, name).GetMetricPoints())
        {
            var all = new Dictionary<string, object?>();
            foreach (var tag in point.Tags)
            {
                all[tag.Key] = tag.Value;
            }

            sum += tags.All(tag => tag.Value.Equals(all.GetValueOrDefault(tag.Key))) ? point.GetSumLong() : 0;
        }

        return sum;
    }
}
