using Consensus.Agent.Api;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Agent.Http;
using Consensus.Agent.Lab;
using Consensus.Agent.Peers;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;

namespace Consensus.Agent;

/// <summary>
/// Puts the web application of one agent together: its services, its pipeline and its endpoints. Each part sets itself up. Here stands
/// which parts there are, and in which order.
/// </summary>
internal static class AgentApplication
{
    /// <summary>Builds it.</summary>
    /// <param name="options">Every setting of the agent; <see cref="AgentOptions.From"/> reads them.</param>
    /// <param name="args">Settings of the platform.</param>
    /// <param name="configure">Runs last and may replace any service; null: nothing does.</param>
    /// <param name="warmUp">A hidden second cluster in this process, which compiles the code of a run; null: there is none.</param>
    public static WebApplication Build(
        AgentOptions options, string[] args, Action<WebApplicationBuilder>? configure = null, WarmUp? warmUp = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            Args = args, ApplicationName = "Consensus.Agent", ContentRootPath = AppContext.BaseDirectory,
        });
        HttpServer.Configure(builder.WebHost);
        builder.Logging.AddAgentLogging();
        AddServices(builder, options);
        warmUp?.AddTo(builder);
        configure?.Invoke(builder);

        var app = builder.Build();
        app.Lifetime.ApplicationStopping.Register(() => app.Services.GetRequiredService<AgentService>().Stop());
        app.Lifetime.ApplicationStopped.Register(() => app.Services.GetRequiredService<AgentService>().WaitForSends());
        UsePipeline(app);
        MapEndpoints(app, options);
        return app;
    }

    /// <summary>Starts agents that listen. Then the hidden second cluster begins its runs (<see cref="WarmUp"/>).</summary>
    public static void Start(IReadOnlyList<WebApplication> apps, WarmUp? warmUp)
    {
        foreach (var app in apps)
        {
            app.Services.GetRequiredService<AgentService>().Start();
        }

        warmUp?.Begin(apps[0].Services.GetRequiredService<AgentOptions>(), apps[0].Configuration);
    }

    private static void AddServices(WebApplicationBuilder builder, AgentOptions options)
    {
        var services = builder.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.AddServiceDefaults();
        builder.AddAgentTelemetry(options);
        services.AddSingleton(options);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IRandomSource>(_ => new SeededRandom(BitConverter.ToUInt64(Guid.NewGuid().ToByteArray())));
        services.AddPersistence(options);
        services.AddSingleton<AgentService>();
        services.AddSingleton(provider => provider.GetRequiredService<AgentService>().Timeline);
        AgentHealth.AddTo(services);
        services.AddPeers(options);
        services.AddHttpInput(options);
        services.AddApi(options);
        services.AddLab();
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
}
