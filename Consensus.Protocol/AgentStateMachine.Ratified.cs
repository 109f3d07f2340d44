namespace Consensus.Protocol;

/// <summary>The ratified rule: propose, vote, decide on a quorum of votes, else adopt what was voted for, else draw.</summary>
public partial class AgentStateMachine
{
    /// <summary>The value to propose next, where some vote of this round binds it. This is what makes a decision last.</summary>
    protected virtual int? Adopt(int? votedValue) => votedValue;

    /// <summary>The value to propose in a later round that someone else's proposal told of: the same one, never a draw.</summary>
    protected virtual int CopyOnCatchUp(int value, IRandomSource random) => value;

    private Response OnProposal(RunState run, string agentId, int value, int round)
    {
        if (run.Decision is not null)
        {
            return new Response(ResponseStatus.Ignored) { Reason = ResponseReason.AlreadyDecided };
        }

        if (run.Learner)
        {
            return new Response(ResponseStatus.Ok);
        }

        var sender = run.IndexOf(agentId);
        if (sender < 0 || sender == run.Me)
        {
            return Ignored(run, ResponseReason.NotAMember);
        }

        if (value < 1 || value > run.Values || round < run.Descriptor!.StartRound || round > MaxRound)
        {
            return Ignored(run, ResponseReason.OutOfRange, ResponseStatus.Refused);
        }

        if (run.Rule == Rule.Classic)
        {
            return OnClassicProposal(run, sender, agentId, value, round);
        }

        AdvanceToRound(run, round, value);
        if (round < run.Round)
        {
            return Ignored(run, ResponseReason.RoundMismatch);
        }

        if (!TryRecord(run.Proposals, sender, value))
        {
            return RefuseEquivocation(run, agentId, round, value);
        }

        Progress(run);
        return new Response(ResponseStatus.Ok);
    }

    private Response OnVote(RunState run, Vote vote)
    {
        if (run.Rule == Rule.Classic || (vote.Value is { } v && (v < 1 || v > run.Values)))
        {
            return Ignored(run, ResponseReason.OutOfRange, ResponseStatus.Refused);
        }

        // A vote is also its sender's proposal; what stops the proposal stops the vote.
        if (run.Decision is null && !run.Learner && run.IndexOf(vote.AgentId) is >= 0 and var sender && sender != run.Me
            && vote.Proposed >= 1 && vote.Proposed <= run.Values && vote.Round >= run.Descriptor!.StartRound && vote.Round <= MaxRound)
        {
            AdvanceToRound(run, vote.Round, vote.Proposed);
            if (vote.Round == run.Round)
            {
                var said = vote.Value ?? RunState.VoteForNone;
                if ((run.Proposals[sender] != 0 && run.Proposals[sender] != vote.Proposed)
                    || (run.Votes[sender] != RunState.NoVote && run.Votes[sender] != said))
                {
                    return RefuseEquivocation(run, vote.AgentId, vote.Round, vote.Value ?? 0);
                }

                run.Proposals[sender] = vote.Proposed;
                run.Votes[sender] = said;
                Progress(run);
                return new Response(ResponseStatus.Ok);
            }
        }

        return OnProposal(run, vote.AgentId, vote.Proposed, vote.Round);
    }

    /// <summary>Enters the round a message is of, where that lies ahead: the start round by a draw, a later one by copying.</summary>
    private void AdvanceToRound(RunState run, int round, int value)
    {
        if (run.Phase == Phase.Waiting && round == run.Descriptor!.StartRound)
        {
            EnterByDraw(run, round);
        }
        else if (run.Phase == Phase.Waiting || round > run.Round)
        {
            Enter(run, round, CopyOnCatchUp(value, _random), ProtocolEventKind.CaughtUp);
        }
    }

    private static bool TryRecord(int[] book, int sender, int word)
    {
        if (book[sender] != 0 && book[sender] != word)
        {
            return false;
        }

        book[sender] = word;
        return true;
    }

    private Response RefuseEquivocation(RunState run, string agentId, int round, int value)
    {
        _effects.Add(new ProtocolEvent(ProtocolEventKind.Equivocated, run.Id, round, value, run.Attempts, agentId));
        return Ignored(run, ResponseReason.Contradiction, ResponseStatus.Refused);
    }

    private void EnterByDraw(RunState run, int round)
    {
        var value = ValueDraw.Next(run, _n, Id, round, _random);
        run.Attempts++;
        Enter(run, round, value, ProtocolEventKind.Drew);
    }

