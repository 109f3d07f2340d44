namespace Consensus.AppHost;

/// <summary>The cluster as one resource of the dashboard, with the agents as its children.</summary>
internal sealed class ClusterResource(string name, ParameterResource key) : Resource(name)
{
    /// <summary>What the dashboard shows as the resource's type.</summary>
    public const string Type = "Cluster";

    private readonly List<AgentClient> _agents = [];

    /// <summary>The parameter that holds <c>CLUSTER_KEY</c>.</summary>
    public ParameterResource Key => key;

    /// <summary>The agents, in the order of their numbers.</summary>
    public IReadOnlyList<AgentClient> Agents => _agents;

    /// <summary>Adds an agent to the cluster.</summary>
    public AgentClient Add(ProjectResource agent)
    {
        var client = new AgentClient(agent, key);
        _agents.Add(client);
        return client;
    }
}
