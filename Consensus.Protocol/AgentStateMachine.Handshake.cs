namespace Consensus.Protocol;

/// <summary>The end of a handshake: whether a run can be started with the agents that answered, and which kind of run.</summary>
public partial class AgentStateMachine
{
    private void EndHandshake(RunStart starting)
    {
        if (RefusalOf(starting) is { } refusal)
        {
            EndWithoutRun(starting, refusal);
        }
        else if (starting.Legacy.AsSpan().Contains(true))
        {
            ResetDescribedPeers(starting);
        }
        else
        {
            StartDescribedRun(starting);
        }
    }

    /// <summary>
    /// Why nothing can be started, or null. A wrong configuration comes first: it may be why too few answered.
    /// </summary>
    private StartOutcome? RefusalOf(RunStart starting)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal) { Id };
        var sizes = new SortedDictionary<string, int>(StringComparer.Ordinal) { [Id] = _n };
        for (var i = 0; i < _peers.Length; i++)
        {
            if (!starting.Responded[i] || starting.Legacy[i] || _peers[i] is not { Id: { } id } peer)
            {
                continue;
            }

            if (!ids.Add(id))
            {
                return new DuplicateAgentId(id);
            }

            if (peer.ClusterSize != 0)
            {
                sizes.Add(id, peer.ClusterSize);
            }
        }

        return sizes.Values.Any(HasOtherClusterSize) ? new ClusterSizeMismatch(sizes)
            : starting.Responded.AsSpan().Count(true) + 1 < Quorum ? new QuorumUnreachable(Missing(starting))
            : starting.Start.Request.Rule == Rule.Ratified && Array.IndexOf(starting.Legacy, true) is >= 0 and var original ? new LegacyPeer(NameOf(original))
            : null;
    }

    /// <summary>Whether a peer that counts so many agents counts another number than this agent; 0: it has not said. Broken versions do not compare.</summary>
    protected virtual bool HasOtherClusterSize(int agents) => agents != 0 && agents != _n;
}
