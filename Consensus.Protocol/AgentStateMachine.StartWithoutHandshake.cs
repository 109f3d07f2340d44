namespace Consensus.Protocol;

/// <summary>
/// Starting without a handshake, where it could tell nothing new: every peer answered since the last poll, so its boot is
/// known, its count of agents, and its floor as far as a floor can be that may rise while the answer travels. What was
/// missed shows in the answers to the first call: a higher floor as <c>stale-run</c>, too few answers, too few agents that
/// count alike, an original agent. Then hands are shaken after all.
/// </summary>
public partial class AgentStateMachine
{
    private bool CanSkipHandshake()
    {
        for (var i = 0; i < _peers.Length; i++)
        {
            if (!_peers[i].RecentActive || _peers[i].Boot is null || _peers[i].ClusterSize != _n
                || _peers[i].Id is not { } id || id == Id || PeerIndex(id) != i)
            {
                return false;
            }
        }

        return true;
    }

    private void StartWithoutHandshake(RunStart starting)
    {
        starting.WithoutHandshake = true;
        StartDescribedRun(starting);
    }

    /// <summary>The first call, made without a handshake, got an answer or none: was that what a handshake would have told?</summary>
    private void RecordFirstResponse(RunStart starting, int peer, Response? answer)
    {
        starting.Responded[peer] = answer is not null;
        if (answer is { AgentId: null })
        {
            // Another process took the peer's place, and it is an original agent.
            (_peers[peer].Boot, _peers[peer].RecentActive) = (null, false);
            starting.Legacy[peer] = true;
        }
    }

    private bool NeedsHandshake(RunStart starting) =>
        starting.WithoutHandshake && _run?.Id == starting.Run?.Id && _run is { Decision: null }
        && (starting.Legacy.AsSpan().Contains(true) || CountAgreeingAgents(starting) < Quorum);

    /// <summary>Counts this agent and the peers that answered and count as many agents.</summary>
    private int CountAgreeingAgents(RunStart starting)
    {
        var able = 1;
        for (var i = 0; i < _peers.Length; i++)
        {
            able += starting.Responded[i] && !HasOtherClusterSize(_peers[i].ClusterSize) ? 1 : 0;
        }

        return able;
    }

    private void FallBackToHandshake(RunStart starting)
    {
        Array.Clear(starting.Legacy);
        starting.WithoutHandshake = false;
        BeginHandshake(starting);
    }

    /// <summary>
    /// Nothing could be started, so this agent goes back to where it stood. It never names a run as the one that it leaves,
    /// and says nothing more in that one: should somebody have heard of it after all, it is a learner there.
    /// </summary>
    private void RollBack(RunStart starting)
    {
        if (starting.Run is not { } run || _run?.Id != run.Id || _run.Decision is not null)
        {
            return;
        }

        LeaveRun();
        _abandonedNumber = run.Id.Number;
        (_run, _floor) = (starting.PreviousRun, starting.PreviousFloor);
        if (_run is not { Descriptor: not null } before)
        {
            return;
        }

        _effects.Add(new ProtocolEvent(before.Learner ? ProtocolEventKind.JoinedAsLearner : ProtocolEventKind.Joined, before.Id, before.Round));
        _effects.Add(new SetTimer(Timer.Poll, MaxBackOffMs));
        if (before.Decision is not null)
        {
            _effects.Add(new SetTimer(Timer.Dissemination, _disseminationMs));
        }
        else if (before.Entered)
        {
            _effects.Add(new SetTimer(Timer.Retransmit, before.RetransmitMs));
            if (before.WindowArmed && !before.WindowElapsed)
            {
                _effects.Add(new SetTimer(Timer.Window, before.WindowMs));
            }
        }
    }

    private bool WasAbandoned(RunId run) => run.Number <= _abandonedNumber && run.Initiator == Id && run.Boot == Boot;

    private void LeaveRun()
    {
        _effects.Add(new CancelTimer(Timer.Window));
        _effects.Add(new CancelTimer(Timer.Retransmit));
        _effects.Add(new CancelTimer(Timer.Dissemination));
        for (var i = 0; i < _peers.Length; i++)
        {
            (_peers[i].DecisionAcknowledged, _peers[i].InFlight) = (false, 0);
        }
    }
}
