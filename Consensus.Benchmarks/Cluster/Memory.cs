using System.Net.Http.Headers;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;

namespace Consensus.Benchmarks.Cluster;

/// <summary>What agents allocate. Only their own process can measure it, so they run in this one.</summary>
internal static class Memory
{
    private const int Decisions = 200;
    private const int CallsPerDecision = 3;

    /// <summary>Bytes that one agent of three allocates for one decision, the client's calls taken off.</summary>
    public static async Task<double> AllocatedPerDecisionAndAgentAsync(HelperServer helper, HttpClient http)
    {
        await using var cluster = await StartAsync();
        for (var i = 0; i < Decisions; i++)
        {
            await DecideAsync(cluster, http);
            await helper.RawAsync();
        }

        var decisions = await AllocatedByAsync(() => DecideAsync(cluster, http), Decisions);
        var calls = await AllocatedByAsync(helper.RawAsync, Decisions);
        return (decisions - (CallsPerDecision * calls)) / 3;
    }

    /// <summary>Three agents in this process, whose lines go nowhere.</summary>
    public static async Task<LocalCluster> StartAsync(AgentOptions? shared = null)
    {
        // They log each draw; written to nowhere, it is made all the same. They keep the output that is there when they start.
        var output = Console.Out;
        Console.SetOut(TextWriter.Null);
        try
        {
            return await LocalCluster.StartAsync(3, 0, shared);
        }
        finally
        {
            Console.SetOut(output);
        }
    }

    private static async Task<double> AllocatedByAsync(Func<Task> action, int times)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < times; i++)
        {
            await action();
        }

        return (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)times;
    }

    /// <summary>One decision that all agents hold.</summary>
    public static async Task DecideAsync(LocalCluster cluster, HttpClient http)
    {
        using var content =
            new ByteArrayContent("{}"u8.ToArray()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await http.PostAsync(new Uri(cluster.Addresses[0], "/run?wait=30"), content);
        response.EnsureSuccessStatusCode();
        foreach (var other in cluster.Addresses.Skip(1))
        {
            using var poll = await http.GetAsync(new Uri(other, "/consensus?wait=30"));
            poll.EnsureSuccessStatusCode();
        }
    }
}
