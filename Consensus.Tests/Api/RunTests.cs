using System.Net;

namespace Consensus.Tests.Api;

/// <summary>Runs over real HTTP between three agents in one process.</summary>
[Trait(Category.Name, Category.System)]
public sealed class RunTests : ThreeAgents
{
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"values":10000,"draw":"plurality"}""")]
    [InlineData("""{"round":7,"seed":42}""")]
    public async Task Every_agent_holds_the_decision_of_every_run(string request)
    {
        for (var i = 0; i < 50; i++)
        {
            var (code, answer) = await Clients[i % 3].Post("/run?wait=30", request);
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal("ratified", answer.GetProperty("rule").GetString());
            var run = answer.GetProperty("run").GetString();
            var value = answer.GetProperty("outcome").GetProperty("value").GetInt32();
            foreach (var client in Clients)
            {
                var (reached, consensus) = await client.Get($"/consensus?wait=30&run={run}");
                Assert.Equal(HttpStatusCode.OK, reached);
                Assert.Equal((run, value), (consensus.GetProperty("run").GetString(), consensus.GetProperty("value").GetInt32()));
            }
        }
    }

    [Fact]
    public async Task A_seed_makes_the_first_draw_repeatable()
    {
        var first = await FirstDraw(seed: 1);
        Assert.Equal(first, await FirstDraw(seed: 1));
        Assert.NotEqual(first, await FirstDraw(seed: 2));

        async Task<int> FirstDraw(int seed)
        {
            var (_, run) = await Clients[0].Post("/run?wait=30", $$"""{"seed":{{seed}},"values":1000000000,"draw":"plurality"}""");
            var (_, timeline) = await Clients[0].Get($"/timeline?run={run.GetProperty("run").GetString()}");
            return timeline.GetProperty("events").EnumerateArray()
                .First(protocolEvent => protocolEvent.GetProperty("kind").GetString() == "drew").GetProperty("value").GetInt32();
        }
    }

    [Fact]
    public async Task A_run_with_one_agent_dead_decides_and_says_who_is_missing()
    {
        await Clients[0].Post("/run?wait=30");
        await Cluster.StopAsync(2);
        var (code, body) = await Clients[0].Post("/run?wait=30");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal(["agent3"], body.GetProperty("missing").EnumerateArray().Select(name => name.GetString()!));
    }

    [Fact]
    public async Task A_run_with_two_agents_dead_is_refused_by_name_and_changes_nothing()
    {
        await Clients[0].Post("/run?wait=30");
        var before = (await Clients[0].Get("/state")).Body.GetRawText();
        await Cluster.StopAsync(1);
        await Cluster.StopAsync(2);
        var (code, body) = await Clients[0].Post("/run?wait=30");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        Assert.Equal(["agent2", "agent3"], body.GetProperty("missing").EnumerateArray().Select(name => name.GetString()!));
        Assert.Equal(before, (await Clients[0].Get("/state")).Body.GetRawText());
    }

    [Fact]
    public async Task A_run_without_a_window_waits_for_agents_that_are_up()
    {
        var complete = 0;
        for (var i = 0; i < 20; i++)
        {
            var (code, body) = await Clients[0].Post("/run?wait=30", """{"window_ms":0,"draw":"plurality"}""");
            Assert.Equal(HttpStatusCode.OK, code);
            complete += body.GetProperty("missing").GetArrayLength() == 0 ? 1 : 0;
        }

        // On a slow machine an agent may be late now and then.
        Assert.InRange(complete, 11, 20);
    }

    [Fact]
    public async Task A_wait_for_a_named_run_ends_when_another_takes_its_place()
    {
        var (_, first) = await Clients[0].Post("/run?wait=30");
        await Clients[0].Post("/run?wait=30");
        var (code, body) = await Clients[0].Get($"/consensus?wait=30&run={first.GetProperty("run").GetString()}");
        Assert.Equal(HttpStatusCode.Accepted, code);
        Assert.True(body.GetProperty("superseded").GetBoolean());
    }

    [Fact]
    public async Task A_reset_releases_those_who_wait()
    {
        await Clients[0].Post("/reset");
        var waiting = Clients[0].Get("/consensus?wait=30");
        while (!waiting.IsCompleted)
        {
            // Until the wait has begun, a reset has nobody to release.
            await Clients[0].Post("/reset");
        }

        Assert.Equal(HttpStatusCode.Accepted, (await waiting).Code);
    }
}
