using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Tests.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Consensus.Tests.Telemetry;

/// <summary>Agents in one process, with what each of them exports.</summary>
internal sealed class TracedCluster : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, List<Activity>> _spans = new();
    private readonly ConcurrentDictionary<int, List<Metric>> _metrics = new();
    private readonly ConcurrentDictionary<int, LogLines> _logs = new();
    private LocalCluster _cluster = null!;

    public IReadOnlyList<ApiClient> Clients { get; private set; } = [];

    public IReadOnlyList<Uri> Addresses => _cluster.Addresses;

    public IReadOnlyList<IServiceProvider> Services => _cluster.Services;

    /// <summary>Spans that ended, of all agents; complete once the cluster is disposed.</summary>
    public List<Activity> Spans => [.. _spans.Values.SelectMany(spans => spans)];

    /// <summary>Starts agents; each has the clock of the machine, unless <paramref name="clockOf"/> gives it another.</summary>
    public static async Task<TracedCluster> StartAsync(
        int agents = 3, AgentOptions? options = null, Func<int, TimeProvider>? clockOf = null)
    {
        var traced = new TracedCluster();
        traced._cluster = await LocalCluster.StartAsync(
            agents, 0, options ?? ThreeAgents.Patient with { Faults = true },
            args: ["--Telemetry:Always=true"], configure: (agent, builder) =>
            {
                traced.Configure(agent, builder);
                builder.Services.AddSingleton(clockOf?.Invoke(agent) ?? TimeProvider.System);
            });
        traced.Clients = [.. traced._cluster.Addresses.Select(address => new ApiClient(address))];
        return traced;
    }

    public List<Activity> SpansOf(int agent) => _spans[agent];

    public List<Metric> MetricsOf(int agent)
    {
        Assert.True(_cluster.Services[agent].GetRequiredService<MeterProvider>().ForceFlush());
        return _metrics[agent];
    }

    public IReadOnlyList<LogLine> LogsOf(int agent) => _logs[agent].All;

    /// <summary>Starts a run at agent1 and waits until each of these agents knows its decision; all where none is named.</summary>
    public async Task<JsonElement> DecideAsync(string request = "{}", params int[] agents)
    {
        var (code, answer) = await Clients[0].Post("/run?wait=60", request);
        Assert.Equal(HttpStatusCode.OK, code);
        foreach (var agent in agents.Length > 0 ? agents : [.. Enumerable.Range(0, Clients.Count)])
        {
            await KnowsAsync(agent, answer.GetProperty("run").GetString()!);
        }

        return answer;
    }

    public async Task KnowsAsync(int agent, string run) =>
        Assert.Equal(HttpStatusCode.OK, (await Clients[agent].Get($"/consensus?wait=60&run={run}")).Code);

    public Task StopAsync(int agent) => _cluster.StopAsync(agent);

    public async ValueTask DisposeAsync()
    {
        foreach (var client in Clients)
        {
            client.Dispose();
        }

        await _cluster.DisposeAsync();
    }

    private void Configure(int agent, Microsoft.AspNetCore.Builder.WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        var spans = _spans[agent] = [];
        var metrics = _metrics[agent] = [];
        var logs = _logs[agent] = new LogLines();
        builder.Services.AddOpenTelemetry()
            .WithTracing(tracing => tracing.AddProcessor(new SimpleActivityExportProcessor(new InMemoryExporter<Activity>(spans))))
            .WithMetrics(reading => reading.AddReader(new BaseExportingMetricReader(new InMemoryExporter<Metric>(metrics))))
            .WithLogging(logging => logging.AddProcessor(new SimpleLogRecordExportProcessor(logs)));
    }

    /// <summary>A log line as a collector gets it.</summary>
    internal sealed record LogLine(LogLevel Level, string Text, IReadOnlyDictionary<string, object?> Attributes, ActivityTraceId Trace);

    private sealed class LogLines : BaseExporter<LogRecord>
    {
        private readonly ConcurrentQueue<LogLine> _lines = new();

        public IReadOnlyList<LogLine> All => [.. _lines];

        public override ExportResult Export(in Batch<LogRecord> batch)
        {
            foreach (var record in batch)
            {
                var attributes = (record.Attributes ?? []).ToDictionary(pair => pair.Key, pair => pair.Value);
                record.ForEachScope((scope, all) =>
                {
                    foreach (var (key, value) in scope)
                    {
                        all[key] = value;
                    }
                }, attributes);
                _lines.Enqueue(new LogLine(record.LogLevel, record.FormattedMessage ?? "", attributes, record.TraceId));
            }

            return ExportResult.Success;
        }
    }
}
