using System.Diagnostics;
using System.Net;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Api;

/// <summary>Calls lost, delayed, doubled and cut on purpose, over real HTTP.</summary>
[Trait(Category.Name, Category.System)]
public sealed class FaultsTests() : ThreeAgents(Breakable)
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Assert.Equal(HttpStatusCode.OK, (await Clients[0].Post("/run?wait=30")).Code);
        foreach (var client in Clients)
        {
            await client.UntilPeersAnsweredAsync();
        }
    }

    [Fact]
    public async Task Without_leave_there_are_no_faults_to_be_had()
    {
        await using var cluster = await StartAsync(1);
        using var client = new ApiClient(cluster.Addresses[0]);
        Assert.Equal(HttpStatusCode.NotFound, (await client.Get("/faults")).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await Put(client, """{"isolate":true}""")).Code);
    }

    [Fact]
    public async Task An_isolated_agent_starts_nothing_misses_what_the_rest_decide_and_learns_it_when_it_is_back()
    {
        Assert.Equal(HttpStatusCode.OK, (await Put(Clients[2], """{"isolate":true}""")).Code);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Clients[2].Post("/run")).Code);

        var (code, started) = await Clients[0].Post("/run?wait=30");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("agent3", Assert.Single(started.GetProperty("missing").EnumerateArray()).GetString());
        var run = started.GetProperty("run").GetString();
        Assert.NotEqual(run, (await Clients[2].Get("/state")).Body.GetProperty("run").GetString());

        // It does not remember the run. All agents together do, and it is shown up among them, whichever agent is asked.
        Assert.Equal(HttpStatusCode.NotFound, (await Clients[2].Get($"/timeline?run={run}")).Code);
        foreach (var asked in new[] { Clients[0], Clients[2] })
        {
            var lanes = (await asked.Get($"/timeline?cluster=true&run={run}")).Body.GetProperty("lanes");
            Assert.Equal([true, true, true], lanes.EnumerateArray().Select(lane => lane.GetProperty("up").GetBoolean()));
        }

        // It holds the decision of the run before, has not heard of this one, and so does not call it superseded.
        var (unheard, before) = await Clients[2].Get($"/consensus?run={run}");
        Assert.Equal((HttpStatusCode.Accepted, false, false),
            (unheard, before.GetProperty("reached").GetBoolean(), before.TryGetProperty("superseded", out _)));
        var waiting = Clients[2].Get($"/consensus?wait=60&run={run}");

        var (healed, answer) = await Clients[2].Send(HttpMethod.Delete, "/faults", null);
        Assert.Equal((HttpStatusCode.OK, false), (healed, answer.GetProperty("isolate").GetBoolean()));
        await Clients[2].UntilAsync("/state", state => state.GetProperty("run").GetString() == run);
        var (reached, consensus) = await waiting;
        Assert.Equal(HttpStatusCode.OK, reached);
        Assert.Equal(started.GetProperty("outcome").GetProperty("value").GetInt32(), consensus.GetProperty("value").GetInt32());
    }

    [Fact]
    public async Task An_isolated_agent_is_shown_as_isolated_by_every_agent_until_it_is_reconnected()
    {
        await Put(Clients[0], """{"isolate":true}""");
        foreach (var client in Clients)
        {
            var agents = (await client.Get("/cluster")).Body.GetProperty("agents").EnumerateArray().ToList();
            Assert.All(agents, agent => Assert.True(agent.GetProperty("up").GetBoolean()));
            var isolated = Assert.Single(agents, agent => agent.TryGetProperty("isolated", out var value) && value.GetBoolean());
            Assert.Equal("agent1", isolated.GetProperty("agent_id").GetString());
        }

        await Clients[0].Send(HttpMethod.Delete, "/faults", null);
        Assert.DoesNotContain("isolated", (await Clients[1].Get("/cluster")).Body.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { 0 }, "agent1 is isolated: reconnect it.")]
    [InlineData(new[] { 1, 2 }, "agent2, agent3 are isolated: reconnect them.")]
    public async Task A_run_that_isolation_prevents_says_who_is_to_be_reconnected(int[] isolated, string advice)
    {
        foreach (var agent in isolated)
        {
            await Put(Clients[agent], """{"isolate":true}""");
        }

        var (code, problem) = await Clients[0].Post("/run");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        Assert.Equal("Too few agents answered to start a run; nothing was started. " + advice, problem.GetProperty("detail").GetString());
        Assert.Equal("too-few-agents", problem.GetProperty("reason").GetString());
        Assert.Equal(isolated.Select(agent => $"agent{agent + 1}"),
            problem.GetProperty("isolated").EnumerateArray().Select(agent => agent.GetString()));
        Assert.Equal(["agent2", "agent3"], problem.GetProperty("missing").EnumerateArray().Select(agent => agent.GetString()));
    }

    [Fact]
    public async Task A_run_that_a_dead_and_an_isolated_agent_prevent_names_each_with_its_remedy()
    {
        await Cluster.StopAsync(2);
        await Put(Clients[1], """{"isolate":true}""");
        var (_, problem) = await Clients[0].Post("/run");
        Assert.EndsWith("agent2 is isolated: reconnect it. Bring up agent3 and try again.",
            problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cut_link_fails_its_sender_and_nobody_else()
    {
        Assert.Equal(HttpStatusCode.OK, (await Put(Clients[0], """{"links":[{"peer":"agent2","direction":"in","isolate":true}]}""")).Code);
        await Assert.ThrowsAsync<HttpRequestException>(() => CallAs("agent2", Cluster.Addresses[0]));
        Assert.Equal(HttpStatusCode.OK, await CallAs("agent3", Cluster.Addresses[0]));
        Assert.Equal(HttpStatusCode.OK, await CallAs(null, Cluster.Addresses[0]));
        await Assert.ThrowsAsync<HttpRequestException>(() => Clients[0].Post("/final", """{"value":1,"round":1,"agent_id":"agent2"}"""));
        Assert.Equal(HttpStatusCode.OK, (await Clients[0].Get("/state")).Code);
    }

    [Fact]
    public async Task A_delayed_call_arrives_late()
    {
        Assert.Equal(HttpStatusCode.OK, (await Put(Clients[0], """{"links":[{"direction":"in","delay_ms":150}]}""")).Code);
        var clock = Stopwatch.StartNew();
        Assert.Equal(HttpStatusCode.OK, await CallAs("agent2", Cluster.Addresses[0]));
        Assert.InRange(clock.ElapsedMilliseconds, 140, 10_000);
    }

    [Theory]
    [InlineData("""{"links":[{"drop":30,"delay_ms":5,"duplicate":50}]}""")]
    [InlineData("""{"links":[{"direction":"out","drop":40},{"direction":"in","duplicate":100}]}""")]
    public async Task Over_a_rotten_network_runs_are_still_decided_alike(string faults)
    {
        foreach (var client in Clients)
        {
            Assert.Equal(HttpStatusCode.OK, (await Put(client, faults)).Code);
        }

        for (var i = 0; i < 5; i++)
        {
            var (code, started) = await Retried(Clients[i % 3]);
            Assert.Equal(HttpStatusCode.OK, code);
            var run = started.GetProperty("run").GetString();
            foreach (var client in Clients)
            {
                var value = started.GetProperty("outcome").GetProperty("value").GetInt32();
                await client.UntilAsync("/consensus", answer => answer.GetProperty("reached").GetBoolean()
                    && answer.GetProperty("run").GetString() == run && answer.GetProperty("value").GetInt32() == value);
            }
        }
    }

    [Fact]
    public async Task A_doubled_call_arrives_twice()
    {
        await using var peer = await OriginalHttpAgent.StartAsync();
        var app = AgentApplication.Build(new AgentOptions { Id = "agent1", Peers = [peer.Address], Faults = true }, [], builder =>
        {
            builder.Logging.ClearProviders();
        });
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync();
        try
        {
            using var client = new ApiClient(LocalCluster.AddressOf(app));
            var (taken, _) = await Put(client, $$"""{"links":[{"peer":"{{peer.Address}}","direction":"out","duplicate":100}]}""");
            Assert.Equal(HttpStatusCode.OK, taken);
            await client.Post("/run");
            await peer.Called("reset", times: 2);
        }
        finally
        {
            await LocalCluster.EndAsync(app);
        }
    }

    [Fact]
    public async Task A_peers_faults_are_reached_through_the_serving_agent()
    {
        var (code, answer) = await Clients[0].Put("/cluster/2/faults", """{"links":[{"peer":"agent1","drop":7}]}""");
        Assert.Equal((HttpStatusCode.OK, "agent3"), (code, answer.GetProperty("agent_id").GetString()));
        Assert.Equal(7, (await Clients[2].Get("/faults")).Body.GetProperty("links")[0].GetProperty("drop").GetInt32());
        Assert.Equal(HttpStatusCode.OK, (await Clients[0].Send(HttpMethod.Delete, "/cluster/2/faults", null)).Code);
        Assert.Equal(0, (await Clients[0].Get("/cluster/2/faults")).Body.GetProperty("links").GetArrayLength());
        Assert.Equal(HttpStatusCode.NotFound, (await Clients[0].Get("/cluster/3/faults")).Code);
    }

    [Theory]
    [InlineData("""{"links":[{"drop":101}]}""", "links.drop")]
    [InlineData("""{"links":[{"drop":-1}]}""", "links.drop")]
    [InlineData("""{"links":[{"duplicate":101}]}""", "links.duplicate")]
    [InlineData("""{"links":[{"delay_ms":60001}]}""", "links.delay_ms")]
    [InlineData("""{"links":[{"peer":"nobody"}]}""", "nobody")]
    [InlineData("""{"links":[null]}""", "null")]
    [InlineData("""{"links":[{"direction":"up"}]}""", "direction")]
    [InlineData("""{"isolate":"yes"}""", "isolate")]
    public async Task Faults_that_cannot_be_are_refused_and_change_nothing(string faults, string named)
    {
        var (code, problem) = await Put(Clients[0], faults);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.Contains(named, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, (await Clients[0].Get("/faults")).Body.GetProperty("links").GetArrayLength());
    }

    private static Task<(HttpStatusCode Code, System.Text.Json.JsonElement Body)> Put(ApiClient client, string faults) =>
        client.Put("/faults", faults);

    // A handshake may be lost too often for a start; whoever asks tries again.
    private static async Task<(HttpStatusCode Code, System.Text.Json.JsonElement Body)> Retried(ApiClient client)
    {
        for (var i = 0; ; i++)
        {
            var answer = await client.Post("/run?wait=30", """{"window_ms":20}""");
            if (answer.Code != HttpStatusCode.ServiceUnavailable || i == 20)
            {
                return answer;
            }
        }
    }

    private static async Task<HttpStatusCode> CallAs(string? agent, Uri address)
    {
        using var http = new HttpClient();
        using var request =
            new HttpRequestMessage(HttpMethod.Post, new Uri(address, "/reset")) { Content = ApiClient.Json("""{"handshake":true}""") };
        if (agent is not null)
        {
            request.Headers.Add(Agent.Peers.MessageId.Header, $"{agent}/0123456789ab/1");
        }

        using var response = await http.SendAsync(request);
        return response.StatusCode;
    }
}
