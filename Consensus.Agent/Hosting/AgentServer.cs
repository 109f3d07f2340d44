using Consensus.Agent.Api;
using Consensus.Agent.Peers;
using Consensus.Agent.Storage;
using Consensus.Agent.Telemetry;
using Consensus.Agent.Timeline;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Scalar.AspNetCore;

namespace Consensus.Agent.Hosting;

/// <summary>Builds the web application of one agent.</summary>
public static class AgentServer
{
    /// <summary>Builds it; <paramref name="configure"/> has the last word.</summary>
    public static WebApplication Build(AgentOptions options, string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            Args = args, ApplicationName = "Consensus.Agent", ContentRootPath = AppContext.BaseDirectory,
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBody.MaxBytes;

            // Whoever sends slowly holds a connection, and no more than so many are held.
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(2));
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Limits.MaxConcurrentConnections = 4096;
        });
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning).AddFilter("Polly", LogLevel.None)

            // What stops the start is told in one line by whoever started it.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.AddServiceDefaults(IsNoise);
        builder.AddAgentTelemetry(options);
        builder.Services.AddAgent(options);
        configure?.Invoke(builder);

        var app = builder.Build();
        app.Lifetime.ApplicationStopping.Register(() => app.Services.GetRequiredService<AgentNode>().Stop());
        app.UseProblems();
        BrowserGate.Use(app);
        app.UsePage();
        PeersOnly.Use(app);
        app.UseRateLimiter();
        Crowding.Use(app);
        app.MapDefaultEndpoints();
        app.MapConsensusApi();
        app.MapPeerApi();
        app.MapFaultsApi();
        app.MapClusterApi();
        app.MapTimelineApi();
        app.MapOpenApi("/openapi/v1.json");
        app.MapScalarApiReference(scalar =>
        {
            // Nothing from elsewhere, and nothing told elsewhere.
            scalar.DefaultFonts = scalar.Telemetry = false;
            scalar.DynamicNonce = true;
            scalar.DisableAgent().DisableMcp().HideDeveloperTools();
        });
        return app;
    }

    private static void AddAgent(this IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton(options);
        services.AddKeeping(options);
        services.AddSingleton<AgentNode>();
        services.AddSingleton<Faults>();
        services.AddSingleton<Refusals>();
        services.AddSingleton<BrowserGate>();
        RunRate.Add(services, options);
        services.AddSingleton(provider => provider.GetRequiredService<AgentNode>().Recorder);
        services.AddSingleton(TimeProvider.System);
        services.AddProblemDetails();
        services.AddOpenApi(openApi =>
        {
            openApi.AddOperationTransformer(Documented.OnlyJson);
            if (options.Key is not null)
            {
                PeersOnly.Describe(openApi);
            }
        });
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, AgentJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Insert(1, TimelineJson.Default);
        });
        services.AddHttpClient(nameof(PeerClient), Ours)
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                PooledConnectionLifetime = TimeSpan.FromMinutes(2), ConnectTimeout = options.CallTimeout, UseCookies = false, AllowAutoRedirect = false,
            })
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .AddResilienceHandler("peer", (pipeline, context) =>
            {
                pipeline.AddTimeout(options.CallTimeout);
                if (options.Faults)
                {
                    Chaos.AddOutgoing(pipeline, context.ServiceProvider);
                }
            });
        services.AddHttpClient<ClusterClient>(Ours)
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<PeerClient>(
            provider, provider.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(PeerClient))));

        // Calls to other agents carry the key, and follow nobody elsewhere with it.
        void Ours(HttpClient http)
        {
            http.Timeout = Timeout.InfiniteTimeSpan;
            options.Key?.AddTo(http.DefaultRequestHeaders);
        }
    }

    /// <summary>What only reads is asked all the time and tells nothing about a run: it makes no spans.</summary>
    private static bool IsNoise(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
}
