using Consensus.Agent.Configuration;

namespace Consensus.Agent.Peers;

/// <summary>The peers in the order of <c>PEERS</c>. Thread safe.</summary>
internal sealed class PeerDirectory(AgentOptions options, TimeProvider time)
{
    private readonly Peer[] _peers = [.. options.Peers.Select(address => new Peer(address, time))];

    /// <summary>All of them.</summary>
    public IReadOnlyList<Peer> All => _peers;

    /// <summary>The number of peers.</summary>
    public int Count => _peers.Length;

    /// <summary>The peer with this index.</summary>
    public Peer this[int peer] => _peers[peer];

    /// <summary>Each peer's id, or its address while the id is unknown.</summary>
    public IReadOnlyList<string> Names => [.. _peers.Select(peer => peer.Name)];

    /// <summary>The index of the peer with this id; -1: none.</summary>
    public int IndexOfId(string? agentId) => agentId is null ? -1 : Array.FindIndex(_peers, peer => peer.Id == agentId);

    /// <summary>The index of the peer with this id or address; -1: none.</summary>
    public int IndexOf(string name)
    {
        _ = Uri.TryCreate(name, UriKind.Absolute, out var address);
        return Array.FindIndex(_peers, peer => name == peer.Id || peer.Address == address);
    }
}
