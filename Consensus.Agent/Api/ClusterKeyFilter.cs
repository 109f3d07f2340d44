using Consensus.Agent.Configuration;
using Consensus.Agent.Peers;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Consensus.Agent.Api;

/// <summary>Endpoints that take only calls which carry the cluster's key, where there is one.</summary>
internal sealed class ClusterKeyFilter
{
    private const string Scheme = "ClusterKey";

    private static readonly ClusterKeyFilter Mark = new();
    private static readonly ReadByAgents ReadMark = new();

    /// <summary>Marks all endpoints of a group.</summary>
    public static void Guard(RouteGroupBuilder group) => group.WithMetadata(Mark);

    /// <summary>
    /// Marks an endpoint that people read without the key. A call by an agent needs the key, so agents with different keys
    /// notice it when they start.
    /// </summary>
    public static void GuardAgents(RouteHandlerBuilder endpoint) => endpoint.WithMetadata(ReadMark);

    /// <summary>Refuses whoever does not carry the key, before anything else of the request is read. After routing.</summary>
    public static void Use(WebApplication app)
    {
        if (app.Services.GetRequiredService<AgentOptions>().Key is not { } key)
        {
            return;
        }

        var refusals = app.Services.GetRequiredService<RejectedRequestLog>();
        app.Use((context, next) =>
        {
            if (!IsForAgents(context) || key.Is(context.Request.Headers[ClusterKey.Header]))
            {
                return next(context);
            }

            refusals.Add(RejectionReason.WithoutKey, context);
            context.Response.Headers.WWWAuthenticate = ClusterKey.Header;
            return RequestBody.Problem(
                401, $"This call is for the cluster's own agents: send its CLUSTER_KEY in the header {ClusterKey.Header}.", "cluster-key").ExecuteAsync(context);
        });
    }

    private static bool IsForAgents(HttpContext context) => context.GetEndpoint()?.Metadata is { } metadata
        && (metadata.GetMetadata<ClusterKeyFilter>() is not null
            || (metadata.GetMetadata<ReadByAgents>() is not null && context.Request.Headers.ContainsKey(PeerClient.MessageHeader)));

    /// <summary>Says in the API's description that there is a key, and which calls take it.</summary>
    public static void Describe(OpenApiOptions openApi)
    {
        openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Components ??= new OpenApiComponents();
            document.AddComponent(Scheme, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = ClusterKey.Header, Description = "The cluster's CLUSTER_KEY.",
            });
            return Task.CompletedTask;
        });
        openApi.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<ClusterKeyFilter>().Any())
            {
                operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [] }];
            }

            return Task.CompletedTask;
        });
    }

    private sealed class ReadByAgents;
}
