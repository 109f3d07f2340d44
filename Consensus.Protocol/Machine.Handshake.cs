namespace Consensus.Protocol;

/// <summary>The end of a handshake: whether a run can be started with the agents that answered, and which kind of run.</summary>
public partial class Machine
{
    private void EndHandshake(Starting starting)
    {
        if (RefusalOf(starting) is { } refusal)
        {
            EndInVain(starting, refusal);
        }
        else if (starting.Original.AsSpan().Contains(true))
        {
            ResetOurs(starting);
        }
        else
        {
            StartDescribed(starting);
        }
    }

    /// <summary>
    /// Why nothing can be started, or null. A wrong configuration comes first: it may be why too few answered.
    /// </summary>
    private StartOutcome? RefusalOf(Starting starting)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal) { Id };
        var sizes = new SortedDictionary<string, int>(StringComparer.Ordinal) { [Id] = _n };
        for (var i = 0; i < _peers.Length; i++)
        {
            if (!starting.Answered[i] || starting.Original[i] || _peers[i] is not { Id: { } id } peer)
            {
                continue;
            }

            if (!ids.Add(id))
            {
                return new SameId(id);
            }

            if (peer.Agents != 0)
            {
                sizes.Add(id, peer.Agents);
            }
        }

        return sizes.Values.Any(CountsOtherwise) ? new ClusterSizeMismatch(sizes)
            : starting.Answered.AsSpan().Count(true) + 1 < Quorum ? new TooFewAnswered(Missing(starting))
            : starting.Start.Request.Rule == Rule.Ratified && Array.IndexOf(starting.Original, true) is >= 0 and var original ? new OriginalPeer(NameOf(original))
            : null;
    }

    /// <summary>Whether a peer that counts so many agents counts another number than this agent; 0: it has not said. Broken versions do not compare.</summary>
    protected virtual bool CountsOtherwise(int agents) => agents != 0 && agents != _n;
}
