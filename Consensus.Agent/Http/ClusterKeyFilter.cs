using Consensus.Agent.Configuration;
using Consensus.Agent.Peers;
using Consensus.ServiceDefaults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Consensus.Agent.Http;

/// <summary>Endpoints that take only calls which carry the cluster's key, where there is one.</summary>
internal static class ClusterKeyFilter
{
    private const string Scheme = "ClusterKey";


    /// <summary>Marks all endpoints of a group.</summary>
    public static void Guard(RouteGroupBuilder group) => group.WithMetadata(new ForAgents());

    /// <summary>
    /// Marks an endpoint that people read without the key. A call by an agent needs the key, so agents with different keys
    /// notice it when they start.
    /// </summary>
    public static void GuardAgents(RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new ReadByAgents());

    /// <summary>Refuses calls without the key, before anything else of the request is read. After routing.</summary>
    public static void UseClusterKey(this WebApplication app)
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
                401, $"This call is for the cluster's own agents: send its CLUSTER_KEY in the header {ClusterKey.Header}.",
                "cluster-key").ExecuteAsync(context);
        });
    }

    private static bool IsForAgents(HttpContext context) => context.GetEndpoint()?.Metadata is { } metadata
        && (metadata.GetMetadata<ForAgents>() is not null
            || (metadata.GetMetadata<ReadByAgents>() is not null && context.Request.Headers.ContainsKey(MessageId.Header)));

    /// <summary>Says in the API's description that there is a key, and which calls take it.</summary>
    public static void Describe(OpenApiOptions openApi)
    {
        openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Components ??= new OpenApiComponents();
            document.AddComponent(Scheme, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header,
                Name = ClusterKey.Header, Description = "The cluster's CLUSTER_KEY.",
            });
            return Task.CompletedTask;
        });
        openApi.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<ForAgents>().Any())
            {
                operation.Security =
                    [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [] }];
            }

            return Task.CompletedTask;
        });
    }

    private sealed class ForAgents;

    private sealed class ReadByAgents;
}
