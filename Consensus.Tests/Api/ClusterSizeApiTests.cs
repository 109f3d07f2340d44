using System.Net;
using Consensus.Agent;
using Consensus.Agent.Hosting;
using Consensus.Conformance;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Api;

/// <summary>Three agents over real HTTP, of which agent2 lacks agent3 in PEERS.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ClusterSizeApiTests : IAsyncLifetime
{
    private readonly List<WebApplication> _apps = [];
    private List<ApiClient> _clients = [];

    public async Task InitializeAsync()
    {
        List<Uri> addresses = [.. LoopbackPorts.Free(3).Select(port => new Uri($"http://127.0.0.1:{port}"))];
        int[][] peers = [[1, 2], [0], [0, 1]];
        for (var i = 0; i < 3; i++)
        {
            var options = ThreeAgents.Patient with { Id = $"agent{i + 1}", Peers = [.. peers[i].Select(peer => addresses[peer])] };
            var app = AgentApplication.Build(options, [], builder => builder.Logging.ClearProviders());
            app.Urls.Clear();
            app.Urls.Add(addresses[i].GetLeftPart(UriPartial.Authority));
            _apps.Add(app);
            await app.StartAsync();
        }

        _apps.ForEach(app => app.Services.GetRequiredService<AgentService>().Start());
        _clients = [.. addresses.Select(address => new ApiClient(address))];
    }

    public async Task DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        foreach (var app in _apps)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(0, "agent1 counts 3 agents, agent2 counts 2, agent3 counts 3; nothing was started.")]
    [InlineData(1, "agent1 counts 3 agents, agent2 counts 2; nothing was started.")]
    [InlineData(2, "agent1 counts 3 agents, agent2 counts 2, agent3 counts 3; nothing was started.")]
    public async Task A_run_is_refused_whoever_is_asked_for_it_and_nothing_is_started(int asked, string detail)
    {
        // The first start shakes hands with agents that have hardly met; the second one knows them.
        for (var i = 0; i < 2; i++)
        {
            var (code, body) = await _clients[asked].Post("/run?wait=4");
            Assert.Equal(HttpStatusCode.Conflict, code);
            Assert.Equal("cluster-size", body.GetProperty("reason").GetString());
            Assert.StartsWith(detail, body.GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.Contains("PEERS", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        // Health names the same cause. The agent knows it from its own calls.
        var (_, ofAsked) = await _clients[asked].Get("/state?health=true");
        Assert.Contains(
            ofAsked.GetProperty("health").GetProperty("reasons").EnumerateArray(),
            reason => reason.GetString()!.StartsWith("cluster-size: this agent counts", StringComparison.Ordinal));

        int[] counts = [3, 2, 3];
        for (var i = 0; i < 3; i++)
        {
            var (_, state) = await _clients[i].Get("/state");
            Assert.False(state.TryGetProperty("run", out _), state.GetRawText());
            Assert.Equal(counts[i], state.GetProperty("agents").GetInt32());
            var (_, introduced) = await _clients[i].Post("/reset", """{"handshake":true}""");
            Assert.Equal(counts[i], introduced.GetProperty("agents").GetInt32());
        }
    }

    [Fact]
    public async Task An_agent_that_counts_fewer_than_a_run_responds_as_a_learner_with_its_count()
    {
        var (code, answer) = await _clients[1].Post("/new_round", """
            {"round":1,"run":{"id":"1.agent1.b","n":3,"start_round":1,"rule":"ratified","values":3,"draw":"fresh","window_ms":200,
            "members":{"agent1":"b"}}}
            """);
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.True(answer.GetProperty("learner").GetBoolean());
        Assert.Equal(("cluster-size", 2), (answer.GetProperty("reason").GetString(), answer.GetProperty("agents").GetInt32()));
    }
}
