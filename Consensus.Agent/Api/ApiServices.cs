using System.Text.Json;
using Consensus.Agent.Configuration;
using Consensus.Agent.Http;
using Consensus.Protocol;
using Consensus.Timeline;
using Scalar.AspNetCore;

namespace Consensus.Agent.Api;

/// <summary>The services of the API, and its description.</summary>
internal static class ApiServices
{
    /// <summary>Adds them.</summary>
    public static void AddApi(this IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton<ClusterTimelines>();
        services.AddSingleton<RecordedMoments>();
        services.AddOpenApi(openApi =>
        {
            openApi.AddOperationTransformer(OpenApiExtensions.OnlyJson);
            openApi.AddSchemaTransformer(OpenApiExtensions.RunOptions);
            if (options.Key is not null)
            {
                ClusterKeyFilter.Describe(openApi);
            }
        });
        services.ConfigureHttpJsonOptions(json =>
        {
            // The description of the API takes its names from here.
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, AgentJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Insert(1, TimelineJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Insert(2, MessageJson.Default);
        });
    }

    /// <summary>
    /// Maps <c>/openapi/v1.json</c> and <c>/scalar</c>. The description takes a core for 0.2 s, and over 1 s the first
    /// time, so it is cached.
    /// </summary>
    public static void MapApiDescription(this IEndpointRouteBuilder app)
    {
        app.MapOpenApi("/openapi/v1.json").CacheOutput(cache => cache.Expire(TimeSpan.FromDays(1)).SetVaryByQuery([])).IgnoreClientAbort();
        app.MapScalarApiReference(scalar =>
        {
            // The page loads nothing from other sites and reports nothing to them.
            scalar.DefaultFonts = scalar.Telemetry = false;
            scalar.DynamicNonce = true;
            scalar.DisableAgent().DisableMcp().HideDeveloperTools();
        });
    }
}
