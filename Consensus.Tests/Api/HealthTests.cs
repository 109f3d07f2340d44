using System.Net;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Agent.Peers;
using Consensus.Conformance;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Api;

/// <summary>What <c>/health</c> says, and with which status.</summary>
[Trait(Category.Name, Category.System)]
public sealed class HealthTests() : ThreeAgents(Breakable)
{
    private static readonly string[] Names = ["agent2", "agent3"];

    [Fact]
    public async Task A_healthy_agent_says_one_word_and_with_verbose_every_check()
    {
        await Until(0, text => text == "Healthy");
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await TextOf(0, "/health"));
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await TextOf(0, "/alive"));
        var lines = (await TextOf(0, "/health?verbose")).Text.Split('\n');
        Assert.Equal(
            ["Healthy", "process (Healthy)", "data (Healthy)", "core (Healthy)", "quorum (Healthy)",
                "key (Healthy)", "cluster-size (Healthy)", "faults (Healthy)", "run (Healthy)"],
            lines.Select(line => line.Split(": ")[0]));
        Assert.All(lines.Skip(1), line => Assert.NotEqual("", line.Split(": ", 2)[1]));
    }

    [Fact]
    public async Task An_isolated_agent_is_degraded_answers_200_and_names_the_cause_until_it_is_reconnected()
    {
        await Until(0, text => text == "Healthy");
        await Clients[0].Put("/faults", """{"isolate":true}""");
        var (code, text) = await TextOf(0, "/health");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal(["Degraded", "faults: isolated by /faults: DELETE /faults reconnects this agent"],
            text.Split('\n').Where(line => !line.StartsWith("quorum:", StringComparison.Ordinal)));

        // The others are a quorum without it, once they know each other.
        await Until(1, text => text == "Healthy");
        await Clients[0].Send(HttpMethod.Delete, "/faults", null);
        await Until(0, text => text == "Healthy");
    }

    [Fact]
    public async Task An_agent_that_reaches_no_quorum_is_degraded_names_the_peers_and_stays_live()
    {
        await Clients[0].Post("/run?wait=60");
        await Task.WhenAll(Cluster.StopAsync(1), Cluster.StopAsync(2));
        var text = await Until(0, text => text.StartsWith("Degraded", StringComparison.Ordinal));
        const string Unreachable = @"not reachable \(last contact \d+ s ago\)";
        Assert.Matches($@"^Degraded\nquorum: (agent2, agent3 {Unreachable}|agent2 {Unreachable}; agent3 {Unreachable})$", text);
        Assert.Equal(HttpStatusCode.OK, (await TextOf(0, "/health")).Code);
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await TextOf(0, "/alive"));
    }

    [Fact]
    public async Task One_unreachable_peer_of_two_is_named_but_degrades_nothing()
    {
        await Clients[0].Post("/run?wait=60");
        await Cluster.StopAsync(2);
        var text = await Until(0, text => text.Contains("agent3 not reachable", StringComparison.Ordinal), "/health?verbose");
        Assert.StartsWith("Healthy\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_without_a_quorum_of_members_degrades_those_that_take_part_with_the_reason_that_consensus_gives()
    {
        // Two of three members restarted since this run was named.
        var boot = (await Clients[0].Get("/state")).Body.GetProperty("boot").GetString();
        var descriptor = $$$"""
            {"id":"7.agent2.gone2","n":3,"start_round":1,"rule":"ratified","values":3,"draw":"fresh","window_ms":200,
             "members":{"agent1":"{{{boot}}}","agent2":"gone2","agent3":"gone3"}}
            """;
        var (code, _) = await Clients[0].Post("/new_round", $$"""{"round":1,"run":{{descriptor}}}""");
        Assert.Equal(HttpStatusCode.OK, code);

        const string Reason = "agent2 restarted; agent3 restarted: POST /run again";
        await Until(0, text => text.Contains($"\nrun: stalled without a quorum: {Reason}", StringComparison.Ordinal));
        Assert.Equal(Reason, (await Clients[0].Get("/consensus")).Body.GetProperty("reason").GetString());

        // The agents that restarted take no part in it.
        await Until(1, text => text.StartsWith("Healthy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_cluster_s_answer_holds_each_agent_s_health_with_the_age_of_its_contacts()
    {
        await Clients[0].Post("/run?wait=60");
        await Clients[1].Put("/faults", """{"isolate":true}""");
        await Until(1, text => text.StartsWith("Degraded", StringComparison.Ordinal));
        var agents = (await Clients[0].Get("/cluster")).Body.GetProperty("agents").EnumerateArray()
            .Select(agent => agent.GetProperty("health")).ToList();
        Assert.Equal(["healthy", "degraded", "healthy"], agents.Select(health => health.GetProperty("status").GetString()));
        Assert.Contains("faults: isolated by /faults: DELETE /faults reconnects this agent",
            agents[1].GetProperty("reasons").EnumerateArray().Select(reason => reason.GetString()));
        Assert.Empty(agents[0].GetProperty("reasons").EnumerateArray());
        Assert.Equal(Names, agents[0].GetProperty("last_contact_s").EnumerateObject().Select(peer => peer.Name));
        Assert.All(agents[0].GetProperty("last_contact_s").EnumerateObject(), peer => Assert.InRange(peer.Value.GetDouble(), 0, 600));

        // Without the question, an agent's state is what it was.
        Assert.False((await Clients[0].Get("/state")).Body.TryGetProperty("health", out _));
    }

    [Fact]
    public async Task A_peer_with_another_key_degrades_both_ways_before_any_run_is_asked_for()
    {
        var ports = LoopbackPorts.Free(2);
        await using var first = await StartOneAsync(0, new ClusterKey("correct-horse-battery"));
        await using var second = await StartOneAsync(1, new ClusterKey("staple-correct-horse"));
        for (var agent = 0; agent < 2; agent++)
        {
            using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ports[agent]}") };
            var text = await UntilAsync(client, "/health", text => text.Contains("\nkey:", StringComparison.Ordinal));
            Assert.Contains($"\nkey: refused by http://127.0.0.1:{ports[1 - agent]}: give all agents the same CLUSTER_KEY",
                text, StringComparison.Ordinal);
        }

        async Task<App> StartOneAsync(int number, ClusterKey key)
        {
            var options = new AgentOptions
            {
                Id = $"agent{number + 1}", Peers = [new Uri($"http://127.0.0.1:{ports[1 - number]}")], Key = key,
            };
            var app = AgentApplication.Build(options, [], builder => builder.Logging.ClearProviders());
            app.Urls.Add($"http://127.0.0.1:{ports[number]}");
            await app.StartAsync();
            app.Services.GetRequiredService<AgentService>().Start();
            return new App(app);
        }
    }

    [Fact]
    public async Task Peers_that_speak_no_TLS_are_named_with_the_reason_and_nobody_is_told_to_bring_them_up()
    {
        var peers = Cluster.Addresses.Take(2).Select(address => new UriBuilder(address) { Scheme = "https" }.Uri).ToList();
        var app = AgentApplication.Build(Patient with { Id = "agent4", Peers = peers }, [], builder => builder.Logging.ClearProviders());
        await using var disposed = new App(app);
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync();
        app.Services.GetRequiredService<AgentService>().Start();
        using var client = new ApiClient(LocalCluster.AddressOf(app));
        var detail = (await client.Post("/run")).Body.GetProperty("detail").GetString()!;
        Assert.Equal(2, detail.Split("cannot be called. TLS failed: no TLS is spoken there").Length - 1);
        Assert.DoesNotContain("Bring up", detail, StringComparison.Ordinal);
        using var http = new HttpClient { BaseAddress = LocalCluster.AddressOf(app) };
        Assert.Contains("(no contact yet. TLS failed: no TLS is spoken", await http.GetStringAsync("/health"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_shuts_down_is_unhealthy()
    {
        var app = AgentApplication.Build(new AgentOptions { Id = "agent1" }, [], builder => builder.Logging.ClearProviders());
        await using var disposed = new App(app);
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync();
        var checks = app.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Healthy, (await checks.CheckHealthAsync()).Status);
        app.Lifetime.StopApplication();
        var report = await checks.CheckHealthAsync();
        Assert.Equal((HealthStatus.Unhealthy, "shutting down"), (report.Status, report.Entries["process"].Description));
    }

    [Fact]
    public void An_agent_is_not_ready_until_it_knows_of_a_quorum_and_degraded_once_it_knows_that_there_is_none()
    {
        var time = new FakeTimeProvider();
        var peers = Peers(time);
        peers[0].Failed();
        var result = AgentHealth.Quorum(peers);
        Assert.Equal((HealthStatus.Unhealthy, "not ready: no response yet from http://agent2, http://agent3"),
            (result.Status, result.Description));
        peers[0].Responded();
        Assert.Equal(HealthStatus.Healthy, AgentHealth.Quorum(peers).Status);
        peers = Peers(time);
        peers[0].Failed();
        peers[1].Failed();
        time.Advance(Peer.StartPeriod);
        result = AgentHealth.Quorum(peers);
        Assert.Equal((HealthStatus.Degraded, "http://agent2, http://agent3 not reachable (no contact yet)"),
            (result.Status, result.Description));
    }

    [Fact]
    public void Ages_that_differ_are_listed_for_each_peer_until_a_response()
    {
        var time = new FakeTimeProvider();
        var peers = Peers(time);
        peers[0].Responded();
        time.Advance(TimeSpan.FromSeconds(3.5));
        peers[1].Responded();
        time.Advance(TimeSpan.FromSeconds(9));
        peers[0].Failed();
        Assert.Equal(HealthStatus.Healthy, AgentHealth.Quorum(peers).Status);
        peers[1].Failed();
        Assert.Equal("http://agent2 not reachable (last contact 12 s ago); http://agent3 not reachable (last contact 9 s ago)",
            AgentHealth.Quorum(peers).Description);
        peers[1].Responded();
        Assert.Equal(HealthStatus.Healthy, AgentHealth.Quorum(peers).Status);
    }

    [Fact]
    public void A_peer_that_counts_another_number_of_agents_degrades()
    {
        var peers = Peers(TimeProvider.System);
        peers[0].Responded(new Response() { Agents = 3 });
        Assert.Equal(HealthStatus.Healthy, AgentHealth.ClusterSize(peers).Status);
        peers[1].Responded(new Response() { Agents = 2 });
        var result = AgentHealth.ClusterSize(peers);
        Assert.Equal((HealthStatus.Degraded, "this agent counts 3 agents, http://agent3 counts 2: give all the same PEERS"),
            (result.Status, result.Description));
    }

    private static IReadOnlyList<Peer> Peers(TimeProvider time) =>
        new PeerDirectory(new AgentOptions { Id = "agent1", Peers = [new Uri("http://agent2"), new Uri("http://agent3")] }, time).All;

    private async Task<(HttpStatusCode Code, string Text)> TextOf(int agent, string path)
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[agent] };
        using var response = await http.GetAsync(path);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task<string> Until(int agent, Func<string, bool> isSo, string path = "/health")
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[agent] };
        return await UntilAsync(http, path, isSo);
    }

    private static async Task<string> UntilAsync(HttpClient http, string path, Func<string, bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            // An agent that does not know its peers yet answers 503.
            using var response = await http.GetAsync(path, patience.Token);
            var text = await response.Content.ReadAsStringAsync(patience.Token);
            if (isSo(text))
            {
                return text;
            }

            await Task.Delay(50, patience.Token);
        }
    }

    private sealed class App(Microsoft.AspNetCore.Builder.WebApplication app) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await LocalCluster.EndAsync(app);
    }
}
