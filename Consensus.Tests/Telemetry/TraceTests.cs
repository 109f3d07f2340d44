using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Protocol;
using Consensus.Agent.Telemetry;
using Consensus.Tests.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Telemetry;

/// <summary>What the traces of three agents say.</summary>
[Trait(Category.Name, Category.System)]
public sealed partial class TraceTests
{
    [Fact]
    public async Task One_run_is_one_trace_whose_spans_name_each_message_and_its_receiver()
    {
        await using var cluster = await TracedCluster.StartAsync();
        var answer = await cluster.DecideAsync();
        await cluster.Clients[0].Get("/state");
        await cluster.Clients[0].Get("/health");
        await cluster.Clients[0].Get("/cluster");
        await cluster.DisposeAsync();

        var run = answer.GetProperty("run").GetString();
        var (value, rounds) =
            (answer.GetProperty("outcome").GetProperty("value").GetInt32(), answer.GetProperty("outcome").GetProperty("round").GetInt32());
        var all = cluster.Spans;
        Assert.Equal($"run 1: decided {value} in round {rounds}", AssertOneTree(all).DisplayName);
        for (var agent = 0; agent < 3; agent++)
        {
            var spans = cluster.SpansOf(agent);
            var span = Assert.Single(spans, span => span.OperationName == "run");
            Assert.Equal($"agent{agent + 1}", span.GetTagItem("consensus.agent.id"));
            Assert.Equal(run, span.GetTagItem("consensus.run.id"));
            Assert.Equal("ratified", span.GetTagItem("consensus.rule"));
            Assert.Equal(value, span.GetTagItem("consensus.value"));
            var outcome = Assert.IsType<string>(span.GetTagItem("consensus.outcome"));
            Assert.Contains(outcome, new[] { "decided", "learned" });
            var mark = Assert.Single(spans, decision => decision.OperationName.StartsWith($"{outcome} {value}", StringComparison.Ordinal));
            if (outcome == "decided")
            {
                Assert.Matches(@"^[23] of 3 votes: agent\d, agent\d", Assert.IsType<string>(mark.GetTagItem("consensus.support")));
            }

            Assert.All(spans.Where(IsRound), round =>
            {
                Assert.Equal(span.SpanId, round.ParentSpanId);
                Assert.Equal("propose", round.Events.First().Name);
                Assert.NotNull(round.GetTagItem("consensus.attempts"));
            });
        }

        // An agent that learns what others decided may be in the next round by then.
        var entered = cluster.SpansOf(0).Count(IsRound);
        var hasDecided = cluster.SpansOf(0).Any(span => span.GetTagItem("consensus.outcome") is "decided");
        Assert.InRange(entered, hasDecided ? rounds : 1, hasDecided ? rounds : rounds + 1);
        Assert.All(all.Where(span => span.Kind == ActivityKind.Client), span => Assert.Matches(SentMessage(), span.DisplayName));
        Assert.All(all.Where(span => span.Kind == ActivityKind.Server), span => Assert.Matches(ReceivedMessage(), span.DisplayName));
        Assert.Contains(all, span => span.DisplayName.EndsWith("→ agent2", StringComparison.Ordinal));

        // The dashboard shows the name of a call only where the call is not described as one of HTTP.
        Assert.All(all, span => Assert.Null(span.GetTagItem("http.request.method")));

        // Messages lie under the round that caused them. Only the handshake comes before any round.
        var byId = all.ToDictionary(span => span.SpanId);
        Assert.All(all.Where(span => span.Kind == ActivityKind.Client), call =>
            Assert.Equal(call.DisplayName.StartsWith("handshake", StringComparison.Ordinal),
                byId[call.ParentSpanId].OperationName == "run"));
    }

    [Fact]
    public async Task A_run_that_decides_is_no_error_though_an_agent_is_down()
    {
        await using var cluster = await TracedCluster.StartAsync();

        // A peer whose first call failed would not be called again in the run.
        await WaitUntilAsync(async () =>
        {
            var health = (await cluster.Clients[0].Get("/state?health=true")).Body.GetProperty("health");
            return health.GetProperty("last_contact_s").EnumerateObject().All(contact => contact.Value.ValueKind == JsonValueKind.Number);
        });
        await cluster.StopAsync(2);
        var answer = await cluster.DecideAsync("""{"window_ms":20}""", 0, 1);
        await cluster.DisposeAsync();

        Assert.StartsWith("run 1: decided", AssertOneTree(cluster.Spans).DisplayName, StringComparison.Ordinal);
        Assert.All(cluster.Spans, span => Assert.NotEqual(ActivityStatusCode.Error, span.Status));
        Assert.Contains(cluster.Spans,
            span => Equals(span.GetTagItem("consensus.outcome"), "failed") && span.Events.Any(e => e.Name == "no answer"));
        Assert.Equal(1, answer.GetProperty("missing").GetArrayLength());
    }

