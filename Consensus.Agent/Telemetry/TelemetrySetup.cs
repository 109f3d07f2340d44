using System.Diagnostics.Metrics;
using Consensus.Agent.Configuration;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Consensus.Agent.Telemetry;

/// <summary>Sets up one agent's telemetry, apart from that of other agents in the process.</summary>
internal static class TelemetrySetup
{
    /// <summary>Adds it; the exporters are those of the service defaults.</summary>
    public static void AddAgentTelemetry(this WebApplicationBuilder builder, AgentOptions options)
    {
        var tracing = new RunTracing(options.Id);
        builder.Services.AddSingleton(tracing);
        builder.Services.AddSingleton<MessageTracing>();
        builder.Services.AddSingleton<AgentMetrics>();
        builder.Services.AddSingleton<RunLogger>();
        builder.Services.AddSingleton<AgentTelemetry>();
        if (options.Metrics)
        {
            builder.Services.AddOpenTelemetry()
                .WithMetrics(metrics => metrics.AddServiceInstruments(builder.Environment).AddPrometheusExporter());
        }

        if (!builder.ExportsTelemetry() && !options.Metrics)
        {
            return;
        }

        builder.Services.ConfigureOpenTelemetryTracerProvider(traces => traces.AddSource(tracing.Source.Name));
        builder.Services.ConfigureOpenTelemetryMeterProvider((services, metrics) =>
        {
            var mine = services.GetRequiredService<IMeterFactory>();

            // The meter of HTTP calls that has no scope counts those of the exporters.
            metrics.AddView(instrument =>
                instrument.Meter.Scope != mine && (instrument.Meter.Scope is IMeterFactory || instrument.Meter.Name == "System.Net.Http")
                ? MetricStreamConfiguration.Drop
                : instrument.Name is "http.server.request.duration" or "http.client.request.duration"
                    ? new ExplicitBucketHistogramConfiguration { Boundaries = AgentMetrics.DurationBuckets }
                    : null);
        });

        // What is added later wins, so settings come after the agent's id.
        builder.Services.AddOpenTelemetry().ConfigureResource(resource =>
            resource.Clear().AddService(options.Id).AddTelemetrySdk().AddEnvironmentVariableDetector());
    }
}
