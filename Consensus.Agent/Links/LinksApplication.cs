using Consensus.Agent.Api;
using Consensus.Agent.Configuration;
using Consensus.Agent.Http;
using Consensus.Agent.Lab;
using Consensus.ServiceDefaults;
using OpenTelemetry.Trace;

namespace Consensus.Agent.Links;

/// <summary>Builds the web application that serves the links' faults, the judge and the page.</summary>
internal static class LinksApplication
{
    /// <summary>Builds it.</summary>
    /// <param name="links">The links.</param>
    /// <param name="key">The cluster's key; null: none.</param>
    /// <param name="url">Where it listens.</param>
    public static WebApplication Build(LinkObserver links, ClusterKey? key, Uri url)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = "Consensus.Agent", ContentRootPath = AppContext.BaseDirectory, EnvironmentName = Environments.Production,
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.WebHost.UseUrls(url.ToString());
        builder.AddServiceDefaults();
        builder.Services.ConfigureOpenTelemetryTracerProvider(traces => traces.AddSource(LinkObserver.SourceName));
        var options = new AgentOptions { Id = "links", Key = key };
        builder.Services.AddSingleton(options).AddSingleton(links);
        builder.Services.AddHttpInput(options);
        builder.Services.AddApi(options);
        builder.Services.AddLab();
        var app = builder.Build();
        app.UseProblemDetails();
        app.UseHeadAsGet();
        app.UseCrossSiteProtection();
        app.UseWebPage();
        app.UseClusterKey();
        app.UseRateLimiter();
        app.MapDefaultEndpoints();
        var api = app.MapGroup("");
        api.MapLinksApi();
        api.MapSimulateApi();
        api.MapExploreApi();
        return app;
    }
}
