namespace Consensus.Protocol;

/// <summary>
/// Starting without a handshake, where it could tell nothing new: every peer answered since the last poll, so its boot is
/// known, its count of agents, and its floor as far as a floor can be that may rise while the answer travels. What was
/// missed shows in the answers to the first call: a higher floor as <c>stale-run</c>, too few answers, too few agents that
/// count alike, an original agent. Then hands are shaken after all.
/// </summary>
public partial class Machine
{
    private bool KnowsAllPeers()
    {
        for (var i = 0; i < _peers.Length; i++)
        {
            if (!_peers[i].Recent || _peers[i].Boot is null || _peers[i].Agents != _n
                || _peers[i].Id is not { } id || id == Id || PeerIndex(id) != i)
            {
                return false;
            }
        }

        return true;
    }

    private void StartAtOnce(Starting starting)
    {
        starting.AtOnce = true;
        StartDescribed(starting);
    }

    /// <summary>The first call, made without a handshake, got an answer or none: was that what a handshake would have told?</summary>
    private void NoteFirstAnswer(Starting starting, int peer, Answer? answer)
    {
        starting.Answered[peer] = answer is not null;
        if (answer is { AgentId: null })
        {
            // Another process took the peer's place, and it is an original agent.
            (_peers[peer].Boot, _peers[peer].Recent) = (null, false);
            starting.Original[peer] = true;
        }
    }

    private bool WasTooEarly(Starting starting) =>
        starting.AtOnce && _run?.Id == starting.Run?.Id && _run is { Decision: null }
        && (starting.Original.AsSpan().Contains(true) || CountAble(starting) < Quorum);

    /// <summary>Counts this agent and the peers that answered and count as many agents.</summary>
    private int CountAble(Starting starting)
    {
        var able = 1;
        for (var i = 0; i < _peers.Length; i++)
        {
            able += starting.Answered[i] && !CountsOtherwise(_peers[i].Agents) ? 1 : 0;
        }

        return able;
    }

    private void ShakeHandsAfterAll(Starting starting)
    {
        Array.Clear(starting.Original);
        starting.AtOnce = false;
        ShakeHands(starting);
    }

    /// <summary>
    /// Nothing could be started, so this agent goes back to where it stood. It never names a run as the one that it leaves,
    /// and says nothing more in that one: should somebody have heard of it after all, it is a learner there.
    /// </summary>
    private void StepBack(Starting starting)
    {
        if (starting.Run is not { } run || _run?.Id != run.Id || _run.Decision is not null)
        {
            return;
        }

        Leave();
        _abandoned = run.Id.Number;
        (_run, _floor) = (starting.Before, starting.FloorBefore);
        if (_run is not { Descriptor: not null } before)
        {
            return;
        }

        _effects.Add(new Happened(before.Learner ? Happening.JoinedAsLearner : Happening.Joined, before.Id, before.Round));
        _effects.Add(new Arm(Timer.Poll, MaxPauseMs));
        if (before.Decision is not null)
        {
            _effects.Add(new Arm(Timer.Spread, _spreadMs));
        }
        else if (before.Entered)
        {
            _effects.Add(new Arm(Timer.Repeat, before.RepeatMs));
            if (before.WindowArmed && !before.WindowElapsed)
            {
                _effects.Add(new Arm(Timer.Window, before.WindowMs));
            }
        }
    }

    private bool Abandoned(RunId run) => run.Number <= _abandoned && run.Initiator == Id && run.Boot == Boot;

    private void Leave()
    {
        _effects.Add(new Disarm(Timer.Window));
        _effects.Add(new Disarm(Timer.Repeat));
        _effects.Add(new Disarm(Timer.Spread));
        for (var i = 0; i < _peers.Length; i++)
        {
            (_peers[i].KnowsDecision, _peers[i].Owed) = (false, 0);
        }
    }
}
