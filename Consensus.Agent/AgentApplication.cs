using System.Net.Sockets;
using Consensus.Agent.Api;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Consensus.Agent;

/// <summary>Builds the web application of one agent.</summary>
public static class AgentApplication
{
    /// <summary>Builds it. <paramref name="configure"/> runs last and may replace any service.</summary>
    public static WebApplication Build(AgentOptions options, string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            Args = args, ApplicationName = "Consensus.Agent", ContentRootPath = AppContext.BaseDirectory,
        });
        ConfigureServer(builder.WebHost);
        ConfigureLogging(builder.Logging);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.AddServiceDefaults();
        builder.AddAgentTelemetry(options);
        builder.Services.AddAgent(options);
        builder.Services.AddApi(options);
        configure?.Invoke(builder);

        var app = builder.Build();
        app.Lifetime.ApplicationStopping.Register(() => app.Services.GetRequiredService<AgentService>().Stop());
        app.Lifetime.ApplicationStopped.Register(() => app.Services.GetRequiredService<AgentService>().WaitForSends());
        UsePipeline(app);
        MapEndpoints(app, options);
        return app;
    }

    /// <summary>What each request passes, in this order.</summary>
    private static void UsePipeline(WebApplication app)
    {
        app.UseProblemDetails();
        app.UseHeadAsGet();
        app.UseCrossSiteProtection();
        app.UseWebPage();
        app.UseClusterKey();
        app.UseUnknownQuery();
        app.UseRateLimiter();
        app.UseOutputCache();
    }

    private static void MapEndpoints(WebApplication app, AgentOptions options)
    {
        app.MapDefaultEndpoints();
        var api = app.MapGroup("");
        api.RefuseUnknownQuery();
        api.MapConsensusApi();
        api.MapPeerApi();
        api.MapFaultsApi();
        api.MapClusterApi();
        api.MapTimelineApi();
        api.MapSimulateApi();
        api.MapExploreApi();
        app.MapApiDescription();
        if (options.Metrics)
        {
            app.MapPrometheusScrapingEndpoint("/metrics");
        }
    }

    private static void ConfigureLogging(ILoggingBuilder logging) => logging
        .AddBatchedConsole()
        .AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning)

        // A peer without a response is no error here. The caller reports it.
        .AddFilter("Polly", LogLevel.None)

        // The command reports in one line why the start failed.
        .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)

        // This category makes a span for each request where it may log its id. The agent makes its own spans (MessageTracing).
        .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

    /// <summary>Makes it listen.</summary>
    /// <exception cref="ConfigurationException">It cannot listen there; the message names what to change.</exception>
    internal static async Task ListenAsync(WebApplication app)
    {
        // The server removes addresses that it cannot bind.
        var urls = string.Join(", ", app.Urls);
        try
        {
            await app.StartAsync();
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw CannotListen(app, urls, "the port is in use: stop what listens there, or choose another with --port or PORT");
        }
        catch (SocketException e)
        {
            throw CannotListen(app, urls, $"{e.Message.TrimEnd('.').ToLowerInvariant()}: choose another port or address");
        }
    }

    private static ConfigurationException CannotListen(WebApplication app, string urls, string why) =>
        new($"{app.Services.GetRequiredService<AgentOptions>().Id} cannot listen on {(urls.Length > 0 ? urls : "an address of Kestrel:Endpoints")}: {why}.");

    /// <summary>How the server is set, whatever it serves.</summary>
    internal static void ConfigureServer(ConfigureWebHostBuilder host)
    {
        host.UseKestrelHttpsConfiguration();
        // Messages are handled in microseconds and no handler blocks, so a thread more for each would only be waited for.
        host.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        host.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = WireLimits.MaxBodyBytes;

            // A slow sender holds a connection, and the number of connections is limited.
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(2));
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Limits.MaxConcurrentConnections = CallLimits.MaxConnections;
        });
    }
}
