using System.Diagnostics.Metrics;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Consensus.Agent.Configuration;
using Consensus.Agent.Peers;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.Agent;

/// <summary>
/// Compiles the code of a run before the first one. Otherwise the first run waits for the compiler at every step, for some
/// hundred ms. It lets a cluster of its own decide, in this process, on free ports, without logs, exporters and files; the
/// agents that are served take no part in it. The process is not ready until it has ended.
/// </summary>
internal sealed class WarmUp : IHealthCheck
{
    private const int Agents = 3;
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(10);

    // One round, several rounds, the other rule. In a plain run, most messages ride in answers to others.
    private static readonly string[] Runs =
    [
        """{"values":1}""", """{"values":9,"seed":1,"window_ms":1}""", """{"values":3}""", """{"rule":"classic","values":1}""", """{"values":1}""", "{}",
    ];

    // Compiled ahead of time there is nothing to do.
    private volatile bool _ended = !RuntimeFeature.IsDynamicCodeCompiled;

    /// <summary>Makes an agent ready only once the warm-up has ended.</summary>
    public void AddTo(WebApplicationBuilder builder) => builder.Services.AddHealthChecks().AddCheck("warm-up", this);

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_ended ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The agent is warming up."));

    /// <summary>Begins it; it goes on beside whatever else the process does.</summary>
    /// <param name="served">The settings of the agents that are served.</param>
    /// <param name="configuration">Their configuration.</param>
    public void Begin(AgentOptions served, IConfiguration configuration)
    {
        if (!_ended)
        {
            _ = Task.Run(() => RunAsync(served, configuration));
        }
    }

    private async Task RunAsync(AgentOptions served, IConfiguration configuration)
    {
        try
        {
            // Names and faults take another way to the peer than addresses do.
            var faults = served.Faults || served.Peers.Any(peer => peer.HostNameType == UriHostNameType.Dns && !peer.IsLoopback);
            var options = served with { Peers = [], Faults = faults, Data = null, RunRate = 0 };
            await using var cluster = await LocalCluster.StartAsync(
                Agents, 0, options, Extensions.WithoutExporters(configuration), (_, builder) => builder.Logging.ClearProviders());
            using var http = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null, MeterFactory = cluster.Services[0].GetRequiredService<IMeterFactory>() }) { BaseAddress = cluster.Addresses[0], Timeout = AtMost };
            foreach (var run in Runs)
            {
                using var body = new StringContent(run, new MediaTypeHeaderValue("application/json"));
                using var response = await http.PostAsync("/run?wait=2", body);
            }
        }
#pragma warning disable CA1031 // Whatever failed, the agents that are served can do without.
        catch (Exception)
#pragma warning restore CA1031
        {
            // A failed warm-up costs the first run its time, and nothing else.
        }
        finally
        {
            _ended = true;
        }
    }
}
