using System.Net;
using Consensus.Conformance;
using Consensus.Tests.Api;
using Consensus.Tests.Cluster;

namespace Consensus.Tests.Deploy;

/// <summary>A cluster that grows from three to five agents and shrinks again, one agent at a time, as docs/deploy.md describes.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ClusterSizeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-");
    private readonly int[] _ports = LoopbackPorts.Free(5);
    private readonly AgentProcess?[] _agents = new AgentProcess?[5];

    public void Dispose()
    {
        Array.ForEach(_agents, agent => agent?.Dispose());
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Decisions_survive_while_a_cluster_grows_and_shrinks()
    {
        List<(string Run, int Value)> decided = [];
        await RestartAsync([0, 1, 2], size: 3);
        decided.Add(await DecideAsync(0, members: 3));

        // The new agents first: the old ones can still decide without them.
        await RestartAsync([3, 4], size: 5);
        decided.Add(await DecideAsync(1, members: 3));
        await RestartAsync([0], size: 5);
        await AssertRefusedAsync(0, "agent1 counts 5", "agent2 counts 3");
        await AssertRefusedAsync(1, "agent1 counts 5", "agent2 counts 3");
        await AssertAnsweredAsync(decided, [0, 1, 2]);
        await RestartAsync([1, 2], size: 5);
        await AssertAnsweredAsync(decided, [0, 1, 2]);
        decided.Add(await DecideAsync(4, members: 5));
        await AssertAnsweredAsync(decided, [0, 1, 2]);
        await AssertAnsweredAsync(decided[2..], [3, 4]);

        // The agents that stay first: the others are still there until all have the shorter list.
        await RestartAsync([0], size: 3);
        await AssertRefusedAsync(4, "agent1 counts 3", "agent5 counts 5");
        await RestartAsync([1, 2], size: 3);
        Stop(3);
        Stop(4);
        await AssertAnsweredAsync(decided, [0, 1, 2]);
        decided.Add(await DecideAsync(2, members: 3));
        await AssertAnsweredAsync(decided, [0, 1, 2]);
    }

    /// <summary>Restarts agents with the list of peers of a cluster of this size, one after another.</summary>
    private async Task RestartAsync(int[] agents, int size)
    {
        foreach (var agent in agents)
        {
            Stop(agent);
            _agents[agent] = await AgentProcess.StartAsync(
                _ports[..size], agent, ("DATA", Path.Combine(_folder.FullName, $"agent{agent + 1}.db")));
        }
    }

    private void Stop(int agent)
    {
        _agents[agent]?.Dispose();
        _agents[agent] = null;
    }

    /// <summary>Has a run decided through one agent, by so many members, and waits until each member knows the decision.</summary>
    private async Task<(string Run, int Value)> DecideAsync(int agent, int members)
    {
        using var client = new ApiClient(_agents[agent]!.Address);
        for (var deadline = DateTime.UtcNow.AddMinutes(2); ;)
        {
            var (code, answer) = await client.Post("/run?wait=30");
            Assert.True(DateTime.UtcNow < deadline, $"{members} agents do not decide: {code}, {answer}");
            if (code == HttpStatusCode.OK && answer.GetProperty("members").EnumerateObject().Count() == members)
            {
                var run = answer.GetProperty("run").GetString()!;
                foreach (var member in answer.GetProperty("members").EnumerateObject())
                {
                    using var asked = new ApiClient(_agents[member.Name[^1] - '1']!.Address);
                    Assert.Equal(HttpStatusCode.OK, (await asked.Get($"/consensus?wait=60&run={run}")).Code);
                }

                return (run, answer.GetProperty("outcome").GetProperty("value").GetInt32());
            }
        }
    }

    /// <summary>
    /// While agents that reach each other count different numbers of agents, no run starts, and the answer names who counts
    /// what. Until an agent that was restarted is reached again, the others can still decide.
    /// </summary>
    private async Task AssertRefusedAsync(int agent, params string[] counts)
    {
        using var client = new ApiClient(_agents[agent]!.Address);
        var deadline = DateTime.UtcNow.AddMinutes(2);
        var (code, answer) = await client.Post("/run?wait=30");
        while (code != HttpStatusCode.Conflict)
        {
            Assert.True(DateTime.UtcNow < deadline, $"The run is not refused: {code}, {answer}");
            (code, answer) = await client.Post("/run?wait=30");
        }

        Assert.Equal("cluster-size", answer.GetProperty("reason").GetString());
        Assert.All(counts, count => Assert.Contains(count, answer.GetProperty("detail").GetString(), StringComparison.Ordinal));
    }

    /// <summary>Whether these agents answer these decisions.</summary>
    private async Task AssertAnsweredAsync(List<(string Run, int Value)> decided, int[] agents)
    {
        foreach (var agent in agents)
        {
            using var client = new ApiClient(_agents[agent]!.Address);
            var (_, history) = await client.Get("/timeline/runs");
            var known = history.GetProperty("runs").EnumerateArray()
                .Select(run => (run.GetProperty("run").GetString()!, run.TryGetProperty("value", out var value) ? value.GetInt32() : 0));
            Assert.Superset(decided.ToHashSet(), known.ToHashSet());
        }
    }
}