    private void Enter(RunState run, int round, int value, ProtocolEventKind how)
    {
        // Others may still need the vote of the round that is left, and the reply will not hold it any more.
        Flush(toAll: true);
        run.BeginRound(round);
        run.Proposals[run.Me] = value;
        run.ProposalUnsent = true;
        run.RetransmitMs = FirstBackOffMs(run);
        _effects.Add(new ProtocolEvent(how, run.Id, round, value, run.Attempts));
        _effects.Add(new SetTimer(Timer.Retransmit, run.RetransmitMs));
        Progress(run);
    }

    /// <summary>Goes as far as what is known allows.</summary>
    private void Progress(RunState run)
    {
        if (run.Rule == Rule.Classic)
        {
            ProgressClassic(run);
            return;
        }

        if (run.Phase == Phase.Proposing)
        {
            TryVote(run);
        }

        if (run.Phase == Phase.Voting)
        {
            TryDecide(run);
        }
    }

    private void TryVote(RunState run)
    {
        var (value, count) = run.MostProposed();
        if (count >= ProposalQuorum)
        {
            CastVote(run, value);
        }
        else if (run.ProposalCount >= ProposalQuorum)
        {
            // No window can help where even all the rest together could not make a quorum.
            var rest = Expected(run, run.Proposals);
            if (rest == 0 || count + rest < ProposalQuorum || run.WindowElapsed)
            {
                CastVote(run, RunState.VoteForNone);
            }
            else
            {
                StartWindow(run);
            }
        }
    }

    private void CastVote(RunState run, int vote)
    {
        run.Votes[run.Me] = vote;
        run.Phase = Phase.Voting;
        run.VoteUnsent = true;
        run.WindowArmed = run.WindowElapsed = false;
        _effects.Add(new ProtocolEvent(ProtocolEventKind.Voted, run.Id, run.Round, Math.Max(vote, 0), run.Attempts));
    }

    private void TryDecide(RunState run)
    {
        var voted = run.AnyVotedValue();
        if (voted is { } value && run.CountVotes(value) >= DecisionQuorum)
        {
            _effects.Add(new ProtocolEvent(ProtocolEventKind.Decided, run.Id, run.Round, value, run.Attempts));
            // A vote that was said makes its receivers decide; one that was not, the decision stands for.
            run.SendsFinalAtOnce = run.VoteUnsent;
            SetDecision(run, value, run.Round);
        }
        else if (run.VoteCount >= VoteQuorum)
        {
            if (Expected(run, run.Votes) > 0 && !run.WindowElapsed)
            {
                StartWindow(run);
            }
            else if (Adopt(voted) is { } adopted)
            {
                Enter(run, run.Round + 1, adopted, ProtocolEventKind.Adopted);
            }
            else
            {
                EnterByDraw(run, run.Round + 1);
            }
        }
    }

    /// <summary>Members that have not spoken yet and may: all but known learners and those that cannot be reached now.</summary>
    private int Expected(RunState run, int[] book)
    {
        var expected = 0;
        for (var i = 0; i < book.Length; i++)
        {
            if (book[i] == 0 && run.Absences[i] == Absence.None && !IsDown(run.Members[i]))
            {
                expected++;
            }
        }

        return expected;
    }

    private bool IsDown(string agentId)
    {
        var peer = PeerIndex(agentId);
        if (peer >= 0)
        {
            return _peers[peer].Unreachable;
        }

        // One that was never met is behind some address that never told its id.
        foreach (ref readonly var stranger in _peers.AsSpan())
        {
            if (stranger is { Id: null, Unreachable: false })
            {
                return false;
            }
        }

        return true;
    }

    private void StartWindow(RunState run)
    {
        if (!run.WindowArmed)
        {
            run.WindowArmed = true;
            _effects.Add(new SetTimer(Timer.Window, run.WindowMs));
        }
    }

    private void Retransmit(RunState run)
    {
        run.RetransmitMs = Math.Min(run.RetransmitMs * 2, MaxBackOffMs);
        _effects.Add(new SetTimer(Timer.Retransmit, run.RetransmitMs));
        Broadcast(run.Phase == Phase.Voting ? MyVote(run, run.Descriptor) : MyProposal(run, run.Descriptor), always: true);
    }

    /// <summary>Sends what was said in this step, once, except to whom the reply tells it.</summary>
    private void Flush(bool toAll = false)
    {
        if (_run is not { Phase: Phase.Proposing or Phase.Voting } run || !(run.ProposalUnsent || run.VoteUnsent))
        {
            return;
        }

        Message message = run.VoteUnsent ? MyVote(run, run.Descriptor) : MyProposal(run, run.Descriptor);
        run.ProposalUnsent = run.VoteUnsent = false;
        for (var i = 0; i < _peers.Length; i++)
        {
            if (!_peers[i].Unreachable && (toAll || i != _replyTo))
            {
                _effects.Add(new Protocol.Send(i, message));
            }
        }
    }
}
