using System.Net;
using Consensus.Tests.Api;

namespace Consensus.Tests.Cluster;

public sealed class ProcessTests
{
    [Fact]
    public async Task With_one_agent_killed_in_mid_run_the_rest_decide_and_it_learns_when_it_returns()
    {
        var ports = AgentProcess.FreePorts(3);
        using var agent1 = await AgentProcess.StartAsync(ports, 0);
        using var agent2 = await AgentProcess.StartAsync(ports, 1);
        using var agent3 = await AgentProcess.StartAsync(ports, 2);
        using var client = new Client(agent1.Address);

        // With so many values a run takes a hundred rounds or so: the kill comes in its middle.
        var (code, started) = await client.Post("/run", """{"values":300}""");
        Assert.Equal(HttpStatusCode.OK, code);
        agent3.Kill();

        var run = started.GetProperty("run").GetString();
        var (decided, decision) = await client.Get($"/consensus?wait=60&run={run}");
        Assert.Equal(HttpStatusCode.OK, decided);
        using var second = new Client(agent2.Address);
        var (_, same) = await second.Get($"/consensus?wait=60&run={run}");
        Assert.Equal(decision.GetProperty("value").GetInt32(), same.GetProperty("value").GetInt32());

        using var returned = await AgentProcess.StartAsync(ports, 2);
        using var third = new Client(returned.Address);
        var (learned, told) = await third.Get("/consensus?wait=60");
        Assert.Equal(HttpStatusCode.OK, learned);
        Assert.Equal(run, told.GetProperty("run").GetString());
        Assert.Equal(decision.GetProperty("value").GetInt32(), told.GetProperty("value").GetInt32());
    }
}
