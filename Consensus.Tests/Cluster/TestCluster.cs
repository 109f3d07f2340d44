using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Conformance;
using Consensus.ServiceDefaults;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Cluster;

/// <summary>
/// A cluster to test: in this process, or, where <c>CONSENSUS_AGENT</c> names a program, a process of that for each agent.
/// </summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly LocalCluster? _here;
    private readonly IReadOnlyList<AgentProcess> _processes;

    private TestCluster(LocalCluster? here, IReadOnlyList<AgentProcess> processes)
    {
        _here = here;
        _processes = processes;
    }

    /// <summary>Where the agents listen, agent1 first.</summary>
    public IReadOnlyList<Uri> Addresses => _here?.Addresses ?? [.. _processes.Select(process => process.Address)];

    /// <summary>Starts agents on free ports. Of <paramref name="shared"/>, a program is told what there are settings for.</summary>
    public static async Task<TestCluster> StartAsync(int agents, AgentOptions shared)
    {
        if (AgentProcess.Program is null)
        {
            return new TestCluster(
                await LocalCluster.StartAsync(agents, 0, shared, configure: (_, builder) => builder.Logging.ClearProviders()), []);
        }

        (string, string)[] settings =
        [
            ("FAULTS", $"{shared.Faults}"), ("WINDOW_MS", $"{shared.Defaults.WindowMs}"),
            ("RUN_RATE", $"{shared.RunRate}"), ("CLUSTER_KEY", Secret(shared.Key)),
        ];
        if (agents == 1)
        {
            return new TestCluster(null, [await AgentProcess.StartAsync(["--agents", "1", "--port", "0"], settings)]);
        }

        for (var retries = 4; ; retries--)
        {
            var ports = LoopbackPorts.Free(agents);
            var starting = ports.Select((_, index) => AgentProcess.StartAsync(ports, index, settings)).ToList();
            try
            {
                return new TestCluster(null, await Task.WhenAll(starting));
            }
            catch (InvalidOperationException)
            {
                // Somebody else was given a port in the meantime.
                starting.FindAll(one => one.IsCompletedSuccessfully).ForEach(one => one.Result.Dispose());
                if (retries == 0)
                {
                    throw;
                }
            }
        }
    }

    private static string Secret(ClusterKey? key)
    {
        using var request = new HttpRequestMessage();
        key?.AddTo(request.Headers);
        return request.Headers.TryGetValues(ClusterKey.Header, out var values) ? values.Single() : "";
    }

    /// <summary>Stops one agent for good.</summary>
    public async Task StopAsync(int agent)
    {
        if (_here is not null)
        {
            await _here.StopAsync(agent);
        }
        else
        {
            _processes[agent].Kill();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Dispose();
        }

        await (_here?.DisposeAsync() ?? ValueTask.CompletedTask);
    }
}
