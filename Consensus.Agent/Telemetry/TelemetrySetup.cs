using System.Diagnostics;
using System.Diagnostics.Metrics;
using Consensus.Agent.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Consensus.Agent.Telemetry;

/// <summary>Sets up one agent's telemetry so that it is its own, also where agents share a process.</summary>
internal static class TelemetrySetup
{
    /// <summary>Adds it; the exporters are those of the service defaults.</summary>
    public static void AddAgentTelemetry(this WebApplicationBuilder builder, AgentOptions options)
    {
        builder.Services.AddSingleton(new RunTracing(options.Id));
        builder.Services.AddSingleton<AgentMetrics>();
        builder.Services.AddSingleton<AgentTelemetry>();
        if (options.Metrics)
        {
            builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddServiceInstruments(builder.Environment).AddPrometheusExporter());
        }

        if (!builder.ExportsTelemetry() && !options.Metrics)
        {
            return;
        }

        builder.Services.AddSingleton<ISpanOwner, AgentSpans>();
        builder.Services.ConfigureOpenTelemetryMeterProvider((services, metrics) =>
        {
            var mine = services.GetRequiredService<IMeterFactory>();
            metrics.AddView(instrument => instrument.Meter.Scope is IMeterFactory factory && factory != mine ? MetricStreamConfiguration.Drop : null);
        });
        if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_SERVICE_NAME"]))
        {
            builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(options.Id));
        }
    }

    /// <summary>
    /// A request belongs to the host whose source made its span, and a call to whom its round or request belongs. Calls that
    /// only read tell nothing about a run.
    /// </summary>
    private sealed class AgentSpans(ActivitySource host, RunTracing tracing) : ISpanOwner
    {
        public bool Owns(Activity span) => IsMine(span.Source)
            || (span.Kind == ActivityKind.Client && span.Parent is { } cause && IsMine(cause.Source)
                && !(span.GetTagItem("http.request.method") is string method && AgentServer.IsNoise(method)));

        private bool IsMine(ActivitySource source) => ReferenceEquals(source, host) || tracing.Owns(source);
    }
}
