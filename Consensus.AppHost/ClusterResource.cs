using Consensus.Protocol;

namespace Consensus.AppHost;

/// <summary>The cluster as one resource of the dashboard, with the agents as its children.</summary>
/// <param name="name">Its name.</param>
/// <param name="key">The parameter that holds <c>CLUSTER_KEY</c>.</param>
/// <param name="parameters">The parameters that hold options of a run, by the option.</param>
internal sealed class ClusterResource(
    string name, ParameterResource key, IReadOnlyDictionary<RunOption, ParameterResource> parameters)
    : Resource(name)
{
    /// <summary>What the dashboard shows as the resource's type.</summary>
    public const string Type = "Cluster";

    private readonly List<AgentClient> _agents = [];

    /// <summary>The parameter that holds <c>CLUSTER_KEY</c>.</summary>
    public ParameterResource Key => key;

    /// <summary>The agents, in the order of their numbers.</summary>
    public IReadOnlyList<AgentClient> Agents => _agents;

    /// <summary>The present value of the parameter for an option; null where it has none.</summary>
    /// <exception cref="AgentException">The parameter's value is none that agents take.</exception>
    public async Task<string?> ParameterAsync(RunOption option, CancellationToken cancellation)
    {
        try
        {
            return parameters.TryGetValue(option, out var parameter) ? await parameter.GetValueAsync(cancellation) : null;
        }
        catch (DistributedApplicationException exception)
        {
            throw new AgentException(exception.Message, exception);
        }
    }

    /// <summary>Adds an agent to the cluster.</summary>
    public AgentClient Add(ProjectResource agent)
    {
        var client = new AgentClient(agent, key);
        _agents.Add(client);
        return client;
    }
}
