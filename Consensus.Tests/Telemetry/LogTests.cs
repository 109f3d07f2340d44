using System.Net;
using Consensus.Tests.Api;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Telemetry;

/// <summary>What the logs of three agents say.</summary>
[Trait(Category.Name, Category.System)]
public sealed class LogTests
{
    [Fact]
    public async Task Each_agent_logs_its_decision_once_with_how_it_came()
    {
        await using var cluster = await TracedCluster.StartAsync();
        var answer = await cluster.DecideAsync();
        var run = answer.GetProperty("run").GetString();
        var value = answer.GetProperty("outcome").GetProperty("value").GetInt32();
        for (var agent = 0; agent < 3; agent++)
        {
            var line = Assert.Single(cluster.LogsOf(agent), line => line.Text.Contains("decided", StringComparison.Ordinal));
            Assert.Equal(LogLevel.Information, line.Level);
            Assert.StartsWith($"[agent{agent + 1}] decided {value} in round ", line.Text, StringComparison.Ordinal);
            Assert.Equal(run, line.Attributes["consensus.run.id"]);
            Assert.Equal(value, line.Attributes["Value"]);
            Assert.Contains(line.Attributes["How"], new object?[] { "decided", "learned" });
            Assert.InRange(Assert.IsType<int>(line.Attributes["Attempts"]), 1, 100);
            Assert.Contains(cluster.LogsOf(agent),
                draw => draw.Text.StartsWith($"[agent{agent + 1}] Round 1, Attempt 1, Value ", StringComparison.Ordinal));
        }

        var traces = cluster.LogsOf(0).Where(line => line.Text.Contains("decided", StringComparison.Ordinal)).Select(line => line.Trace);
        await cluster.DisposeAsync();
        Assert.Equal(cluster.SpansOf(0)[0].TraceId, Assert.Single(traces));
    }

    [Fact]
    public async Task A_decision_kept_over_a_restart_is_logged_as_recovered()
    {
        var folder = Directory.CreateTempSubdirectory();
        var options = ThreeAgents.Patient with { Data = Path.Combine(folder.FullName, "kept.db") };
        try
        {
            await using var before = await TracedCluster.StartAsync(options: options);
            var run = (await before.DecideAsync()).GetProperty("run").GetString();
            var duration = Assert.Single(before.LogsOf(0), line => line.Attributes.ContainsKey("How")).Attributes["DurationMs"];
            await before.DisposeAsync();
            await using var after = await TracedCluster.StartAsync(options: options);
            var line = Assert.Single(after.LogsOf(0), line => line.Text.Contains("decided", StringComparison.Ordinal));
            Assert.Equal("recovered", line.Attributes["How"]);
            Assert.Equal(run, line.Attributes["consensus.run.id"]);
            Assert.Equal(duration, line.Attributes["DurationMs"]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Faults_are_logged_when_they_are_set_and_lifted()
    {
        await using var cluster = await TracedCluster.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await cluster.Clients[0].Put("/faults", """{"isolate":true}""")).Code);
        Assert.Equal(HttpStatusCode.OK, (await cluster.Clients[0].Put("/faults", """{"links":[{"direction":"out","drop":30}]}""")).Code);
        Assert.Equal(HttpStatusCode.OK, (await cluster.Clients[0].Send(HttpMethod.Delete, "/faults", null)).Code);
        Assert.Equal(
            ["[agent1] Faults set: isolated from all peers",
                "[agent1] Faults set: all peers (out): drop 30 %, delay 0 ms, duplicate 0 %", "[agent1] Faults lifted"],
            cluster.LogsOf(0).Select(line => line.Text).Where(text => text.Contains("Faults", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Each_run_that_stalls_is_logged_as_a_warning_with_each_reason_once()
    {
        // Of the members that the runs name, only agent1 still runs: the others have other boots.
        await using var cluster = await TracedCluster.StartAsync();
        var boot = (await cluster.Clients[0].Get("/state")).Body.GetProperty("boot").GetString();
        List<string> runs = ["5.agent2.x", "6.agent2.x"];
        foreach (var run in runs)
        {
            var (code, _) = await cluster.Clients[0].Post("/new_round", """
                {"round":1,"run":{"id":"RUN","n":3,"start_round":1,"rule":"ratified","values":3,"draw":"fresh","window_ms":200,
                "members":{"agent1":"BOOT","agent2":"x","agent3":"y"}}}
                """.Replace("RUN", run, StringComparison.Ordinal).Replace("BOOT", boot, StringComparison.Ordinal));
            Assert.Equal(HttpStatusCode.OK, code);
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (!Stalls().Any(line => Equals(line.Attributes["consensus.run.id"], run)))
            {
                await Task.Delay(20, patience.Token);
            }
        }

        Assert.Equal(Stalls().Select(line => line.Text).Distinct(), Stalls().Select(line => line.Text));
        Assert.All(Stalls(), line => Assert.Equal(LogLevel.Warning, line.Level));
        Assert.All(Stalls(), line => Assert.Contains("agent2 restarted", line.Text, StringComparison.Ordinal));

        IEnumerable<TracedCluster.LogLine> Stalls() =>
            cluster.LogsOf(0).Where(line => line.Text.Contains("stalled", StringComparison.Ordinal));
    }
}
