namespace Consensus.Protocol;

/// <summary>What an agent knows of one peer.</summary>
internal struct PeerProgress
{
    /// <summary>Null until the peer has responded once; then the id of its last response.</summary>
    public string? Id;

    /// <summary>The boot of the peer's last response that named one. Null: the peer never did, as an original agent never does.</summary>
    public string? Boot;

    /// <summary>The highest floor that the peer has named. It never falls, whatever process of the peer answers.</summary>
    public RunId HighestSeenRun;

    /// <summary>How many agents the peer counts, itself included; 0: unknown.</summary>
    public int ClusterSize;

    /// <summary>The last request to the peer failed, and the peer has sent nothing since.</summary>
    public bool Unreachable;

    /// <summary>The peer has responded to a state query of this process. Never false again.</summary>
    public bool StateKnown;

    /// <summary>The peer holds the decision of the current run, or has left that run. False again when a run begins.</summary>
    public bool DecisionAcknowledged;

    /// <summary>The peer has responded since the last poll, and no request has failed after that.</summary>
    public bool RecentActive;

    /// <summary>Requests of the current run that have neither a response nor failed; at least 0, and 0 when a run begins.</summary>
    public int InFlight;
}

/// <summary>The peers by index, in the order of <c>PEERS</c>.</summary>
internal sealed class PeerTable
{
    private readonly PeerProgress[] _peers;
    private readonly string[] _addresses;

    public PeerTable(IReadOnlyList<string> addresses)
    {
        _addresses = [.. addresses];
        _peers = new PeerProgress[_addresses.Length];
    }

    private PeerTable(PeerTable other)
    {
        _addresses = other._addresses;
        _peers = [.. other._peers];
    }

    public int Count => _peers.Length;

    public IReadOnlyList<string> Addresses => _addresses;

    public ref PeerProgress this[int peer] => ref _peers[peer];

    public PeerTable Clone() => new(this);

    /// <summary>Takes over what <see cref="Write"/> wrote of as many peers.</summary>
    public void Read(RecordReader reader)
    {
        foreach (ref var peer in _peers.AsSpan())
        {
            (peer.Id, peer.Boot, peer.HighestSeenRun) = (reader.ReadOptionalText(), reader.ReadOptionalText(), reader.ReadRunId());
            (peer.ClusterSize, peer.InFlight) = (reader.ReadInt(), reader.ReadInt());
            (peer.Unreachable, peer.StateKnown) = (reader.ReadBool(), reader.ReadBool());
            (peer.DecisionAcknowledged, peer.RecentActive) = (reader.ReadBool(), reader.ReadBool());
        }
    }

    /// <summary>Writes what is known of each peer.</summary>
    public void Write(RecordWriter writer)
    {
        foreach (ref readonly var peer in _peers.AsSpan())
        {
            writer.Write(peer.Id);
            writer.Write(peer.Boot);
            writer.Write(peer.HighestSeenRun);
            writer.Write(peer.ClusterSize);
            writer.Write(peer.InFlight);
            writer.Write(peer.Unreachable);
            writer.Write(peer.StateKnown);
            writer.Write(peer.DecisionAcknowledged);
            writer.Write(peer.RecentActive);
        }
    }

    /// <summary>The index of the peer with this id; -1 where no peer has named it yet.</summary>
    public int IndexOf(string agentId)
    {
        for (var i = 0; i < _peers.Length; i++)
        {
            if (string.Equals(_peers[i].Id, agentId, StringComparison.Ordinal))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The peer's id, or its address until it has named its id.</summary>
    public string NameOf(int peer) => _peers[peer].Id ?? _addresses[peer];

    /// <summary>Whether an agent cannot be reached now.</summary>
    public bool IsUnreachable(string agentId)
    {
        var peer = IndexOf(agentId);
        if (peer >= 0)
        {
            return _peers[peer].Unreachable;
        }

        // An agent without a known peer is behind one of the addresses that have never named an id.
        foreach (ref readonly var unknown in _peers.AsSpan())
        {
            if (unknown is { Id: null, Unreachable: false })
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Records that an agent holds the decision of the current run.</summary>
    public void AcknowledgeDecision(string? agentId)
    {
        if (agentId is not null && IndexOf(agentId) is >= 0 and var peer)
        {
            _peers[peer].DecisionAcknowledged = true;
        }
    }

    /// <summary>Whether every peer holds the decision of the current run, or has left that run.</summary>
    public bool AllAcknowledgeDecision
    {
        get
        {
            foreach (ref readonly var peer in _peers.AsSpan())
            {
                if (!peer.DecisionAcknowledged)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Records that every peer holds the decision of the current run.</summary>
    public void AcknowledgeDecisionOfAll()
    {
        foreach (ref var peer in _peers.AsSpan())
        {
            peer.DecisionAcknowledged = true;
        }
    }

    /// <summary>Records a response. Any response shows that the peer can be reached.</summary>
    public void OnResponse(int peer, Response response)
    {
        ref var known = ref _peers[peer];
        (known.Unreachable, known.RecentActive) = (false, true);
        known.Id = response.AgentId ?? known.Id;
        known.Boot = response.Boot ?? known.Boot;
        known.ClusterSize = response.Agents ?? known.ClusterSize;
        if (response.HighestSeenRun is { } highestSeenRun && highestSeenRun > known.HighestSeenRun)
        {
            known.HighestSeenRun = highestSeenRun;
        }
    }

    /// <summary>Records that a request of the current run has ended.</summary>
    public void EndRequest(int peer) => _peers[peer].InFlight = Math.Max(0, _peers[peer].InFlight - 1);

    /// <summary>Clears what is known of each peer in the current run.</summary>
    public void BeginRun()
    {
        foreach (ref var peer in _peers.AsSpan())
        {
            (peer.DecisionAcknowledged, peer.InFlight) = (false, 0);
        }
    }
}
