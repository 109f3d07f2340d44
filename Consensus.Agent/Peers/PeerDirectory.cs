using Consensus.Agent.Configuration;

namespace Consensus.Agent.Peers;

/// <summary>The peers by index, address and id. A peer's id is unknown until its first response. Thread safe.</summary>
public sealed class PeerDirectory(AgentOptions options)
{
    private readonly string?[] _ids = new string?[options.Peers.Count];

    /// <summary>The number of peers.</summary>
    public int Count => _ids.Length;

    /// <summary>Each peer's id, or its address while the id is unknown.</summary>
    public IReadOnlyList<string> Names => [.. options.Peers.Select((peer, i) => IdOf(i) ?? peer.OriginalString)];

    /// <summary>A peer's id; null: unknown.</summary>
    public string? IdOf(int peer) => Volatile.Read(ref _ids[peer]);

    /// <summary>Records a peer's id; null changes nothing.</summary>
    public void SetId(int peer, string? agentId)
    {
        if (agentId is not null && IdOf(peer) != agentId)
        {
            Volatile.Write(ref _ids[peer], agentId);
        }
    }

    /// <summary>The index of the peer with this id; -1: none.</summary>
    public int IndexOfId(string? agentId) => agentId is null ? -1 : Array.IndexOf(_ids, agentId);

    /// <summary>The index of the peer with this id or address; -1: none.</summary>
    public int IndexOf(string name)
    {
        _ = Uri.TryCreate(name, UriKind.Absolute, out var address);
        for (var i = 0; i < _ids.Length; i++)
        {
            if (name == IdOf(i) || options.Peers[i] == address)
            {
                return i;
            }
        }

        return -1;
    }
}
