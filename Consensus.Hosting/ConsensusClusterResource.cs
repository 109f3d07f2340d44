using Consensus.Hosting;
using Consensus.Protocol;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A cluster of agents that agree on a value, as one resource of the dashboard. The agents are its children.</summary>
/// <param name="name">Its name.</param>
public sealed class ConsensusClusterResource(string name) : Resource(name)
{
    /// <summary>What the dashboard shows as the resource's type.</summary>
    internal const string Type = "Cluster";

    private readonly List<AgentClient> _agents = [];

    // Commands take their choices before the agents are added, so the lists grow.
    private readonly List<KeyValuePair<string, string>> _names = [];
    private readonly List<KeyValuePair<string, string>> _starters = [KeyValuePair.Create(RunCommands.AnyAgent, RunCommands.AnyAgent)];

    /// <summary>The parameter that holds <c>CLUSTER_KEY</c>; null: the agents get none.</summary>
    internal ParameterResource? Key { get; set; }

    /// <summary>The parameters that hold options of a run, by the option.</summary>
    internal Dictionary<RunOption, ParameterResource> Parameters { get; } = [];

    /// <summary>The agents, in the order in which they were added.</summary>
    internal IReadOnlyList<AgentClient> Agents => _agents;

    /// <summary>Who may start a run, as choices of a dialog.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Starters => _starters;

    /// <summary>The agents as choices of a dialog.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Names => _names;

    /// <summary>The proxies on the links; null: agents call each other directly.</summary>
    internal ClusterLinks? Links { get; set; }

    /// <summary>Calls the agents.</summary>
    internal HttpClient Http { get; } = AgentClient.CreateHttp();

    /// <summary>The page that draws runs: that of the links, or else that of an agent which is up; null: there is none.</summary>
    internal Uri? PageOf(ClusterView view) =>
        Links?.Page ?? _agents.Where((agent, i) => view.Agents[i].Up && agent.KeepsHistory).FirstOrDefault()?.Address;

    /// <summary>The present value of the parameter for an option; null where it has none.</summary>
    /// <exception cref="AgentException">The parameter's value is none that agents take.</exception>
    internal Task<string?> ParameterAsync(RunOption option, CancellationToken cancellation) =>
        ValueAsync(Parameters.GetValueOrDefault(option), cancellation);

    /// <summary>Adds the key to a request, where the cluster has one.</summary>
    /// <exception cref="AgentException">The parameter's value is none that agents take.</exception>
    internal async Task AddKeyAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        if (await ValueAsync(Key, cancellation) is { } key)
        {
            request.Headers.TryAddWithoutValidation(ClusterKeyRule.Header, key);
        }
    }

    /// <summary>Adds an agent to the cluster.</summary>
    internal AgentClient Add(IResourceWithEndpoints agent)
    {
        var client = new AgentClient(agent, this);
        _agents.Add(client);
        _names.Add(KeyValuePair.Create(agent.Name, agent.Name));
        _starters.Add(KeyValuePair.Create(agent.Name, agent.Name));
        return client;
    }

    private static async Task<string?> ValueAsync(ParameterResource? parameter, CancellationToken cancellation)
    {
        try
        {
            return parameter is null ? null : await parameter.GetValueAsync(cancellation);
        }
        catch (DistributedApplicationException exception)
        {
            throw new AgentException(exception.Message, exception);
        }
    }
}
