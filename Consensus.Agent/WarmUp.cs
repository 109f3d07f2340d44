using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Consensus.Agent.Configuration;
using Consensus.Agent.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Consensus.Agent;

/// <summary>
/// Compiles the code of a run before the first run, which would otherwise wait some hundred ms for the compiler. A second
/// cluster in this process decides runs, on free ports, with logs and telemetry that are dropped, and with files of its own where
/// agents have some. The served agents take no part in these runs. The process is ready when the warm-up has ended, at the
/// latest after <see cref="AtMost"/>.
/// </summary>
internal sealed class WarmUp : IHealthCheck
{
    private const int Agents = 3;
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(30);

    // One round, several rounds, the other rule. In a plain run, most messages are piggybacked on responses.
    private static readonly string[] Runs =
    [
        """{"values":1}""", """{"values":9,"seed":1,"window_ms":1}""", """{"values":3}""",
        """{"rule":"classic","values":1}""", """{"values":9,"seed":1,"window_ms":1,"spread":"relay"}""",
        """{"values":1}""", "{}",
    ];

    // Compiled ahead of time there is nothing to do.
    private volatile bool _ended = !RuntimeFeature.IsDynamicCodeCompiled;

    /// <summary>Makes an agent ready only once the warm-up has ended.</summary>
    public void AddTo(WebApplicationBuilder builder) => builder.Services.AddHealthChecks().AddCheck("warm-up", this);

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_ended ? HealthCheckResult.Healthy("ended") : HealthCheckResult.Unhealthy("the code of a run is being compiled"));

    /// <summary>Begins the warm-up, and returns at once.</summary>
    /// <param name="served">The settings of the agents that are served.</param>
    /// <param name="configuration">Their configuration.</param>
    public void Begin(AgentOptions served, IConfiguration configuration)
    {
        _ended |= !served.WarmUp;
        if (!_ended)
        {
            _ = Task.Run(() => RunAsync(served, configuration));
        }
    }

    private async Task RunAsync(AgentOptions served, IConfiguration configuration)
    {
        try
        {
            await DecideAsync(served, configuration).WaitAsync(AtMost);
        }
#pragma warning disable CA1031 // The served agents work without a warm-up, whatever failed in it.
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

    private static async Task DecideAsync(AgentOptions served, IConfiguration configuration)
    {
        // Calls to names, and calls that faults may break, take another path than calls to addresses. A proxy elsewhere
        // would call its own machine.
        var faults = served.Faults || served.Peers.Any(peer => peer.HostNameType == UriHostNameType.Dns && !peer.IsLoopback);
        var folder = served.Data is null ? null : Directory.CreateTempSubdirectory("consensus-warm-up-").FullName;
        var data = folder is null ? null : Path.Combine(folder, "warm-up.db");

        // On a busy machine calls take long. Calls that time out would be repeated, and keep it busy.
        var options = served with { Peers = [], PeerProxy = null, Faults = faults, Data = data, RunRate = 0, CallTimeout = AtMost };
        try
        {
            await RunAllAsync(options, configuration);
        }
        finally
        {
            if (folder is not null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task RunAllAsync(AgentOptions options, IConfiguration configuration)
    {
        await using var cluster = await LocalCluster.StartAsync(
            Agents, 0, options, Extensions.WithoutExporters(configuration), (_, builder) => DropTelemetry(builder));
        using var http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false, ActivityHeadersPropagator = null, MeterFactory = cluster.Services[0].GetRequiredService<IMeterFactory>(),
        });
        http.BaseAddress = cluster.Addresses[0];
        foreach (var run in Runs)
        {
            using var body = new StringContent(run, new MediaTypeHeaderValue("application/json"));
            using var response = await http.PostAsync("/run?wait=2", body);
        }
    }

    /// <summary>Lines, spans and measurements take the way of those that are exported, since that code runs within a run.</summary>
    private static void DropTelemetry(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(new ConsoleBatch(TimeProvider.System, static _ => { }, static _ => { }));
        if (builder.ExportsTelemetry())
        {
            builder.Services.AddOpenTelemetry()
                .WithTracing(tracing => tracing.AddProcessor(new BatchActivityExportProcessor(new Dropping<Activity>())))
                .WithMetrics(metrics => metrics.AddReader(new BaseExportingMetricReader(new Dropping<Metric>())))
                .WithLogging(logging => logging.AddProcessor(new BatchLogRecordExportProcessor(new Dropping<LogRecord>())));
        }
    }

    private sealed class Dropping<T> : BaseExporter<T>
        where T : class
    {
        public override ExportResult Export(in Batch<T> batch) => ExportResult.Success;
    }
}
