using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.AppHost;

/// <summary>What AppHost.cs says in one word.</summary>
internal static class Extensions
{
    /// <summary>The header by which an agent knows who may change it.</summary>
    public const string KeyHeader = "Consensus-Key";

    /// <summary>In the containers that the SDK builds, the one folder that its user owns; a new volume there belongs to that user, too.</summary>
    private const string HomeInContainer = "/home/app";

    /// <summary>Reads the cluster's size and place; what is wrong with them comes back in one line.</summary>
    public static string? ReadCluster(this IDistributedApplicationBuilder builder, out Cluster cluster) =>
        Cluster.Read(builder.Configuration, Path.Combine(builder.AppHostDirectory, "obj", "data"), out cluster);

    /// <summary>A parameter with a default, which is published too.</summary>
    public static IResourceBuilder<ParameterResource> AddSetting(
        this IDistributedApplicationBuilder builder, string name, string value, string description) =>
        builder.AddParameter(name, builder.Configuration[$"Parameters:{name}"] ?? value, publishValueAsDefault: true).WithDescription(description);

    /// <summary>Where an agent keeps what it said, so that it may go on after a restart: a file here, a volume where published.</summary>
    public static IResourceBuilder<ProjectResource> WithMemory(this IResourceBuilder<ProjectResource> agent, Cluster cluster)
    {
        var file = agent.Resource.Name + ".db";
        if (agent.ApplicationBuilder.ExecutionContext.IsPublishMode)
        {
            return agent.WithEnvironment("DATA", HomeInContainer + "/" + file)
                .WithAnnotation(new ContainerMountAnnotation($"{agent.Resource.Name}-data", HomeInContainer, ContainerMountType.Volume, isReadOnly: false));
        }

        Directory.CreateDirectory(cluster.Data);
        return agent.WithEnvironment("DATA", Path.Combine(cluster.Data, file));
    }

    /// <summary>A link in the dashboard; links stand in the order in which they are added.</summary>
    public static IResourceBuilder<ProjectResource> WithLink(this IResourceBuilder<ProjectResource> agent, string path, string name) =>
        agent.WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = path, DisplayText = name });

    /// <summary>A command that calls the agent and shows its answer. It is disabled while the agent is not healthy.</summary>
    public static IResourceBuilder<ProjectResource> WithAgentCommand(
        this IResourceBuilder<ProjectResource> agent,
        IResourceBuilder<ParameterResource> key,
        string name,
        string displayName,
        string icon,
        string description,
        HttpMethod method,
        string pathAndQuery,
        string? json = null,
        bool highlighted = false) =>
        agent.WithHttpCommand(pathAndQuery.Split('?')[0], displayName, "http", name, new HttpCommandOptions
        {
            Method = method,
            IconName = icon,
            Description = description,
            IsHighlighted = highlighted,
            UpdateState = context => context.ResourceSnapshot is { State.Text: "Running", HealthStatus: HealthStatus.Healthy }
                ? ResourceCommandState.Enabled
                : ResourceCommandState.Disabled,
            PrepareRequest = async context =>
            {
                // A query in a command's path would be escaped.
                context.Request.RequestUri = new Uri(new Uri(context.Endpoint.Url), pathAndQuery);
                context.Request.Headers.Add(KeyHeader, await key.Resource.GetValueAsync(context.CancellationToken));
                context.Request.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
            },
            GetCommandResult = context => ShowAsync(context.Response, context.CancellationToken),
        });

    private static async Task<ExecuteCommandResult> ShowAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var text = await response.Content.ReadAsStringAsync(cancellation);
        var answer = JsonNode.Parse(text)!;
        if (!response.IsSuccessStatusCode)
        {
            return CommandResults.Failure(answer["detail"]?.GetValue<string>() ?? $"The agent answered {(int)response.StatusCode}.");
        }

        var told = answer["outcome"] is not { } outcome ? ""
            : outcome["reached"]!.GetValue<bool>() ? $"Decided {outcome["value"]} in round {outcome["round"]}."
            : outcome["reason"]?.GetValue<string>() ?? "Not decided yet.";
        return CommandResults.Success(told, text, CommandResultFormat.Json);
    }
}
