namespace Consensus.Protocol;

/// <summary>Answers, decisions, and how they get to everyone.</summary>
public partial class Machine
{
    private void OnAnswer(int peer, Message sent, Answer answer)
    {
        ref var known = ref _peers[peer];
        (known.Down, known.Recent) = (false, true);
        known.Id = answer.AgentId ?? known.Id;
        known.Boot = answer.Boot ?? known.Boot;
        known.Agents = answer.Agents ?? known.Agents;
        if (answer.Floor is { } floor && floor > known.Floor)
        {
            known.Floor = floor;
        }

        switch (sent)
        {
            case StateQuery:
                known.ToldState |= !_young;
                TakeState(answer);
                break;
            case Final:
                known.KnowsDecision |= AnswersMyRun(sent) && answer.Status != Status.Refused;
                break;
            case NewRound { Run: null } newRound:
                ProposeAfterNewRound(peer, newRound);
                break;
        }

        if (AnswersMyRun(sent))
        {
            known.Owed = Math.Max(0, known.Owed - 1);
            var decided = _run!.Decision is not null;
            TakeStanding(_run, peer, answer);
            if (decided && sent is not Final)
            {
                // One that was told and does not take it is told again after a pause, not at once and for ever.
                TellIfUnknowing(peer);
            }
        }

        OnStartAnswer(peer, sent, answer);
    }

    private bool AnswersMyRun(Message sent) => _run?.Descriptor is not null && sent.Run?.Id == _run.Id;

    private void OnNoAnswer(int peer, Message sent)
    {
        if (sent is NewRound { Run: null } newRound)
        {
            ProposeAfterNewRound(peer, newRound);
        }

        _peers[peer].Recent = false;
        if (AnswersMyRun(sent))
        {
            _peers[peer].Owed = Math.Max(0, _peers[peer].Owed - 1);
        }

        if (!_peers[peer].Down)
        {
            _peers[peer].Down = true;
            if (_run is { Entered: true, Rule: Rule.Ratified } run)
            {
                Progress(run);
            }
        }

        OnStartAnswer(peer, sent, null);
    }

    /// <summary>An answer is a message: what its sender proposes, votes or has decided counts as if it had been sent.</summary>
    private void TakeStanding(Run run, int peer, Answer answer)
    {
        if (answer.Reason == Reason.StaleRun)
        {
            MarkAbsent(run, answer.AgentId, Absence.Left);
            _peers[peer].KnowsDecision = true;
        }

        if (answer.Run != run.Id)
        {
            return;
        }

        if (answer.Decision is { } decision && decision.Value >= 1 && decision.Value <= run.Values)
        {
            _peers[peer].KnowsDecision = true;
            if (run.Decision is null)
            {
                Learn(run, decision.Value, decision.Round, answer.AgentId);
            }
            else if (run.Decision.Value != decision.Value)
            {
                _effects.Add(new Happened(Happening.Disagreed, run.Id, decision.Round, decision.Value, run.Attempts, answer.AgentId));
            }
        }
        else if (answer.Learner == true)
        {
            MarkAbsent(run, answer.AgentId, CountsOtherwise(answer, run.Descriptor!) ? Absence.ClusterSize : Absence.Restarted);
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

    private static bool CountsOtherwise(Answer answer, RunDescriptor run) => answer.Agents is { } agents && agents != run.N;

    private void MarkAbsent(Run run, string? agentId, Absence why)
    {
        if (agentId is not null && run.IndexOf(agentId) is >= 0 and var member && member != run.Me && run.Absent[member] == Absence.None)
        {
            run.Absent[member] = why;
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
    private void AskStrangers()
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
            _peers[i].Recent = false;
            if (undecided || !_peers[i].ToldState)
            {
                _effects.Add(new Protocol.Send(i, new StateQuery()));
                asked = true;
            }
        }

        TellOfRun();

        if (asked)
        {
            _effects.Add(new Arm(Timer.Poll, MaxPauseMs));
        }

        // Heard of by an answer alone: the message that opened the run may be lost and its sender reset, so begin as if
        // it had arrived.
        if (_run is { Descriptor: { } descriptor, Rule: Rule.Ratified, Learner: false, Phase: Phase.Waiting } waiting)
        {
            EnterByDraw(waiting, descriptor.StartRound);
        }
    }

    private void TakeState(Answer answer)
    {
        if (_run is { Descriptor: not null } current && answer is { AgentId: { } id, Boot: { } boot })
        {
            if (CountsOtherwise(answer, current.Descriptor))
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
            Learn(run, decision.Value, decision.Round, answer.AgentId);
        }
    }

    private void Learn(Run run, int value, int round, string? from)
    {
        _effects.Add(new Happened(Happening.Learned, run.Id, round, value, run.Attempts, from));
        if (from is not null && PeerIndex(from) is >= 0 and var peer)
        {
            _peers[peer].KnowsDecision = true;
        }

        Conclude(run, value, round);
    }

    private void Conclude(Run run, int value, int round)
    {
        run.Decision = new Decision(value, round, run.Descriptor?.Id);
        run.Phase = Phase.Decided;
        run.ProposalUnsent = run.VoteUnsent = false;
        _effects.Add(new Disarm(Timer.Window));
        _effects.Add(new Disarm(Timer.Repeat));
        if (run.Descriptor is null)
        {
            Broadcast(new Final(value, round), always: true);
            return;
        }

        _spreadMs = FirstPauseMs(run);
        SendFinals(run, repeated: false);
    }

    private void Spread(Run run)
    {
        _spreadMs = Math.Min(_spreadMs * 2, MaxPauseMs);
        SendFinals(run, repeated: true);
    }

    /// <summary>
    /// To each peer not known to know. At first not to one that the reply of this step tells, nor to one whose answer is
    /// on its way and may show that it knows (<see cref="TellIfUnknowing"/>). Whoever was told, or had said its own vote,
    /// leaves it for a pause to the others' words; and a dead one waits a pause.
    /// </summary>
    private void SendFinals(Run run, bool repeated)
    {
        var final = FinalOf(run);
        var unknowing = false;
        for (var i = 0; i < _peers.Length; i++)
        {
            if (_peers[i].KnowsDecision)
            {
                continue;
            }

            unknowing = true;
            if (repeated || (run.TellsAtOnce && i != _replyTo && !_peers[i].Down && _peers[i].Owed == 0))
            {
                _effects.Add(new Protocol.Send(i, final));
            }
        }

        _effects.Add(unknowing ? new Arm(Timer.Spread, _spreadMs) : new Disarm(Timer.Spread));
    }

    /// <summary>A peer has answered all it was sent before the decision, and shows no sign of it.</summary>
    private void TellIfUnknowing(int peer)
    {
        if (_run is { TellsAtOnce: true, Descriptor: not null, Decision: not null } run && _peers[peer] is { KnowsDecision: false, Owed: 0 })
        {
            _effects.Add(new Protocol.Send(peer, FinalOf(run)));
        }
    }

    private Final FinalOf(Run run) => new(run.Decision!.Value, run.Decision.Round, run.Descriptor, Id);
}
