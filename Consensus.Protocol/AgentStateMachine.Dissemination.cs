namespace Consensus.Protocol;

/// <summary>Answers, decisions, and how they get to everyone.</summary>
public partial class AgentStateMachine
{
    private void OnResponse(int peer, Message sent, Response answer)
    {
        ref var known = ref _peers[peer];
        (known.Unreachable, known.RecentActive) = (false, true);
        known.Id = answer.AgentId ?? known.Id;
        known.Boot = answer.Boot ?? known.Boot;
        known.ClusterSize = answer.Agents ?? known.ClusterSize;
        if (answer.Floor is { } floor && floor > known.Floor)
        {
            known.Floor = floor;
        }

        switch (sent)
        {
            case StateQuery:
                known.StateKnown |= !_beforeFirstPoll;
                ApplyPeerState(answer);
                break;
            case Final:
                known.DecisionAcknowledged |= BelongsToCurrentRun(sent) && answer.Status != ResponseStatus.Refused;
                break;
            case NewRound { Run: null } newRound:
                ProposeAfterNewRound(peer, newRound);
                break;
        }

        if (BelongsToCurrentRun(sent))
        {
            known.InFlight = Math.Max(0, known.InFlight - 1);
            var decided = _run!.Decision is not null;
            ApplyPiggybackedState(_run, peer, answer);
            if (decided && sent is not Final)
            {
                // One that was told and does not take it is told again after a pause, not at once and for ever.
                SendFinalIfUnacknowledged(peer);
            }
        }

        OnStartResponse(peer, sent, answer);
    }

    private bool BelongsToCurrentRun(Message sent) => _run?.Descriptor is not null && sent.Run?.Id == _run.Id;

    private void OnRequestFailed(int peer, Message sent)
    {
        if (sent is NewRound { Run: null } newRound)
        {
            ProposeAfterNewRound(peer, newRound);
        }

        _peers[peer].RecentActive = false;
        if (BelongsToCurrentRun(sent))
        {
            _peers[peer].InFlight = Math.Max(0, _peers[peer].InFlight - 1);
        }

        if (!_peers[peer].Unreachable)
        {
            _peers[peer].Unreachable = true;
            if (_run is { Entered: true, Rule: Rule.Ratified } run)
            {
                Progress(run);
            }
        }

        OnStartResponse(peer, sent, null);
    }

    /// <summary>An answer is a message: what its sender proposes, votes or has decided counts as if it had been sent.</summary>
    private void ApplyPiggybackedState(RunState run, int peer, Response answer)
    {
        if (answer.Reason == ResponseReason.StaleRun)
        {
            MarkAbsent(run, answer.AgentId, Absence.Left);
            _peers[peer].DecisionAcknowledged = true;
        }

        if (answer.Run != run.Id)
        {
            return;
        }

        if (answer.Decision is { } decision && decision.Value >= 1 && decision.Value <= run.Values)
        {
            _peers[peer].DecisionAcknowledged = true;
            if (run.Decision is null)
            {
                AcceptDecision(run, decision.Value, decision.Round, answer.AgentId);
            }
            else if (run.Decision.Value != decision.Value)
            {
                _effects.Add(new ProtocolEvent(ProtocolEventKind.AgreementViolated, run.Id, decision.Round, decision.Value, run.Attempts, answer.AgentId));
            }
        }
        else if (answer.Learner == true)
        {
            MarkAbsent(run, answer.AgentId, HasOtherClusterSize(answer, run.Descriptor!) ? Absence.ClusterSize : Absence.Restarted);
        }
        else if (answer.Vote is { } vote)
        {
            OnVote(run, vote);
        }
        else if (answer.Proposal is { } proposal)
        {
            OnProposal(run, proposal.AgentId, proposal.Value, proposal.Round);
        }
    }

    private static bool HasOtherClusterSize(Response answer, RunDescriptor run) => answer.Agents is { } agents && agents != run.N;

    private void MarkAbsent(RunState run, string? agentId, Absence why)
    {
        if (agentId is not null && run.IndexOf(agentId) is >= 0 and var member && member != run.Me && run.Absences[member] == Absence.None)
        {
            run.Absences[member] = why;
            if (run is { Entered: true, Rule: Rule.Ratified })
            {
                Progress(run);
            }
        }
    }

    /// <summary>
    /// Runs that follow each other closely put the poll off for ever, and a peer that was not up when this agent started
    /// would stay a stranger.
    /// </summary>
    private void QueryUnknownPeers()
    {
        for (var i = 0; i < _peers.Length; i++)
        {
            if (_peers[i].Id is null)
            {
                _effects.Add(new Protocol.Send(i, new StateQuery()));
            }
        }
    }

