using System.Net;
using System.Text.Json;
using Consensus.Agent;
using Consensus.Agent.Hosting;
using Consensus.Agent.Storage;
using Consensus.Tests.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Storage;

/// <summary>Agents with <c>DATA</c>, over HTTP.</summary>
[Trait(Category.Name, Category.System)]
public sealed class PersistenceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task After_a_stop_of_all_agents_they_answer_as_before_and_run_numbers_go_on()
    {
        List<(string? Consensus, string Runs)> before;
        await using (var cluster = await StartAsync(3))
        {
            using var client = new ApiClient(cluster.Addresses[0]);
            for (var i = 0; i < 4; i++)
            {
                Assert.Equal(HttpStatusCode.OK, (await client.Post("/run?wait=60")).Code);
            }

            before = await AnswersAsync(cluster);
        }

        await using var again = await StartAsync(3);
        Assert.Equal(before, await AnswersAsync(again));
        using var last = new ApiClient(again.Addresses[2]);
        var (code, run) = await last.Post("/run?wait=60");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.StartsWith("5.agent3.", run.GetProperty("run").GetString(), StringComparison.Ordinal);
        Assert.Equal(3, run.GetProperty("members").EnumerateObject().Count());
    }

    [Fact]
    public async Task A_reset_clears_what_is_kept_but_not_the_history_nor_the_number()
    {
        await using (var cluster = await StartAsync(1))
        {
            using var client = new ApiClient(cluster.Addresses[0]);
            await client.Post("/run?wait=60");
            await client.Post("/reset");
        }

        await using var again = await StartAsync(1);
        using var asked = new ApiClient(again.Addresses[0]);
        Assert.Equal(HttpStatusCode.Accepted, (await asked.Get("/consensus")).Code);
        Assert.Single((await asked.Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray());
        Assert.StartsWith("2.agent1.", (await asked.Post("/run?wait=60")).Body.GetProperty("run").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bare_decision_is_kept_too()
    {
        await using (var cluster = await StartAsync(1))
        {
            using var client = new ApiClient(cluster.Addresses[0]);
            await client.Post("/final", """{"value":2,"round":3}""");
        }

        await using var again = await StartAsync(1);
        using var asked = new ApiClient(again.Addresses[0]);
        var (code, consensus) = await asked.Get("/consensus");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal((2, 3), (consensus.GetProperty("value").GetInt32(), consensus.GetProperty("round").GetInt32()));
    }

    [Fact]
    public async Task A_kept_run_shows_the_restart_in_its_timeline()
    {
        await using (var cluster = await StartAsync(1))
        {
            using var client = new ApiClient(cluster.Addresses[0]);
            await client.Post("/run?wait=60", """{"values":1}""");
        }

        await using var again = await StartAsync(1);
        using var asked = new ApiClient(again.Addresses[0]);
        var (_, timeline) = await asked.Get("/timeline?cluster=true");
        Assert.Equal(["booted", "restored"],
            timeline.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()!));
        Assert.Equal(1, timeline.GetProperty("lanes")[0].GetProperty("value").GetInt32());
    }

    [Fact]
    public async Task Every_persisted_run_has_its_decision_and_its_duration_after_a_restart()
    {
        List<(int Value, double Duration)> before = [];
        await using (var cluster = await StartAsync(2))
        {
            using var client = new ApiClient(cluster.Addresses[0]);
            using var peer = new ApiClient(cluster.Addresses[1]);
            for (var i = 0; i < 2; i++)
            {
                var run = (await client.Post("/run?wait=60")).Body.GetProperty("run");
                Assert.Equal(HttpStatusCode.OK, (await peer.Get($"/consensus?wait=60&run={run}")).Code);
                before.Add(await OutcomeAsync(client, ""));
            }
        }

        await using var again = await StartAsync(2);
        using var asked = new ApiClient(again.Addresses[1]);
        var runs = (await asked.Get("/timeline/runs?cluster=true")).Body.GetProperty("runs").EnumerateArray()
            .Select(run => run.GetProperty("run").GetString()).ToList();
        Assert.Equal(before[0], await OutcomeAsync(asked, $"&run={runs[1]}"));
        Assert.Equal(before[1], await OutcomeAsync(asked, ""));
    }

    [Fact]
    public async Task An_older_run_has_no_lane_for_agents_that_the_cluster_does_not_count_any_more()
    {
        await using (var cluster = await StartAsync(5))
        {
            using var client = new ApiClient(cluster.Addresses[0]);
            await client.Post("/run?wait=60");
        }

        await using var again = await StartAsync(3);
        using var asked = new ApiClient(again.Addresses[0]);
        async Task<List<string>> LanesAsync(string run) =>
            [.. (await asked.Get("/timeline?cluster=true" + run)).Body.GetProperty("lanes").EnumerateArray()
                .Select(lane => $"{lane.GetProperty("agent_id")} {lane.GetProperty("role")} {lane.GetProperty("up")}")];
        Assert.Equal(["agent1 member True", "agent2 member True", "agent3 member True"], await LanesAsync(""));

        // An agent whose id is known keeps its lane while it is down.
        await asked.Post("/run?wait=60");
        var run = (await asked.Get("/timeline/runs")).Body.GetProperty("runs")[1].GetProperty("run").GetString();
        await again.StopAsync(2);
        Assert.Equal(["agent1 member True", "agent2 member True", "agent3 member False"], await LanesAsync($"&run={run}"));
    }

    private static async Task<(int Value, double Duration)> OutcomeAsync(ApiClient client, string run)
    {
        var (_, timeline) = await client.Get("/timeline?cluster=true" + run);
        var value = Assert.Single(timeline.GetProperty("lanes").EnumerateArray()
            .Select(lane => lane.TryGetProperty("value", out var decided) ? decided.GetInt32() : 0).Distinct());
        return (value, timeline.GetProperty("duration_ms").GetDouble());
    }

    [Fact]
    public async Task A_decision_that_cannot_be_persisted_is_not_sent_and_the_others_go_on()
    {
        await using var cluster = await StartAsync(3);
        var clients = cluster.Addresses.Select(address => new ApiClient(address)).ToList();
        await clients[0].Post("/run?wait=60");
        Assert.Equal(HttpStatusCode.OK, (await clients[2].Get("/health")).Code);

        // As good as a disk that fills up: the next write fails.
        cluster.Services[2].GetRequiredService<RunStore>().Dispose();
        var (decided, _) = await clients[0].Post("/run?wait=60", """{"window_ms":0}""");
        Assert.Equal(HttpStatusCode.OK, decided);

        var (code, problem) = await clients[2].Get("/consensus");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        Assert.Equal("not-persisted", problem.GetProperty("reason").GetString());
        Assert.Contains("start this agent again", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await clients[2].Post("/run")).Code);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await clients[2].Post("/reset")).Code);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await clients[2].Get("/health")).Code);
        Assert.Equal(HttpStatusCode.OK, (await clients[1].Get("/health")).Code);
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task A_run_that_was_joined_is_in_the_file_before_its_message_is_answered()
    {
        await using var cluster = await StartAsync(3);
        using var client = new ApiClient(cluster.Addresses[0]);

        // No agent has the boots of agent2 and agent3 that this run names. So no quorum can decide it.
        var boot = (await client.Get("/state")).Body.GetProperty("boot").GetString();
        var round = $$$$"""
            {"round":1,"run":{"id":"7.agent2.gone2","n":3,"start_round":1,"rule":"ratified","values":3,"draw":"fresh","window_ms":200,
             "members":{"agent1":"{{{{boot}}}}","agent2":"gone2","agent3":"gone3"}}}
            """;
        Assert.Equal(HttpStatusCode.OK, (await client.Post("/new_round", round)).Code);

        // As a kill leaves the file.
        var file = RunStoreFactory.PathFor(Path.Combine(_folder.FullName, "kept.db"), "agent1");
        var copy = Path.Combine(_folder.FullName, "copy.db");
        File.Copy(file, copy);
        File.Copy(file + "-wal", copy + "-wal");
        using var store = RunStoreFactory.Open(copy, "agent1");
        Assert.Equal(7, store.Restored.Run?.Id.Number);
    }

    [Fact]
    public async Task A_decision_that_cannot_be_kept_is_seen_nowhere()
    {
        await using var cluster = await StartAsync(1);
        cluster.Services[0].GetRequiredService<RunStore>().Dispose();
        using var client = new ApiClient(cluster.Addresses[0]);
        var waiting = client.Get("/consensus?wait=60");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.Post("/run?wait=60")).Code);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await waiting).Code);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.Get("/state")).Code);
        Assert.Empty((await client.Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray());
        Assert.False((await client.Get("/timeline")).Body.TryGetProperty("events", out _));
    }

    private Task<LocalCluster> StartAsync(int agents) => LocalCluster.StartAsync(
        agents, 0, ThreeAgents.Patient with { Data = Path.Combine(_folder.FullName, "kept.db") },
        configure: (_, builder) => builder.Logging.ClearProviders());

    // How many messages an agent sent grows as it sends more, also of a decided run.
    private static async Task<List<(string?, string)>> AnswersAsync(LocalCluster cluster)
    {
        var answers = new List<(string?, string)>();
        foreach (var address in cluster.Addresses)
        {
            using var client = new ApiClient(address);
            var (code, consensus) = await client.Get("/consensus?wait=60");
            Assert.Equal(HttpStatusCode.OK, code);
            var runs = (await client.Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray()
                .Select(run => string.Join(
                    ' ', run.EnumerateObject().Where(field => field.Name != "sent").Select(field => $"{field.Name}={field.Value}")));
            answers.Add((consensus.GetRawText(), string.Join('\n', runs)));
        }

        return answers;
    }
}
