using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using Consensus.Hosting;
using Consensus.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>Adds clusters of agents that agree on a value.</summary>
public static class ConsensusClusterExtensions
{
    /// <summary>Adds a cluster, with commands that start runs. <see cref="WithAgent"/> adds its agents.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The cluster's name.</param>
    /// <returns>The cluster.</returns>
    /// <example>
    /// <code>
    /// builder.AddConsensusCluster("consensus")
    ///     .WithAgent(builder.AddExecutable("agent1", "python3", ".", "agent.py"))
    ///     .WithAgents&lt;Projects.MyAgent&gt;(2);
    /// </code>
    /// </example>
    [AspireExportIgnore(Reason = "For AppHosts in C#.")]
    public static IResourceBuilder<ConsensusClusterResource> AddConsensusCluster(
        this IDistributedApplicationBuilder builder, [ResourceName] string name)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var resource = new ConsensusClusterResource(name);
        var check = $"{name}_health";
        builder.Services
            .AddKeyedSingleton(name, (services, _) => ActivatorUtilities.CreateInstance<ClusterMonitor>(services, resource))
            .AddKeyedSingleton(name, (services, _) => new RunCommands(resource, services.GetRequiredKeyedService<ClusterMonitor>(name)));
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            check, services => new ClusterHealthCheck(services.GetRequiredKeyedService<ClusterMonitor>(name)), null, null));
        if (builder.ExecutionContext.IsRunMode)
        {
            builder.Services.AddSingleton<IHostedService>(services => services.GetRequiredKeyedService<ClusterMonitor>(name));
        }

        return builder.AddResource(resource)
            .ExcludeFromManifest()
            .WithIconName("PeopleTeam")
            .WithHealthCheck(check)
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = ConsensusClusterResource.Type, Properties = [], State = KnownResourceStates.Starting,
            })
            .WithClusterCommands();
    }

    /// <summary>Adds an agent of any implementation. The resource's name is the agent's id.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="agent">
    /// The agent. It reads <c>AGENT_ID</c>, <c>PORT</c> and <c>PEERS</c>, the base addresses of the others, which are set unless they
    /// are set already; with link proxies <c>PEERS</c> always is. A project gets its port by the settings of ASP.NET. The agent gets an
    /// endpoint <c>http</c> where it has none.
    /// </param>
    /// <returns>The cluster.</returns>
    [AspireExportIgnore(Reason = "For AppHosts in C#.")]
    public static IResourceBuilder<ConsensusClusterResource> WithAgent(
        this IResourceBuilder<ConsensusClusterResource> cluster, IResourceBuilder<IResourceWithEndpoints> agent)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(agent);
        var client = cluster.Resource.Add(agent.Resource);
        if (!agent.Resource.TryGetEndpoints(out var endpoints) || !endpoints.Any(endpoint => endpoint.Name == AgentClient.EndpointName))
        {
            // Without a proxy the port is closed while the agent is down.
            agent.WithAnnotation(new EndpointAnnotation(ProtocolType.Tcp, "http", name: AgentClient.EndpointName, isProxied: false));
        }

        if (cluster.Resource.Links is { } links)
        {
            foreach (var other in cluster.Resource.Agents.SkipLast(1))
            {
                links.Connect(cluster.ApplicationBuilder, other, client);
            }
        }
        else if (agent.Resource is not ProjectResource)
        {
            cluster.WithLinkProxies();
        }

        if (agent.Resource is not ProjectResource)
        {
            agent.WithUrlForEndpoint(AgentClient.EndpointName, url => (url.Url, url.DisplayText) = ("/state", "State"))
                .WithUrlForEndpoint(
                    AgentClient.EndpointName, _ => new ResourceUrlAnnotation { Url = "/consensus", DisplayText = "Consensus" });
        }

        var check = $"{agent.Resource.Name}_health";
        cluster.ApplicationBuilder.Services.AddHealthChecks()
            .Add(new HealthCheckRegistration(check, new AgentHealthCheck(client), null, null));
        agent.WithHealthCheck(check)
            .WithParentRelationship(cluster.Resource)
            .WithAgentCommands(cluster.Resource, client)
            .WithAnnotation(new EnvironmentCallbackAnnotation(context =>
                client.SetEnvironment(context.EnvironmentVariables, cluster.ApplicationBuilder.ExecutionContext.IsRunMode)));
        return cluster;
    }

    /// <summary>Adds agents that run the same project. They are named agent1, agent2 and so on, after those that the cluster has.</summary>
    /// <typeparam name="TProject">The project, which reads what <see cref="WithAgent"/> says.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="count">How many agents to add.</param>
    /// <returns>The cluster.</returns>
    [AspireExportIgnore(Reason = "For AppHosts in C#.")]
    public static IResourceBuilder<ConsensusClusterResource> WithAgents<TProject>(
        this IResourceBuilder<ConsensusClusterResource> cluster, int count)
        where TProject : IProjectMetadata, new()
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        for (var i = 0; i < count; i++)
        {
            var name = ClusterOptions.NameOf(cluster.Resource.Agents.Count + 1);
            cluster.WithAgent(cluster.ApplicationBuilder.AddProject<TProject>(name, launchProfileName: null));
        }

        return cluster;
    }

    /// <summary>
    /// Lets calls between the agents go through proxies, which break links on purpose, draw the runs that go through, and judge the
    /// agents. A cluster with an agent that is no project has them already. In a published application there are none.
    /// </summary>
    /// <param name="cluster">The cluster.</param>
    /// <returns>The cluster.</returns>
    [AspireExportIgnore(Reason = "For AppHosts in C#.")]
    public static IResourceBuilder<ConsensusClusterResource> WithLinkProxies(this IResourceBuilder<ConsensusClusterResource> cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        if (cluster.Resource.Links is not null || !cluster.ApplicationBuilder.ExecutionContext.IsRunMode)
        {
            return cluster;
        }

        var links = cluster.Resource.Links = cluster.AddLinks();
        foreach (var (i, agent) in cluster.Resource.Agents.Index())
        {
            foreach (var other in cluster.Resource.Agents.Take(i))
            {
                links.Connect(cluster.ApplicationBuilder, other, agent);
            }
        }

        cluster.WithLinkCommands(links);
        return cluster;
    }

    /// <summary>
    /// Gives the agents a key, <c>CLUSTER_KEY</c>, by which agents of this project know each other. A caller with it may reset agents and
    /// break calls between them.
    /// </summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="key">The key; null: the parameter <c>cluster-key</c>, which is random unless it is configured.</param>
    /// <returns>The cluster.</returns>
    [AspireExportIgnore(Reason = "For AppHosts in C#.")]
    public static IResourceBuilder<ConsensusClusterResource> WithClusterKey(
        this IResourceBuilder<ConsensusClusterResource> cluster, IResourceBuilder<ParameterResource>? key = null)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        cluster.Resource.Key = (key ?? cluster.ApplicationBuilder.AddClusterKey()).Resource;
        return cluster;
    }

    /// <summary>
    /// Adds the parameters <c>rule</c>, <c>values</c> and <c>window-ms</c>: the defaults of runs, for agents of this project.
    /// Other values: <c>--Parameters:values=5</c>, or <c>Parameters__values</c> in the environment.
    /// </summary>
    /// <param name="cluster">The cluster.</param>
    /// <returns>The cluster.</returns>
    [AspireExportIgnore(Reason = "For AppHosts in C#.")]
    public static IResourceBuilder<ConsensusClusterResource> WithRunParameters(this IResourceBuilder<ConsensusClusterResource> cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        foreach (var option in RunParameters.Options)
        {
            cluster.Resource.Parameters[option] = cluster.ApplicationBuilder.AddRunParameter(option).Resource;
        }

        return cluster;
    }
}
