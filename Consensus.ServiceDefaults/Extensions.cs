using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every service of the application has in common: telemetry, health, service discovery, HttpClient defaults.</summary>
public static class Extensions
{
    /// <summary>All checks must pass: ready to serve.</summary>
    public const string HealthPath = "/health";

    /// <summary>The checks tagged <c>live</c> must pass: the process works.</summary>
    public const string AlivePath = "/alive";

    private const string AlwaysKey = "Telemetry:Always";

    private static readonly string[] EndpointKeys =
    [
        "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ];

    /// <summary>Adds all of it.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.ConfigureOpenTelemetry();
        builder.Services.AddHealthChecks().AddProcessCheck();
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http => http.AddServiceDiscovery());
        return builder;
    }

    /// <summary>
    /// Maps <c>/health</c> and <c>/alive</c>, in every environment: the AppHost runs agents without a launch profile,
    /// so as Production, and watches them by these. A degraded service still responds with 200, an unhealthy one 503.
    /// </summary>
    public static TApp MapDefaultEndpoints<TApp>(this TApp app)
        where TApp : Microsoft.AspNetCore.Routing.IEndpointRouteBuilder
    {
        app.MapHealthChecks(HealthPath, new HealthCheckOptions { ResponseWriter = Health.WriteAsync });
        app.MapHealthChecks(
            AlivePath, new HealthCheckOptions { ResponseWriter = Health.WriteAsync, Predicate = check => check.Tags.Contains("live") });
        return app;
    }

    /// <summary>
    /// Settings for a host beside one with <paramref name="configuration"/>: it makes the same telemetry and exports none.
    /// </summary>
    public static string[] WithoutExporters(IConfiguration configuration) =>
    [
        .. EndpointKeys.Select(key => $"--{key}="),
        .. HasEndpoint(configuration) ? [$"--{AlwaysKey}=true"] : Array.Empty<string>(),
    ];

    /// <summary>Whether telemetry is made at all: an OTLP endpoint is set, or <c>Telemetry:Always</c>.</summary>
    public static bool ExportsTelemetry(this IHostApplicationBuilder builder) =>
        HasEndpoint(builder.Configuration) || builder.Configuration[AlwaysKey] is not null;

    private static void ConfigureOpenTelemetry<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        // Without an exporter nothing listens, so nothing is set up that would cost each request time.
        if (!builder.ExportsTelemetry())
        {
            return;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });

        // A service adds the sources of its spans itself. Its own spans of calls replace those of HTTP.
        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics =>
            {
                metrics.AddServiceInstruments(builder.Environment);
                if (builder.Configuration["OTEL_METRICS_EXEMPLAR_FILTER"] is null)
                {
                    metrics.SetExemplarFilter(ExemplarFilterType.TraceBased);
                }
            })
            .WithTracing();

        // The exporter reads all its settings from the configuration, also those of one signal. So any endpoint turns it on.
        if (HasEndpoint(builder.Configuration))
        {
            telemetry.UseOtlpExporter();
            builder.Services.AddHostedService<TelemetryShutdown>();
        }
    }

    /// <summary>Adds the instruments of every service, and the service's own meter.</summary>
    public static MeterProviderBuilder AddServiceInstruments(this MeterProviderBuilder metrics, IHostEnvironment environment) => metrics
        .AddAspNetCoreInstrumentation()
        .AddHttpClientInstrumentation()
        .AddRuntimeInstrumentation()
        .AddMeter(environment.ApplicationName);

    internal static bool HasEndpoint(IConfiguration configuration) =>
        EndpointKeys.Any(key => !string.IsNullOrWhiteSpace(configuration[key]));
}