    /// <summary>Asks those that never told their state, and all while a run goes on without a decision.</summary>
    private void Poll()
    {
        var undecided = _run is { Descriptor: not null, Decision: null };
        var asked = false;
        for (var i = 0; i < _peers.Length; i++)
        {
            _peers[i].RecentActive = false;
            if (undecided || !_peers[i].StateKnown)
            {
                _effects.Add(new Protocol.Send(i, new StateQuery()));
                asked = true;
            }
        }

        IntroduceRunToPeers();

        if (asked)
        {
            _effects.Add(new SetTimer(Timer.Poll, MaxBackOffMs));
        }

        // Heard of by an answer alone: the message that opened the run may be lost and its sender reset, so begin as if
        // it had arrived.
        if (_run is { Descriptor: { } descriptor, Rule: Rule.Ratified, Learner: false, Phase: Phase.Waiting } waiting)
        {
            EnterByDraw(waiting, descriptor.StartRound);
        }
    }

    private void ApplyPeerState(Response answer)
    {
        if (_run is { Descriptor: not null } current && answer is { AgentId: { } id, Boot: { } boot })
        {
            if (HasOtherClusterSize(answer, current.Descriptor))
            {
                MarkAbsent(current, id, Absence.ClusterSize);
            }
            else if (current.Descriptor.Members.TryGetValue(id, out var member) && member != boot)
            {
                MarkAbsent(current, id, Absence.Restarted);
            }
            else if (answer.Run != current.Id && answer.Floor >= current.Id)
            {
                MarkAbsent(current, id, Absence.Left);
            }
        }

        if (answer.Descriptor is not { } descriptor)
        {
            return;
        }

        if (descriptor.Id > _floor)
        {
            Join(descriptor);
        }

        if (answer.Decision is { } decision && decision.Value >= 1 && decision.Value <= descriptor.Values
            && _run is { Descriptor: not null, Decision: null } run && run.Id == descriptor.Id)
        {
            AcceptDecision(run, decision.Value, decision.Round, answer.AgentId);
        }
    }

    private void AcceptDecision(RunState run, int value, int round, string? from)
    {
        _effects.Add(new ProtocolEvent(ProtocolEventKind.Learned, run.Id, round, value, run.Attempts, from));
        if (from is not null && PeerIndex(from) is >= 0 and var peer)
        {
            _peers[peer].DecisionAcknowledged = true;
        }

        SetDecision(run, value, round);
    }

    private void SetDecision(RunState run, int value, int round)
    {
        run.Decision = new Decision(value, round, run.Descriptor?.Id);
        run.Phase = Phase.Decided;
        run.ProposalUnsent = run.VoteUnsent = false;
        _effects.Add(new CancelTimer(Timer.Window));
        _effects.Add(new CancelTimer(Timer.Retransmit));
        if (run.Descriptor is null)
        {
            Broadcast(new Final(value, round), always: true);
            return;
        }

        _disseminationMs = FirstBackOffMs(run);
        SendFinals(run, repeated: false);
    }

    private void RetransmitDecision(RunState run)
    {
        _disseminationMs = Math.Min(_disseminationMs * 2, MaxBackOffMs);
        SendFinals(run, repeated: true);
    }

    /// <summary>
    /// To each peer not known to know. At first not to one that the reply of this step tells, nor to one whose answer is
    /// on its way and may show that it knows (<see cref="SendFinalIfUnacknowledged"/>). Whoever was told, or had said its own vote,
    /// leaves it for a pause to the others' words; and a dead one waits a pause.
    /// </summary>
    private void SendFinals(RunState run, bool repeated)
    {
        var final = FinalOf(run);
        var unknowing = false;
        for (var i = 0; i < _peers.Length; i++)
        {
            if (_peers[i].DecisionAcknowledged)
            {
                continue;
            }

            unknowing = true;
            if (repeated || (run.SendsFinalAtOnce && i != _replyTo && !_peers[i].Unreachable && _peers[i].InFlight == 0))
            {
                _effects.Add(new Protocol.Send(i, final));
            }
        }

        _effects.Add(unknowing ? new SetTimer(Timer.Dissemination, _disseminationMs) : new CancelTimer(Timer.Dissemination));
    }

    /// <summary>A peer has answered all it was sent before the decision, and shows no sign of it.</summary>
    private void SendFinalIfUnacknowledged(int peer)
    {
        if (_run is { SendsFinalAtOnce: true, Descriptor: not null, Decision: not null } run && _peers[peer] is { DecisionAcknowledged: false, InFlight: 0 })
        {
            _effects.Add(new Protocol.Send(peer, FinalOf(run)));
        }
    }

    private Final FinalOf(RunState run) => new(run.Decision!.Value, run.Decision.Round, run.Descriptor, Id);
}
