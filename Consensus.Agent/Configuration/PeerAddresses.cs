using Consensus.Protocol;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Configuration;

/// <summary>Reads <c>PEERS</c>.</summary>
internal static class PeerAddresses
{
    /// <summary>Reads the addresses of an agent's peers. The agent's own address is left out, so all agents can share one list.</summary>
    /// <param name="peers">Base addresses, comma-separated.</param>
    /// <param name="id">The agent's own id: service discovery may know it by that.</param>
    /// <param name="ownPorts">Where it listens on this machine.</param>
    /// <exception cref="ConfigurationException">One cannot be a peer; the message names what to change.</exception>
    public static List<Uri> Parse(string peers, string id, IReadOnlyCollection<int> ownPorts)
    {
        var list = new List<Uri>();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var entry in peers.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!Uri.TryCreate(entry.TrimEnd('/'), UriKind.Absolute, out var address)
                || address.Host.Length == 0
                || address.Scheme.Split('+').Any(scheme => scheme is not ("http" or "https")))
            {
                throw Error(entry, "is no address; write it as http://host:port, or as a service name such as http://agent2");
            }

            if (address.PathAndQuery is not ("/" or "") || address.Fragment.Length > 0)
            {
                throw Error(entry, "has a path; write the address alone, as http://host:port");
            }

            // The address is shown in /cluster and in logs.
            if (address.UserInfo.Length > 0)
            {
                throw new ConfigurationException(
                    "PEERS: an address holds a user name; agents know each other by CLUSTER_KEY, so leave it out.");
            }

            if (!seen.Add($"{address.Scheme}://{(address.IsLoopback ? "localhost" : address.Host)}:{address.Port}"))
            {
                throw Error(entry, "is there twice; name each peer once");
            }

            if (!IsSelf(address, id, ownPorts))
            {
                list.Add(address);
            }
        }

        return list.Count < ProtocolLimits.MaxAgents
            ? list
            : throw new ConfigurationException($"PEERS names {list.Count} peers; a cluster has at most {ProtocolLimits.MaxAgents} agents.");
    }

    private static bool IsSelf(Uri address, string id, IReadOnlyCollection<int> ownPorts) =>
        (address.IsDefaultPort && Is(address.Host, id))
        || (ownPorts.Contains(address.Port) && (address.IsLoopback || Is(address.Host, id) || Is(address.Host, Environment.MachineName)

            // A pod of a StatefulSet is agent-1, and reached as agent-1.agents or longer.
            || address.Host.StartsWith(Environment.MachineName + ".", StringComparison.OrdinalIgnoreCase)));

    private static bool Is(string host, string name) => host.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static ConfigurationException Error(string entry, string why) => new($"PEERS: '{entry}' {why}.");
}
