using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Consensus.Agent.Api;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Agent.Peers;
using Consensus.Agent.Telemetry;
using Consensus.Agent.Timeline;
using Consensus.Protocol;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Scalar.AspNetCore;

namespace Consensus.Agent;

/// <summary>Builds the web application of one agent.</summary>
public static class AgentApplication
{
    /// <summary>Builds it; <paramref name="configure"/> has the last word.</summary>
    public static WebApplication Build(AgentOptions options, string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            Args = args, ApplicationName = "Consensus.Agent", ContentRootPath = AppContext.BaseDirectory,
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        ConfigureServer(builder.WebHost);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning)

            // That a peer does not answer in time is no error here, and told by whoever asked.
            .AddFilter("Polly", LogLevel.None)

            // What stops the start is told in one line by whoever started it.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);

        // This category makes a span for each request where it may log its id. The agent makes its own spans (MessageTracing).
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.AddServiceDefaults();
        builder.AddAgentTelemetry(options);
        builder.Services.AddAgent(options);
        configure?.Invoke(builder);

        var app = builder.Build();
        app.Lifetime.ApplicationStopping.Register(() => app.Services.GetRequiredService<AgentService>().Stop());
        app.Lifetime.ApplicationStopped.Register(() => app.Services.GetRequiredService<AgentService>().WaitForSends());
        app.UseProblems();
        HeadRequests.Use(app);
        CrossSiteProtection.Use(app);
        app.UsePage();
        ClusterKeyFilter.Use(app);
        app.UseRateLimiter();

        // The description of the API takes a core for 0.2 s, and for over a second the first time.
        app.UseOutputCache();
        ConcurrencyLimits.Use(app);
        app.MapDefaultEndpoints();
        if (app.Services.GetRequiredService<AgentOptions>().Metrics)
        {
            app.MapPrometheusScrapingEndpoint("/metrics");
        }

        app.MapConsensusApi();
        app.MapPeerApi();
        app.MapFaultsApi();
        app.MapClusterApi();
        app.MapTimelineApi();
        app.MapSimulateApi();
        app.MapOpenApi("/openapi/v1.json").CacheOutput(cache => cache.Expire(TimeSpan.FromDays(1)).SetVaryByQuery([])).OutliveCaller();
        app.MapScalarApiReference(scalar =>
        {
            // Nothing from elsewhere, and nothing told elsewhere.
            scalar.DefaultFonts = scalar.Telemetry = false;
            scalar.DynamicNonce = true;
            scalar.DisableAgent().DisableMcp().HideDeveloperTools();
        });
        return app;
    }

    /// <summary>Makes it listen.</summary>
    /// <exception cref="ConfigurationException">It cannot listen there; the message says what to change.</exception>
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
        // Messages are handled in microseconds and no handler blocks, so a thread more for each would only be waited for.
        host.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        host.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBody.MaxBytes;

            // Whoever sends slowly holds a connection, and no more than so many are held.
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(2));
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Limits.MaxConcurrentConnections = CallLimits.MaxConnections;
        });
    }

    private static void AddAgent(this IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton(options);
        services.AddPersistence(options);
        AgentHealth.AddTo(services);
        services.AddExceptionHandler<AgentExceptionHandler>();
        services.AddSingleton<IRandomSource>(_ => new SeededRandom(BitConverter.ToUInt64(Guid.NewGuid().ToByteArray())));
        services.AddSingleton<AgentService>();
        services.AddSingleton<FaultInjector>();
        services.AddSingleton<FaultInjectionLogger>();
        services.AddSingleton<RejectedRequestLog>();
        services.AddSingleton<CrossSiteProtection>();
        RunRateLimit.Add(services, options);
        services.AddSingleton(provider => provider.GetRequiredService<AgentService>().Recorder);
        services.AddSingleton(TimeProvider.System);
        services.AddProblemDetails();

        // The description names the host of the request, so each host takes an entry of its own.
        services.AddOutputCache(cache => cache.SizeLimit = 1024 * 1024);
        services.AddOpenApi(openApi =>
        {
            openApi.AddOperationTransformer(OpenApiExtensions.OnlyJson);
            if (options.Key is not null)
            {
                ClusterKeyFilter.Describe(openApi);
            }
        });
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, AgentJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Insert(1, TimelineJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Insert(2, MessageJson.Default);
        });
        // The client itself keeps the time, and says what failed.
        services.AddHttpClient(nameof(PeerClient), http => http.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(services => Sockets(options, services))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers()
            .AddFaults(options);
        services.AddHttpClient<AgentApiClient>(http =>
            {
                // Calls to other agents carry the key, and follow nobody elsewhere with it.
                http.Timeout = Timeout.InfiniteTimeSpan;
                options.Key?.AddTo(http.DefaultRequestHeaders);
            })
            .ConfigurePrimaryHttpMessageHandler(services => Sockets(options, services));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<PeerClient>(provider, CallsTo(options, provider)));
    }

    private static void AddFaults(this IHttpClientBuilder client, AgentOptions options)
    {
        if (options.Faults)
        {
            client.AddResilienceHandler("faults", (pipeline, context) => FaultInjectionPipeline.AddOutgoing(pipeline, context.ServiceProvider));
        }
    }

    internal static SocketsHttpHandler Sockets(AgentOptions options, IServiceProvider services)
    {
        var handler = DirectHttp.CreateHandler(options.PeerProxy);

        // A call that finds no connection fails as such, and not by its own timeout: its peer is absent, not slow.
        (handler.PooledConnectionLifetime, handler.ConnectTimeout) = (TimeSpan.FromMinutes(2), options.CallTimeout * 0.75);
        (handler.UseCookies, handler.AllowAutoRedirect) = (false, false);
        handler.ActivityHeadersPropagator = null;

        // The process has one meter of HTTP calls; agents that share it would count each other's.
        handler.MeterFactory = services.GetRequiredService<IMeterFactory>();
        return handler;
    }

    /// <summary>Addresses need no service discovery, which costs each call its share; names do.</summary>
    private static HttpMessageInvoker CallsTo(AgentOptions options, IServiceProvider provider) =>
        !options.Faults && options.Peers.All(peer => peer.IsLoopback || peer.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            ? new HttpMessageInvoker(Sockets(options, provider))
            : provider.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(PeerClient));
}
