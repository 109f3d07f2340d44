using System.Diagnostics;
using System.Net;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Protocol;
using Consensus.Tests.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Api;

/// <summary>
/// The original contract, row by row, against a real agent on a real socket. Its clock stands still, except where
/// <c>CONSENSUS_AGENT</c> names a program to test: that has a clock of its own.
/// </summary>
[Trait(Category.Name, Category.System)]
public sealed class ContractTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private OriginalHttpAgent _agent2 = null!;
    private OriginalHttpAgent _agent3 = null!;
    private AgentProcess? _process;
    private WebApplication? _app;
    private ApiClient _client = null!;

    public async Task InitializeAsync()
    {
        _agent2 = await OriginalHttpAgent.StartAsync();
        _agent3 = await OriginalHttpAgent.StartAsync();
        if (AgentProcess.Program is not null)
        {
            _process = await AgentProcess.StartAsync(
                [], ("AGENT_ID", "agent1"), ("PORT", "0"), ("PEERS", $"{_agent2.Address},{_agent3.Address}"));
            _client = new ApiClient(_process.Address);
            return;
        }

        _app = AgentApplication.Build(
            new AgentOptions { Id = "agent1", Peers = [_agent2.Address, _agent3.Address] }, [],
            builder =>
            {
                builder.Logging.ClearProviders();
                builder.Services.AddSingleton<TimeProvider>(_time);
            });
        _app.Urls.Add("http://127.0.0.1:0");
        await _app.StartAsync();
        _client = new ApiClient(LocalCluster.AddressOf(_app));
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        _process?.Dispose();
        await (_app is null ? Task.CompletedTask : LocalCluster.EndAsync(_app));
        await _agent2.DisposeAsync();
        await _agent3.DisposeAsync();
    }

    /// <summary>
    /// Takes steps that must all come before an agent's window closes. An agent with a clock of its own closes it in
    /// 200 ms; steps that failed and took half of that or longer are taken again, with a new agent.
    /// </summary>
    private async Task InOneWindow(Func<Task> steps)
    {
        for (var retries = 9; ; retries--)
        {
            var began = Stopwatch.GetTimestamp();
            try
            {
                await steps();
                return;
            }
            catch (Exception) when (_process is not null && retries > 0
                && Stopwatch.GetElapsedTime(began).TotalMilliseconds > ProtocolTiming.DefaultWindowMs / 2)
            {
                await DisposeAsync();
                await InitializeAsync();
            }
        }
    }

    [Fact]
    public Task New_round_starts_once_and_then_answers_already_started() => InOneWindow(async () =>
    {
        var (code, body) = await _client.Post("/new_round", """{"round":3}""");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("""{"status":"started","round":3}""", body.GetRawText());

        (code, body) = await _client.Post("/new_round", """{"round":3}""");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("""{"status":"already-started","round":3}""", body.GetRawText());
    });

    [Fact]
    public Task An_older_new_round_is_stale() => InOneWindow(async () =>
    {
        await _client.Post("/new_round", """{"round":3}""");
        var (code, body) = await _client.Post("/new_round", """{"round":2}""");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("""{"status":"ignored","reason":"stale-round","current_round":3}""", body.GetRawText());
    });

    [Fact]
    public Task More_fields_in_a_bare_new_round_change_nothing() => InOneWindow(async () =>
    {
        await _client.Post("/new_round", """{"round":1}""");

        // A value of its own would make a majority.
        var other = (await _client.Get("/state")).Body.GetProperty("my_value").GetInt32() % 3 + 1;
        await _client.Post("/proposal", $$"""{"agent_id":"agent2","value":{{other}},"round":1}""");
        var (code, body) = await _client.Post("/new_round", """{"round":2,"agent_id":"agent2","value":3}""");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("""{"status":"started","round":2}""", body.GetRawText());
        Assert.Equal("agent1", Assert.Single((await _client.Get("/state")).Body.GetProperty("proposals").EnumerateObject()).Name);
    });

    [Fact]
    public async Task A_new_round_after_the_decision_is_a_conflict()
    {
        await _client.Post("/final", """{"value":2,"round":1}""");
        var (code, body) = await _client.Post("/new_round", """{"round":2}""");
        Assert.Equal(HttpStatusCode.Conflict, code);
        Assert.Equal("""{"status":"ignored","reason":"already-decided"}""", body.GetRawText());
    }

    [Fact]
    public Task A_proposal_of_the_round_is_ok_and_any_other_a_mismatch() => InOneWindow(async () =>
    {
        await _client.Post("/new_round", """{"round":2}""");
        var (code, body) = await _client.Post("/proposal", """{"agent_id":"agent2","value":2,"round":2}""");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("""{"status":"ok"}""", body.GetRawText());
        foreach (var round in new[] { 1, 3 })
        {
            (code, body) = await _client.Post("/proposal", $$"""{"agent_id":"agent3","value":2,"round":{{round}}}""");
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal("""{"status":"ignored","reason":"round-mismatch","current_round":2}""", body.GetRawText());
        }
    });

    [Fact]
    public async Task The_first_final_wins_and_later_ones_change_nothing()
    {
        foreach (var value in new[] { 2, 3 })
        {
            var (code, body) = await _client.Post("/final", $$"""{"value":{{value}},"round":1}""");
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal("""{"status":"ack"}""", body.GetRawText());
        }

        Assert.Equal(2, (await _client.Get("/consensus")).Body.GetProperty("value").GetInt32());
    }

    [Fact]
    public Task Consensus_is_202_until_decided_and_then_200() => InOneWindow(async () =>
    {
        var (code, body) = await _client.Get("/consensus");
        Assert.Equal(HttpStatusCode.Accepted, code);
        Assert.Equal("""{"reached":false,"round":0}""", body.GetRawText());

        await _client.Post("/new_round", """{"round":1}""");
        await _client.Post("/final", """{"value":2,"round":1}""");
        (code, body) = await _client.Get("/consensus");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("""{"reached":true,"round":1,"value":2,"attempts":1}""", body.GetRawText());
    });

    [Fact]
    public Task State_holds_every_field_of_the_original_also_where_it_is_null() => InOneWindow(async () =>
    {
        var (_, empty) = await _client.Get("/state");
        Assert.Equal("agent1", empty.GetProperty("agent_id").GetString());
        foreach (var field in new[] { "my_value", "consensus_value", "consensus_round" })
        {
            Assert.Equal(System.Text.Json.JsonValueKind.Null, empty.GetProperty(field).ValueKind);
        }

        await _client.Post("/new_round", """{"round":4}""");
        var (_, state) = await _client.Get("/state");
        var mine = state.GetProperty("my_value").GetInt32();
        Assert.InRange(mine, 1, 3);
        Assert.Equal(4, state.GetProperty("round").GetInt32());
        Assert.Equal(mine, state.GetProperty("proposals").GetProperty("agent1").GetInt32());
        Assert.Equal(1, state.GetProperty("attempts").GetInt32());
    });

    [Fact]
    public async Task Reset_clears_consensus_attempts_and_proposals()
    {
        await _client.Post("/new_round", """{"round":4}""");
        await _client.Post("/final", """{"value":2,"round":4}""");
        var (code, body) = await _client.Post("/reset");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("reset", body.GetProperty("status").GetString());
        var (_, state) = await _client.Get("/state");
        Assert.Equal(0, state.GetProperty("attempts").GetInt32());
        Assert.Empty(state.GetProperty("proposals").EnumerateObject());
        Assert.Equal("started", (await _client.Post("/new_round", """{"round":1}""")).Body.GetProperty("status").GetString());
    }

    [Fact]
    public Task A_client_that_knows_only_the_original_contract_drives_an_agent_to_a_decision() => InOneWindow(async () =>
    {
        await _client.Post("/reset");
        await _client.Post("/new_round", """{"round":1}""");
        Assert.InRange((await _agent2.Called("proposal")).GetProperty("value").GetInt32(), 1, 3);
        await _client.Post("/proposal", """{"agent_id":"agent2","value":2,"round":1}""");
        await _client.Post("/proposal", """{"agent_id":"agent3","value":2,"round":1}""");
        var (code, body) = await _client.Get("/consensus?wait=30");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal(2, body.GetProperty("value").GetInt32());
        foreach (var peer in new[] { _agent2, _agent3 })
        {
            Assert.Equal("""{"value":2,"round":1}""", (await peer.Called("final")).GetRawText());
        }
    });

    [Fact]
    public Task An_undecided_window_opens_the_next_round_everywhere() => InOneWindow(async () =>
    {
        await _client.Post("/new_round", """{"round":1}""");
        _time.Advance(TimeSpan.FromMilliseconds(201));
        Assert.Equal("""{"round":2}""", (await _agent3.Called("new_round")).GetRawText());
        Assert.Equal(2, (await _client.Get("/state")).Body.GetProperty("round").GetInt32());
    });

    [Fact]
    public Task A_run_among_original_agents_is_a_bare_classic_one() => InOneWindow(async () =>
    {
        var (code, body) = await _client.Post("/run", """{"round":5}""");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("triggered", body.GetProperty("status").GetString());
        Assert.Equal(5, body.GetProperty("round").GetInt32());
        Assert.Equal("classic", body.GetProperty("rule").GetString());
        Assert.Equal("""{"round":5}""", (await _agent2.Called("new_round")).GetRawText());
        Assert.Equal(5, (await _agent3.Called("proposal")).GetProperty("round").GetInt32());
    });

    [Fact]
    public Task The_ratified_rule_is_refused_among_original_agents() => InOneWindow(async () =>
    {
        var (code, body) = await _client.Post("/run", """{"rule":"ratified"}""");
        Assert.Equal(HttpStatusCode.Conflict, code);
        Assert.Contains("original contract", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, (await _client.Get("/state")).Body.GetProperty("round").GetInt32());
    });
}