    [Fact]
    public async Task A_start_without_a_quorum_is_a_trace_that_says_so()
    {
        await using var cluster = await TracedCluster.StartAsync();
        await cluster.Clients[0].Put("/faults", """{"isolate":true}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await cluster.Clients[0].Post("/run?wait=30")).Code);
        await cluster.DisposeAsync();
        Assert.StartsWith("run: not started, too few answered, missing ",
            AssertOneTree(cluster.Spans).DisplayName, StringComparison.Ordinal);
    }

    [Fact]
    public void A_start_that_is_refused_for_cluster_sizes_is_a_trace_that_says_so()
    {
        var tracing = new RunTracing("agent-of-three");
        var names = new List<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source == tracing.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => names.Add(span.DisplayName),
        };
        ActivitySource.AddActivityListener(listener);
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var logger = new RunLogger(new AgentOptions { Id = "agent1" }, TimeProvider.System, NullLogger<RunLogger>.Instance);
        var telemetry = new AgentTelemetry(tracing, new AgentMetrics(services.GetRequiredService<IMeterFactory>()), logger);
        telemetry.StartTakenUp(default);
        telemetry.StartEnded(new ClusterSizeMismatch(new Dictionary<string, int> { ["agent1"] = 3, ["agent2"] = 2 }));
        Assert.Equal("run: not started, the agents count differently: agent1=3 agent2=2", Assert.Single(names));
    }

    [Fact]
    public async Task A_start_that_finds_the_queue_full_changes_nothing_of_the_start_in_hand()
    {
        await using var cluster = await TracedCluster.StartAsync();
        Assert.Equal(HttpStatusCode.OK,
            (await cluster.Clients[1].Put("/faults", """{"links":[{"direction":"in","delay_ms":900}]}""")).Code);
        Assert.Equal(HttpStatusCode.OK,
            (await cluster.Clients[2].Put("/faults", """{"links":[{"direction":"in","delay_ms":900}]}""")).Code);
        var node = cluster.Services[0].GetRequiredService<AgentService>();
        var starts = Enumerable.Range(0, ProtocolLimits.MaxQueuedStarts + 2).Select(_ => node.StartAsync(new RunRequest())).ToList();
        Assert.IsType<StartQueueFull>(await starts[^1]);
        Assert.Equal(HttpStatusCode.OK, (await cluster.Clients[1].Send(HttpMethod.Delete, "/faults", null)).Code);
        Assert.Equal(HttpStatusCode.OK, (await cluster.Clients[2].Send(HttpMethod.Delete, "/faults", null)).Code);
        Assert.All(await Task.WhenAll(starts[..^1]), outcome => Assert.IsType<RunStarted>(outcome));
        await cluster.DisposeAsync();

        var roots = cluster.SpansOf(0).Where(span => span.ParentSpanId == default).Select(span => span.DisplayName.Split(':')[0]);
        Assert.Equal(Enumerable.Range(1, starts.Count - 1).Select(number => $"run {number}"),
            roots.OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal));
    }

    [Fact]
    public async Task After_a_restart_with_persisted_decisions_every_span_has_its_parent()
    {
        var folder = Directory.CreateTempSubdirectory();
        var options = ThreeAgents.Patient with { Faults = true, Data = Path.Combine(folder.FullName, "kept.db") };
        try
        {
            await using var before = await TracedCluster.StartAsync(options: options);
            await before.DecideAsync();
            await before.DisposeAsync();

            // Each agent sends the decision that it kept to the others again.
            await using var after = await TracedCluster.StartAsync(options: options);
            await WaitUntilAsync(async () => await CountAsync(after, "answered", null) >= 2 * after.Clients.Count);

            // An isolated agent gets the messages of a run again and again, until it learns the decision.
            Assert.Equal(HttpStatusCode.OK, (await after.Clients[2].Put("/faults", """{"isolate":true}""")).Code);
            var answer = await after.DecideAsync("""{"window_ms":20}""", 0, 1);
            await WaitUntilAsync(async () => await CountAsync(after, "lost", "final") >= 2);
            var reconnected = DateTime.UtcNow;
            Assert.Equal(HttpStatusCode.OK, (await after.Clients[2].Send(HttpMethod.Delete, "/faults", null)).Code);
            await after.KnowsAsync(2, answer.GetProperty("run").GetString()!);
            await after.DisposeAsync();

            // It comes back once more when all decisions are old: what it asks for belongs to no trace.
            await using var last = await TracedCluster.StartAsync(options: options);
            await WaitUntilAsync(async () => await CountAsync(last, "answered", null) >= 2 * last.Clients.Count);
            await last.DisposeAsync();

            List<Activity> all = [.. before.Spans, .. after.Spans, .. last.Spans];
            AssertTrees(all);
            var runs = all.Where(span => span.ParentSpanId == default && !span.Links.Any()).ToList();
            Assert.Equal(2, runs.Count);

            // The decision reached agent3 after the run, in a trace that links to the run's. Agent3 may pass it on in that trace.
            var late = Assert.Single(all, span => span.ParentSpanId == default && span.Links.Any());
            Assert.Equal(runs[1].TraceId, late.Links.Single().Context.TraceId);
            Assert.All(all.Where(span => span.TraceId == late.TraceId && AgentOf(span) != "agent3"),
                span => Assert.EndsWith("← agent3", span.DisplayName, StringComparison.Ordinal));
            Assert.All(all.Where(span => span.TraceId != late.TraceId),
                span => Assert.True(span.StartTimeUtc + span.Duration < reconnected));
            Assert.Equal(2, all.Count(span => span.OperationName == "run" && Equals(span.GetTagItem("consensus.agent.id"), "agent3")));
            Assert.Empty(last.Spans);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task An_agent_that_learns_a_decision_by_asking_for_state_begins_a_trace_that_links_to_the_run()
    {
        // Agent3 asks as it starts, and again when its clock moves. A state asked for within the run would bring it undecided.
        var clock = new FakeTimeProvider();
        await using var cluster = await TracedCluster.StartAsync(clockOf: agent => agent == 2 ? clock : TimeProvider.System);
        await cluster.Clients[2].UntilPeersAnsweredAsync();
        Assert.Equal(HttpStatusCode.OK,
            (await cluster.Clients[2].Put("/faults", """{"links":[{"direction":"in","isolate":true}]}""")).Code);
        var answer = await cluster.DecideAsync("{}", 0, 1);
        clock.Advance(TimeSpan.FromMilliseconds(ProtocolTiming.MaxBackOffMs));
        await cluster.KnowsAsync(2, answer.GetProperty("run").GetString()!);
        await cluster.DisposeAsync();

        AssertTrees(cluster.Spans);
        var run = Assert.Single(cluster.Spans, span => span.OperationName == "run" && span.ParentSpanId == default && !span.Links.Any());
        var learned = Assert.Single(cluster.Spans, span => span.OperationName == "run" && span.Links.Any());
        Assert.Equal((run.TraceId, "agent3"), (learned.Links.Single().Context.TraceId, AgentOf(learned)));
        Assert.Equal(
            ["agent1", "agent2", "agent3"],
            cluster.Spans.Where(span => span.OperationName == "run")
                .Select(span => (string)span.GetTagItem("consensus.agent.id")!).Order());
    }

    [Fact]
    public async Task Each_start_is_a_trace_though_a_peer_hangs_and_another_start_waits()
    {
        // The first start waits for agent3 until its window closes. The second waits for the first.
        await using var cluster = await TracedCluster.StartAsync();
        Assert.Equal(HttpStatusCode.OK,
            (await cluster.Clients[2].Put("/faults", """{"links":[{"direction":"in","delay_ms":900}]}""")).Code);
        await Task.WhenAll(cluster.Clients[0].Post("/run?wait=60", """{"window_ms":400}"""),
            cluster.Clients[0].Post("/run?wait=60", """{"window_ms":400}"""));
        Assert.Equal(HttpStatusCode.OK, (await cluster.Clients[0].Get("/consensus?wait=60")).Code);
        await cluster.DisposeAsync();

        AssertTrees(cluster.Spans);
        var starts = cluster.SpansOf(0).Where(span => span.ParentSpanId == default).ToList();
        Assert.Equal(2, starts.Count);

        // An agent that a run reaches after its decision begins a trace of its own, linked to the run's.
        Assert.All(cluster.Spans.Where(span => span.ParentSpanId == default).Except(starts), late =>
        {
            Assert.Contains(late, cluster.SpansOf(2));
            Assert.Contains(Assert.Single(late.Links).Context.TraceId, starts.Select(start => start.TraceId));
        });
        Assert.All(starts, root =>
        {
            // A start makes no handshake where all peers answered a moment before.
            var handshakes = cluster.Spans.Where(span => span.DisplayName.StartsWith("handshake →", StringComparison.Ordinal));
            Assert.Contains(handshakes.Count(span => span.ParentSpanId == root.SpanId), new[] { 0, 2 });
        });
    }

    [Fact]
    public async Task Span_metric_log_and_history_give_a_decision_one_duration()
    {
        await using var cluster = await TracedCluster.StartAsync();
        var run = (await cluster.DecideAsync()).GetProperty("run").GetString();
        for (var agent = 0; agent < 3; agent++)
        {
            var (_, history) = await cluster.Clients[agent].Get("/timeline/runs");
            var expected = history.GetProperty("runs")[0].GetProperty("duration_ms").GetDouble();
            var log = Assert.Single(cluster.LogsOf(agent), line => line.Attributes.ContainsKey("DurationMs"));
            Assert.Equal(expected, Assert.IsType<double>(log.Attributes["DurationMs"]), 6);
            var span = Assert.Single(cluster.SpansOf(agent), span => span.OperationName == "run");
            Assert.Equal(expected, span.Duration.TotalMilliseconds, 3);
            var metric = Assert.Single(cluster.MetricsOf(agent), metric => metric.Name == "consensus.decision.duration");
            Assert.Equal(expected, MetricTests.HistogramOf(metric).Sum * 1000, 6);
        }

        var (_, merged) = await cluster.Clients[1].Get($"/timeline?cluster=true&run={run}");
        var (_, own) = await cluster.Clients[0].Get("/timeline/runs");
        var (_, all) = await cluster.Clients[1].Get("/timeline/runs?cluster=true");
        Assert.Equal(own.GetProperty("runs")[0].GetProperty("duration_ms").GetDouble(), merged.GetProperty("duration_ms").GetDouble());
        Assert.Equal(own.GetProperty("runs")[0].GetProperty("duration_ms").GetDouble(),
            all.GetProperty("runs")[0].GetProperty("duration_ms").GetDouble());
    }

    private static string? AgentOf(Activity span) => span.Source.Name.Split('.')[2];

    private static bool IsRound(Activity span) => span.OperationName.StartsWith("round ", StringComparison.Ordinal);

    /// <summary>All are one trace.</summary>
    /// <returns>Its root.</returns>
    private static Activity AssertOneTree(List<Activity> spans)
    {
        AssertTrees(spans);
        return Assert.Single(spans, span => span.ParentSpanId == default);
    }

    /// <summary>
    /// Each trace has several spans, one root, which begins first, and every other span has its parent. The root is a run, or links to
    /// one that it brings late.
    /// </summary>
    private static void AssertTrees(List<Activity> spans)
    {
        Assert.Equal(spans.Count, spans.Select(span => span.SpanId).Distinct().Count());
        foreach (var trace in spans.GroupBy(span => span.TraceId))
        {
            var ids = trace.Select(span => span.SpanId).ToHashSet();
            Assert.True(trace.Count() > 1, $"{trace.First().DisplayName} is a trace of its own");
            var root = Assert.Single(trace, span => span.ParentSpanId == default);
            Assert.True(root.OperationName == "run" || root.Links.Any(), $"{root.DisplayName} is the root");
            Assert.Equal(root, trace.MinBy(span => span.StartTimeUtc));
            Assert.All(trace.Where(span => span.ParentSpanId != default), span =>
                Assert.True(ids.Contains(span.ParentSpanId), $"the parent of {span.DisplayName} is missing"));
        }
    }

    /// <summary>How many events of this kind, of messages of this kind where one is named, the agents recorded of the newest run.</summary>
    private static async Task<int> CountAsync(TracedCluster cluster, string kind, string? message)
    {
        var count = 0;
        foreach (var client in cluster.Clients)
        {
            var (_, own) = await client.Get("/timeline");
            var events = own.GetProperty("events").EnumerateArray().ToList();
            var sent = events.Where(e => e.GetProperty("kind").GetString() == "sent")
                .Where(e => message is null || e.GetProperty("message").GetString() == message)
                .Select(e => e.GetProperty("message_id").GetInt64()).ToHashSet();
            count += events.Count(e => e.GetProperty("kind").GetString() == kind && sent.Contains(e.GetProperty("message_id").GetInt64()));
        }

        return count;
    }

    private static async Task WaitUntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!await holds())
        {
            await Task.Delay(20, patience.Token);
        }
    }

    [GeneratedRegex(
        "^(handshake|new_round \\d+(, propose \\d+)?|propose \\d+|vote (\\d+|none)|final \\d+) → (agent\\d|127\\.0\\.0\\.1:\\d+)$")]
    private static partial Regex SentMessage();

    [GeneratedRegex("^(handshake|new_round \\d+(, propose \\d+)?|propose \\d+|vote (\\d+|none)|final \\d+) ← agent\\d$")]
    private static partial Regex ReceivedMessage();
}
