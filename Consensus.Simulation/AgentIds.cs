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

    /// <summary>An agent's index among the peers of another agent, whose peers are all others in order.</summary>
    public static int PeerIndex(int agent, int of) => agent < of ? agent : agent - 1;

    /// <summary>The other agents in order: the peers of an agent that names them all.</summary>
    public static IEnumerable<int> Others(int agent, int agents) => Enumerable.Range(0, agents).Where(other => other != agent);
}
