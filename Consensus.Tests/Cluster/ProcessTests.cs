using System.Net;
using Consensus.Conformance;
using Consensus.Tests.Api;

namespace Consensus.Tests.Cluster;

[Trait(Category.Name, Category.System)]
public sealed class ProcessTests
{
    [Fact]
    public async Task With_one_agent_killed_in_mid_run_the_rest_decide_and_it_learns_when_it_returns()
    {
        var ports = LoopbackPorts.Free(3);
        using var agent1 = await AgentProcess.StartAsync(ports, 0, ("FAULTS", "true"));
        using var agent2 = await AgentProcess.StartAsync(ports, 1, ("FAULTS", "true"));
        using var client = new ApiClient(agent1.Address);

        // Every call takes a while to arrive, so that nobody can decide right after agent3 has joined; so many values make it two
        // rounds, and the plurality of a round no more of them than that.
        const string slow = """{"links":[{"direction":"in","delay_ms":300}]}""";
        foreach (var agent in new[] { agent1, agent2 })
        {
            using var slowed = new ApiClient(agent.Address);
            Assert.Equal(HttpStatusCode.OK, (await slowed.Put("/faults", slow)).Code);
        }

        string? run = null;
        for (var tries = 1; run is null; tries++)
        {
            using var agent3 = await AgentProcess.StartAsync(ports, 2, ("FAULTS", "true"));
            using var victim = new ApiClient(agent3.Address);
            await victim.Put("/faults", slow);

            // Who has heard from it calls it.
            await victim.UntilPeersAnsweredAsync();
            var before = (await victim.Get("/state")).Body.TryGetProperty("run", out var old) ? old.GetString() : null;
            var starting = client.Post("/run", """{"values":1000000,"draw":"plurality","window_ms":2000}""");
            string? joined;
            do
            {
                joined = (await victim.Get("/state")).Body.TryGetProperty("run", out var now) ? now.GetString() : null;
            }
            while (joined == before && !starting.IsCompleted);
            agent3.Kill();
            var killedAtUs = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / 10;
            await starting;
            if (joined is not null && joined != before && await DecidedAtUsAsync(client, joined) > killedAtUs)
            {
                run = joined;
            }

            Assert.True(tries < 20, "The kill always came after the decision.");
        }

        var (decided, decision) = await client.Get($"/consensus?wait=60&run={run}");
        Assert.Equal(HttpStatusCode.OK, decided);
        using var second = new ApiClient(agent2.Address);
        var (_, same) = await second.Get($"/consensus?wait=60&run={run}");
        Assert.Equal(decision.GetProperty("value").GetInt32(), same.GetProperty("value").GetInt32());

        using var returned = await AgentProcess.StartAsync(ports, 2);
        using var third = new ApiClient(returned.Address);
        var (learned, told) = await third.Get("/consensus?wait=60");
        Assert.Equal(HttpStatusCode.OK, learned);
        Assert.Equal(run, told.GetProperty("run").GetString());
        Assert.Equal(decision.GetProperty("value").GetInt32(), told.GetProperty("value").GetInt32());
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Threads_that_poll_the_sockets_run_the_handlers_unless_these_wait_for_a_disk(bool persists)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.ProcessorCount > 1, "Counts Linux' threads.");
        var folder = Directory.CreateTempSubdirectory("consensus-");
        try
        {
            using var agents = await AgentProcess.StartAsync(
                ["--agents", "2", "--port", "0"], ("DATA", persists ? Path.Combine(folder.FullName, "agents.db") : ""));

            // The runtime polls by one thread a core where such a thread also runs what waits.
            Assert.Equal(persists ? 1 : Environment.ProcessorCount, agents.Threads(".NET Sockets"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<long> DecidedAtUsAsync(ApiClient client, string run)
    {
        Assert.Equal(HttpStatusCode.OK, (await client.Get($"/consensus?wait=60&run={run}")).Code);
        var (_, timeline) = await client.Get($"/timeline?run={run}");
        return timeline.GetProperty("events").EnumerateArray()
            .First(e => e.GetProperty("kind").GetString() is "decided" or "learned").GetProperty("at_us").GetInt64();
    }
}
