using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
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

    /// <summary>Adds all of it. <paramref name="isNoise"/> says which requests, by method, make no spans besides the health checks; which calls, an <see cref="ISpanOwner"/>.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder, Func<string, bool>? isNoise = null)
        where TBuilder : IHostApplicationBuilder
    {
        builder.ConfigureOpenTelemetry(isNoise ?? (_ => false));
        builder.Services.AddHealthChecks().AddProcessCheck();
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http => http.AddServiceDiscovery());
        return builder;
    }

    /// <summary>
    /// Maps <c>/health</c> and <c>/alive</c>, in every environment: the AppHost runs agents without a launch profile,
    /// so as Production, and watches them by these. A degraded service still answers 200, an unhealthy one 503.
    /// </summary>
    public static TApp MapDefaultEndpoints<TApp>(this TApp app)
        where TApp : Microsoft.AspNetCore.Routing.IEndpointRouteBuilder
    {
        app.MapHealthChecks(HealthPath, new HealthCheckOptions { ResponseWriter = Health.WriteAsync });
        app.MapHealthChecks(AlivePath, new HealthCheckOptions { ResponseWriter = Health.WriteAsync, Predicate = check => check.Tags.Contains("live") });
        return app;
    }

    private static void ConfigureOpenTelemetry<TBuilder>(this TBuilder builder, Func<string, bool> isNoise)
        where TBuilder : IHostApplicationBuilder
    {
        // Nobody listens without an exporter, so nothing is set up that would cost each request its share.
        if (!builder.ExportsTelemetry())
        {
            return;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });

        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddServiceInstruments(builder.Environment))
            .WithTracing(tracing => tracing
                .AddSource(builder.Environment.ApplicationName)
                .AddAspNetCoreInstrumentation(options => options.Filter = context =>
                    !context.Request.Path.StartsWithSegments(HealthPath)
                    && !context.Request.Path.StartsWithSegments(AlivePath)
                    && !isNoise(context.Request.Method))

                // The runtime's own spans of calls are those of the instrumentation library, without its share of each call.
                .AddSource("System.Net.Http"));

        if (builder.HasOtlpEndpoint())
        {
            builder.Services.AddOpenTelemetry()
                .WithLogging(logging => logging.AddOtlpExporter())
                .WithMetrics(metrics => metrics.AddOtlpExporter())
                .WithTracing(tracing => tracing.AddProcessor(services => OwnSpans.ExportedBy(
                    services, new BatchActivityExportProcessor(new OtlpTraceExporter(new OtlpExporterOptions())))));
        }
    }

    /// <summary>Adds the instruments of every service, and the service's own meter.</summary>
    public static MeterProviderBuilder AddServiceInstruments(this MeterProviderBuilder metrics, IHostEnvironment environment) => metrics
        .AddAspNetCoreInstrumentation()
        .AddHttpClientInstrumentation()
        .AddRuntimeInstrumentation()
        .AddMeter(environment.ApplicationName);

    /// <summary>Whether telemetry is made at all: an OTLP endpoint is set, or <c>Telemetry:Always</c>.</summary>
    public static bool ExportsTelemetry(this IHostApplicationBuilder builder) =>
        builder.HasOtlpEndpoint() || builder.Configuration["Telemetry:Always"] is not null;

    private static bool HasOtlpEndpoint(this IHostApplicationBuilder builder) =>
        !string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
}
