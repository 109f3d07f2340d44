using System.Globalization;

namespace Consensus.Simulation;

/// <summary>Ids of simulated agents, and their indices. Agent 0 is <c>agent1</c>.</summary>
public static class AgentIds
{
    /// <summary>The id of the agent with this index, from 0.</summary>
    public static string IdOf(int agent) => string.Create(CultureInfo.InvariantCulture, $"agent{agent + 1}");

    /// <summary>The index, from 0, of the agent with this id.</summary>
    /// <exception cref="FormatException">The id is not <c>agent</c> and a number.</exception>
    public static int IndexOf(string id) => int.Parse(id.AsSpan("agent".Length), NumberStyles.None, CultureInfo.InvariantCulture) - 1;

    /// <summary>The other agents in order: the peers of an agent that names them all.</summary>
    public static IEnumerable<int> Others(int agent, int agents) => Enumerable.Range(0, agents).Where(other => other != agent);
}

/// <summary>The ids of the agents of one cluster, and which agents each of them names in its <c>PEERS</c>.</summary>
/// <param name="ids">The ids by index.</param>
/// <param name="peers">By agent: the indices of its peers, in their order.</param>
internal sealed class PeerLists(IEnumerable<string> ids, IEnumerable<IEnumerable<int>> peers)
{
    private readonly List<string> _ids = [.. ids];
    private readonly List<List<int>> _peers = [.. peers.Select(named => named.ToList())];

    /// <summary>Agents under their usual ids. Each names all others, but the last ones, misconfigured, lack one.</summary>
    public static PeerLists Of(int agents, int misconfiguredAgents) => new(
        Enumerable.Range(0, agents).Select(AgentIds.IdOf),
        Enumerable.Range(0, agents).Select(
            agent => AgentIds.Others(agent, agents).Take(agents - (agent >= agents - misconfiguredAgents ? 2 : 1))));

    /// <summary>The id of an agent.</summary>
    public string IdOf(int agent) => _ids[agent];

    /// <summary>The index of the agent with this id; -1: none.</summary>
    public int IndexOf(string id) => _ids.IndexOf(id);

    /// <summary>The peers of an agent.</summary>
    public IReadOnlyList<int> PeersOf(int agent) => _peers[agent];

    /// <summary>An agent's index among the peers of another agent; -1: that agent does not name it.</summary>
    public int PeerIndex(int agent, int of) => _peers[of].IndexOf(agent);

    /// <summary>How many agents an agent counts.</summary>
    public int CountedBy(int agent) => _peers[agent].Count + 1;

    /// <summary>Whether one agent names another.</summary>
    public bool Names(int agent, int other) => _peers[agent].Contains(other);
}
