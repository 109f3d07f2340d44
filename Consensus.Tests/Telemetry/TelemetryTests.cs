using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Consensus.Agent.Hosting;
using Consensus.Agent.Telemetry;
using Consensus.Tests.Api;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Consensus.Tests.Telemetry;

/// <summary>What three agents in one process tell a collector, each for itself.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private readonly ConcurrentDictionary<int, List<Activity>> _spans = new();
    private readonly ConcurrentDictionary<int, List<Metric>> _metrics = new();
    private LocalCluster _cluster = null!;
    private Client _client = null!;

    public async Task InitializeAsync()
    {
        _cluster = await LocalCluster.StartAsync(3, 0, ThreeAgents.Patient with { Faults = true }, args: ["--Telemetry:Always=true"], configure: (agent, builder) =>
        {
            builder.Logging.ClearProviders();
            var spans = _spans[agent] = [];
            var metrics = _metrics[agent] = [];
            builder.Services.AddOpenTelemetry()
                .WithTracing(tracing => tracing.AddProcessor(services =>
                    OwnSpans.ExportedBy(services, new SimpleActivityExportProcessor(new InMemoryExporter<Activity>(spans)))))
                .WithMetrics(reading => reading.AddReader(new BaseExportingMetricReader(new InMemoryExporter<Metric>(metrics))));
        });
        _client = new Client(_cluster.Addresses[0]);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task One_run_is_one_trace_over_all_agents_and_no_span_is_an_orphan()
    {
        var answer = await DecideAsync("{}");
        await _client.Get("/state");
        await _client.Get("/health");
        await _client.Get("/cluster");
        await _cluster.DisposeAsync();

        var all = _spans.Values.SelectMany(spans => spans).ToList();
        Assert.Single(all.Select(span => span.TraceId).Distinct());
        Assert.Equal(all.Count, all.Select(span => span.SpanId).Distinct().Count());
        var ids = all.Select(span => span.SpanId).ToHashSet();
        Assert.Equal("POST /run", Assert.Single(all, span => !ids.Contains(span.ParentSpanId)).DisplayName);

        var run = answer.GetProperty("run").GetString();
        var rounds = answer.GetProperty("outcome").GetProperty("round").GetInt32();
        for (var agent = 0; agent < 3; agent++)
        {
            var span = Assert.Single(_spans[agent], span => span.OperationName == "run");
            Assert.Equal($"agent{agent + 1}", span.GetTagItem("consensus.agent.id"));
            Assert.Equal(run, span.GetTagItem("consensus.run.id"));
            Assert.Equal("ratified", span.GetTagItem("consensus.rule"));
            Assert.Contains(span.GetTagItem("consensus.outcome"), new[] { "decided", "learned" });
            Assert.Equal(answer.GetProperty("outcome").GetProperty("value").GetInt32(), span.GetTagItem("consensus.value"));
            Assert.Contains(span.Events, happening => happening.Name == "decided");
            Assert.All(_spans[agent].Where(other => other.OperationName.StartsWith("round ", StringComparison.Ordinal)), round =>
            {
                Assert.Equal(span.SpanId, round.ParentSpanId);
                Assert.Equal("propose", round.Events.First().Name);
                Assert.NotNull(round.GetTagItem("consensus.attempts"));
            });
        }

        Assert.Equal(rounds, _spans[0].Count(span => span.OperationName.StartsWith("round ", StringComparison.Ordinal)));

        // Messages lie under the round that caused them; only the handshake comes before any round.
        var byId = all.ToDictionary(span => span.SpanId);
        foreach (var call in all.Where(span => span.Kind == ActivityKind.Client))
        {
            var path = new Uri((string)call.GetTagItem("url.full")!).AbsolutePath;
            var cause = byId[call.ParentSpanId];
            if (path == "/reset")
            {
                Assert.Equal("POST /run", cause.DisplayName);
            }
            else
            {
                Assert.True(cause.OperationName == "run" || cause.OperationName.StartsWith("round ", StringComparison.Ordinal), $"{path} lies under {cause.DisplayName}");
            }
        }

        Assert.All(all.Where(span => span.Kind == ActivityKind.Server), span => Assert.StartsWith("POST", span.DisplayName, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_hears_of_a_run_by_asking_for_state_alone_is_part_of_its_trace()
    {
        using var deaf = new Client(_cluster.Addresses[2]);
        Assert.Equal(HttpStatusCode.OK, (await deaf.Put("/faults", """{"links":[{"direction":"in","isolate":true}]}""")).Code);
        var (_, started) = await _client.Post("/run?wait=30");
        var run = started.GetProperty("run").GetString();
        Assert.Equal(HttpStatusCode.OK, (await deaf.Get($"/consensus?wait=60&run={run}")).Code);
        await _cluster.DisposeAsync();

        var runs = _spans.Values.SelectMany(spans => spans).Where(span => span.OperationName == "run" && Equals(span.GetTagItem("consensus.run.id"), run)).ToList();
        Assert.Equal(["agent1", "agent2", "agent3"], runs.Select(span => (string)span.GetTagItem("consensus.agent.id")!).Order());
        Assert.Single(runs.Select(span => span.TraceId).Distinct());
        var ids = _spans.Values.SelectMany(spans => spans).Select(span => span.SpanId).ToHashSet();
        Assert.All(runs, span => Assert.Contains(span.ParentSpanId, ids));
    }

    [Fact]
    public async Task A_run_lies_under_the_request_that_asked_for_it_though_a_peer_hangs_and_another_start_waits()
    {
        // The first start waits for agent3 until its window closes; the second waits for the first.
        using var third = new Client(_cluster.Addresses[2]);
        Assert.Equal(HttpStatusCode.OK, (await third.Put("/faults", """{"links":[{"direction":"in","delay_ms":900}]}""")).Code);
        await Task.WhenAll(_client.Post("/run?wait=60", """{"window_ms":400}"""), _client.Post("/run?wait=60", """{"window_ms":400}"""));
        Assert.Equal(HttpStatusCode.OK, (await _client.Get("/consensus?wait=60")).Code);
        await _cluster.DisposeAsync();

        var requests = _spans[0].Where(span => span.DisplayName == "POST /run").ToList();
        Assert.Equal(2, requests.Count);
        Assert.All(requests, request =>
        {
            Assert.Single(_spans[0], span => span.OperationName == "run" && span.ParentSpanId == request.SpanId);
            Assert.InRange(_spans[1].Count(span => span.OperationName == "run" && span.TraceId == request.TraceId), 0, 1);

            // No handshake where the agent had just heard from all.
            Assert.Contains(_spans[0].Count(span => span.ParentSpanId == request.SpanId && (span.GetTagItem("url.full") as string)?.EndsWith("/reset", StringComparison.Ordinal) == true), new[] { 0, 2 });
        });
    }

    [Fact]
    public async Task A_long_run_goes_on_in_further_traces_that_all_agents_share_and_that_are_linked_both_ways()
    {
        // With this seed no two of the three draw the same value in the first hundred rounds.
        var answer = await DecideAsync("""{"rule":"classic","values":150,"seed":15,"window_ms":1}""");
        var rounds = answer.GetProperty("outcome").GetProperty("round").GetInt32();
        await _cluster.DisposeAsync();
        Assert.InRange(rounds, 100, 100_000);
        var all = _spans.Values.SelectMany(spans => spans).ToList();
        var stretches = new List<int>();
        foreach (var spans in _spans.Values)
        {
            var runs = spans.Where(span => span.OperationName == "run").ToList();
            stretches.Add(runs.Count);
            for (var i = 1; i < runs.Count; i++)
            {
                Assert.Contains(runs[i - 1].Links, link => link.Context == runs[i].Context);
                Assert.Contains(runs[i].Links, link => link.Context == runs[i - 1].Context);
            }
        }

        // An agent that is dragged along may skip a stretch; those that live through one share its trace. Whoever was
        // told of the run by a peer's state, and not by a message, begins in a trace of its own.
        Assert.InRange(stretches.Max(), (99 / RunTracing.RoundsPerTrace) + 1, int.MaxValue);
        var last = all.Max(span => span.GetTagItem("consensus.round") as int? ?? 0);
        Assert.InRange(all.Select(span => span.TraceId).Distinct().Count(), stretches.Max(), ((last - 1) / RunTracing.RoundsPerTrace) + 1 + 2);
        var ids = all.Select(span => span.SpanId).ToHashSet();
        Assert.All(all.Where(span => span.ParentSpanId != default && !ids.Contains(span.ParentSpanId)), span => Assert.Equal("POST /run", span.DisplayName));
    }

    [Fact]
    public async Task Metrics_tell_runs_rounds_durations_attempts_and_messages()
    {
        var rounds = 0;
        for (var i = 0; i < 5; i++)
        {
            rounds += (await DecideAsync("{}")).GetProperty("outcome").GetProperty("round").GetInt32();
        }

        Assert.True(_cluster.Services[0].GetRequiredService<MeterProvider>().ForceFlush());
        Assert.Equal(5, Sum("consensus.runs", ("consensus.rule", "ratified")));
        Assert.Equal((5, rounds), Histogram("consensus.rounds"));
        var (count, seconds) = Histogram("consensus.decision.duration");
        Assert.Equal(5, count);
        Assert.InRange(seconds, 0.000001, 30);
        Assert.InRange(Sum("consensus.attempts"), 5, 5 + rounds);
        Assert.Equal(10, Sum("consensus.messages", ("consensus.message.type", "new_round"), ("consensus.message.direction", "sent")));
        Assert.Equal("s", Metric("consensus.decision.duration").Unit);
        Assert.All(_metrics[0].Where(metric => metric.Name.StartsWith("consensus.", StringComparison.Ordinal)), metric => Assert.NotEmpty(metric.Description));
    }

    private async Task<System.Text.Json.JsonElement> DecideAsync(string request)
    {
        var (code, answer) = await _client.Post("/run?wait=60", request);
        Assert.Equal(HttpStatusCode.OK, code);
        foreach (var address in _cluster.Addresses)
        {
            using var client = new Client(address);
            Assert.Equal(HttpStatusCode.OK, (await client.Get($"/consensus?wait=60&run={answer.GetProperty("run").GetString()}")).Code);
        }

        return answer;
    }

    private Metric Metric(string name) => Assert.Single(_metrics[0], metric => metric.Name == name);

    private long Sum(string name, params (string Key, string Value)[] tags)
    {
        var sum = 0L;
        foreach (ref readonly var point in Metric(name).GetMetricPoints())
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

    private (long Count, double Sum) Histogram(string name)
    {
        var (count, sum) = (0L, 0.0);
        foreach (ref readonly var point in Metric(name).GetMetricPoints())
        {
            count += point.GetHistogramCount();
            sum += point.GetHistogramSum();
        }

        return (count, sum);
    }
}
