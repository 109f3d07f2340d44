using System.Net.Sockets;

namespace Consensus.Hosting;

/// <summary>Puts the program with the links' proxies between the agents of a cluster.</summary>
internal static class LinkExtensions
{
    /// <summary>The program of this project, which the package puts beside the AppHost.</summary>
    private static string Library => Path.Combine(AppContext.BaseDirectory, "consensus", "Consensus.Agent.dll");

    /// <summary>Adds the program.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static ClusterLinks AddLinks(this IResourceBuilder<ConsensusClusterResource> cluster)
    {
        var program = cluster.ApplicationBuilder.AddExecutable($"{cluster.Resource.Name}-links", "dotnet", AppContext.BaseDirectory);
        var links = new ClusterLinks(program.Resource, cluster.Resource);
        program.WithHttpEndpoint(port: links.FreePort(), name: AgentClient.EndpointName, isProxied: false)
            .ExcludeFromManifest()
            .WithParentRelationship(cluster.Resource)
            .WithIconName("PlugConnected")
            .WithOtlpExporter()
            .WithArgs(context => AddArguments(context.Args, links))
            .WithEnvironment(context =>
            {
                if (cluster.Resource.Key is { } key)
                {
                    context.EnvironmentVariables["CLUSTER_KEY"] = key;
                }
            })
            .WithUrls(context =>
            {
                context.Urls.RemoveAll(url => url.Endpoint?.EndpointName != AgentClient.EndpointName);
                context.Urls.ForEach(url => url.DisplayText = "Timeline");
            });
        return links;
    }

    /// <summary>Adds the link between two agents, with an endpoint for each direction.</summary>
    public static void Connect(this ClusterLinks links, IDistributedApplicationBuilder builder, AgentClient one, AgentClient other)
    {
        var link = new LinkResource($"{one.Agent.Name}-{other.Agent.Name}", one.Agent.Name, other.Agent.Name);
        links.Resources.Add(link);
        builder.AddResource(link)
            .ExcludeFromManifest()
            .WithIconName("ArrowBidirectionalLeftRight")
            .WithParentRelationship(links.Cluster)
            .WithRelationship(one.Agent, "Link")
            .WithRelationship(other.Agent, "Link")
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = LinkResource.Type, Properties = [], State = KnownResourceStates.Starting,
            });
        foreach (var (from, to) in new[] { (one, other), (other, one) })
        {
            var port = links.FreePort();
            links.Program.Annotations.Add(new EndpointAnnotation(
                ProtocolType.Tcp, "http", name: links.Between(from, to).EndpointName, port: port, targetPort: port, isProxied: false));
        }
    }

    private static void AddArguments(IList<object> arguments, ClusterLinks links)
    {
        arguments.Add(Library);
        arguments.Add("links");
        arguments.Add("--port");
        arguments.Add(links.Program.GetEndpoint(AgentClient.EndpointName).Property(EndpointProperty.TargetPort));
        foreach (var agent in links.Cluster.Agents)
        {
            arguments.Add("--agent");
            arguments.Add(ReferenceExpression.Create($"{agent.Agent.Name}={agent.Agent.GetEndpoint(AgentClient.EndpointName)}"));
            foreach (var other in links.Cluster.Agents.Where(other => other != agent))
            {
                arguments.Add("--link");
                arguments.Add(ReferenceExpression.Create(
                    $"{agent.Agent.Name},{other.Agent.Name}={links.Between(agent, other).Property(EndpointProperty.TargetPort)}"));
            }
        }
    }
}
