namespace Consensus.Protocol;

/// <summary>
/// A start without a handshake, for the case that a handshake could return nothing new: every peer has responded since the
/// last poll, so its boot and cluster size are known, and its floor as it was then. What changed since then shows in the
/// responses to the first request: a higher floor (<c>stale-run</c>), too few responses, too few agents of this cluster size,
/// peers that restarted, an original agent. The start then falls back to a handshake.
/// </summary>
internal sealed partial class RunStart
{
    private bool CanSkipHandshake()
    {
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            ref readonly var peer = ref agent.Peers[i];
            if (!peer.RecentActive || peer.Boot is null || peer.ClusterSize != agent.ClusterSize
                || peer.Id is not { } id || id == agent.Id || agent.Peers.IndexOf(id) != i)
            {
                return false;
            }
        }

        return true;
    }

    private void RecordFirstResponse(Attempt attempt, int peer, Response? response)
    {
        attempt.Responded[peer] = response is not null;
        if (response is { AgentId: null })
        {
            // An original agent now listens at the peer's address.
            (agent.Peers[peer].Boot, agent.Peers[peer].RecentActive) = (null, false);
            attempt.IsOriginal[peer] = true;
        }
    }

    private bool NeedsHandshake(Attempt attempt) =>
        attempt.WithoutHandshake && attempt.IsCurrentIn(agent) && agent.Run is { Decision: null }
        && (attempt.IsOriginal.AsSpan().Contains(true) || CountTakingPart(attempt) < agent.Quorum);

    /// <summary>
    /// Counts this agent and the peers that responded, have the boot that the run names, and count as many agents.
    /// </summary>
    private int CountTakingPart(Attempt attempt)
    {
        var takingPart = 1;
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            ref readonly var peer = ref agent.Peers[i];
            var isMember = attempt.Run!.Members.TryGetValue(peer.Id!, out var boot) && boot == peer.Boot;
            takingPart += attempt.Responded[i] && isMember && !HasOtherClusterSize(peer.ClusterSize) ? 1 : 0;
        }

        return takingPart;
    }

    private void FallBackToHandshake(Attempt attempt)
    {
        Array.Clear(attempt.IsOriginal);
        attempt.WithoutHandshake = false;
        BeginHandshake(attempt);
    }

    /// <summary>
    /// Returns to the run before, since none could be started. The agent never creates a run with the abandoned number, and
    /// sends nothing more in the abandoned run: where a peer has joined that run after all, this agent is a learner in it.
    /// </summary>
    private void RollBack(Attempt attempt)
    {
        if (!attempt.IsCurrentIn(agent) || agent.Run!.Decision is not null)
        {
            return;
        }

        RunMembership.Leave(agent);
        agent.AbandonedNumber = attempt.Run!.Id.Number;
        (agent.Run, agent.HighestSeenRun) = (attempt.PreviousRun, attempt.PreviousHighestSeenRun);
        if (agent.Run is not { Descriptor: not null } previous)
        {
            return;
        }

        agent.Record(previous.Learner ? ProtocolEventKind.JoinedAsLearner : ProtocolEventKind.Joined, previous.Id, previous.Round);
        agent.SetTimer(Timer.Poll, ProtocolTiming.MaxBackOffMs);
        if (previous.Decision is not null)
        {
            agent.SetTimer(Timer.Dissemination, agent.DisseminationMs);
        }
        else if (previous.Entered)
        {
            agent.SetTimer(Timer.Retransmit, previous.RetransmitMs);
            if (previous.WindowArmed && !previous.WindowElapsed)
            {
                agent.SetTimer(Timer.Window, previous.WindowMs);
            }
        }
    }
}
