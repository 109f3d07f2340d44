namespace Consensus.Protocol;

/// <summary>The ratified rule: propose, vote, decide on a quorum of votes, else adopt what was voted for, else draw.</summary>
public partial class Machine
{
    /// <summary>The value to propose next, where some vote of this round binds it. This is what makes a decision last.</summary>
    protected virtual int? Adopt(int? votedValue) => votedValue;

    /// <summary>The value to propose in a later round that someone else's proposal told of: the same one, never a draw.</summary>
    protected virtual int CopyOnCatchUp(int value, IRandomSource random) => value;

    private Answer OnProposal(Run run, string agentId, int value, int round)
    {
        if (run.Decision is not null)
        {
            return new Answer(Status.Ignored) { Reason = Reason.AlreadyDecided };
        }

        if (run.Learner)
        {
            return new Answer(Status.Ok);
        }

        var sender = run.IndexOf(agentId);
        if (sender < 0 || sender == run.Me)
        {
            return Ignored(run, Reason.NotAMember);
        }

        if (value < 1 || value > run.Values || round < run.Descriptor!.StartRound || round > MaxRound)
        {
            return Ignored(run, Reason.OutOfRange, Status.Refused);
        }

        if (run.Rule == Rule.Classic)
        {
            return OnClassicProposal(run, sender, agentId, value, round);
        }

        Reach(run, round, value);
        if (round < run.Round)
        {
            return Ignored(run, Reason.RoundMismatch);
        }

        if (!Note(run.Proposals, sender, value))
        {
            return Contradiction(run, agentId, round, value);
        }

        Progress(run);
        return new Answer(Status.Ok);
    }

    private Answer OnVote(Run run, Vote vote)
    {
        if (run.Rule == Rule.Classic || (vote.Value is { } v && (v < 1 || v > run.Values)))
        {
            return Ignored(run, Reason.OutOfRange, Status.Refused);
        }

        // A vote is also its sender's proposal; what stops the proposal stops the vote.
        if (run.Decision is null && !run.Learner && run.IndexOf(vote.AgentId) is >= 0 and var sender && sender != run.Me
            && vote.Proposed >= 1 && vote.Proposed <= run.Values && vote.Round >= run.Descriptor!.StartRound && vote.Round <= MaxRound)
        {
            Reach(run, vote.Round, vote.Proposed);
            if (vote.Round == run.Round)
            {
                var said = vote.Value ?? Run.VoteForNone;
                if ((run.Proposals[sender] != 0 && run.Proposals[sender] != vote.Proposed)
                    || (run.Votes[sender] != Run.NoVote && run.Votes[sender] != said))
                {
                    return Contradiction(run, vote.AgentId, vote.Round, vote.Value ?? 0);
                }

                run.Proposals[sender] = vote.Proposed;
                run.Votes[sender] = said;
                Progress(run);
                return new Answer(Status.Ok);
            }
        }

        return OnProposal(run, vote.AgentId, vote.Proposed, vote.Round);
    }

    /// <summary>Enters the round a message is of, where that lies ahead: the start round by a draw, a later one by copying.</summary>
    private void Reach(Run run, int round, int value)
    {
        if (run.Phase == Phase.Waiting && round == run.Descriptor!.StartRound)
        {
            EnterByDraw(run, round);
        }
        else if (run.Phase == Phase.Waiting || round > run.Round)
        {
            Enter(run, round, CopyOnCatchUp(value, _random), Happening.Copied);
        }
    }

    private static bool Note(int[] book, int sender, int word)
    {
        if (book[sender] != 0 && book[sender] != word)
        {
            return false;
        }

        book[sender] = word;
        return true;
    }

    private Answer Contradiction(Run run, string agentId, int round, int value)
    {
        _effects.Add(new Happened(Happening.Contradicted, run.Id, round, value, run.Attempts, agentId));
        return Ignored(run, Reason.Contradiction, Status.Refused);
    }

    private void EnterByDraw(Run run, int round)
    {
        var value = Draws.Next(run, _n, Id, round, _random);
        run.Attempts++;
        Enter(run, round, value, Happening.Drew);
    }

    private void Enter(Run run, int round, int value, Happening how)
    {
        // Others may still need the vote of the round that is left, and the reply will not hold it any more.
        Flush(toAll: true);
        run.Open(round);
        run.Proposals[run.Me] = value;
        run.ProposalUnsent = true;
        run.RepeatMs = FirstPauseMs(run);
        _effects.Add(new Happened(how, run.Id, round, value, run.Attempts));
        _effects.Add(new Arm(Timer.Repeat, run.RepeatMs));
        Progress(run);
    }

    /// <summary>Goes as far as what is known allows.</summary>
    private void Progress(Run run)
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

    private void TryVote(Run run)
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
                CastVote(run, Run.VoteForNone);
            }
            else
            {
                OpenWindow(run);
            }
        }
    }

    private void CastVote(Run run, int vote)
    {
        run.Votes[run.Me] = vote;
        run.Phase = Phase.Voting;
        run.VoteUnsent = true;
        run.WindowArmed = run.WindowElapsed = false;
        _effects.Add(new Happened(Happening.Voted, run.Id, run.Round, Math.Max(vote, 0), run.Attempts));
    }

    private void TryDecide(Run run)
    {
        var voted = run.AnyVotedValue();
        if (voted is { } value && run.CountVotes(value) >= DecisionQuorum)
        {
            _effects.Add(new Happened(Happening.Decided, run.Id, run.Round, value, run.Attempts));
            // A vote that was said makes its receivers decide; one that was not, the decision stands for.
            run.TellsAtOnce = run.VoteUnsent;
            Conclude(run, value, run.Round);
        }
        else if (run.VoteCount >= VoteQuorum)
        {
            if (Expected(run, run.Votes) > 0 && !run.WindowElapsed)
            {
                OpenWindow(run);
            }
            else if (Adopt(voted) is { } adopted)
            {
                Enter(run, run.Round + 1, adopted, Happening.Adopted);
            }
            else
            {
                EnterByDraw(run, run.Round + 1);
            }
        }
    }

    /// <summary>Members that have not spoken yet and may: all but known learners and those that cannot be reached now.</summary>
    private int Expected(Run run, int[] book)
    {
        var expected = 0;
        for (var i = 0; i < book.Length; i++)
        {
            if (book[i] == 0 && run.Absent[i] == Absence.None && !IsDown(run.Members[i]))
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
            return _peers[peer].Down;
        }

        // One that was never met is behind some address that never told its id.
        foreach (ref readonly var stranger in _peers.AsSpan())
        {
            if (stranger is { Id: null, Down: false })
            {
                return false;
            }
        }

        return true;
    }

    private void OpenWindow(Run run)
    {
        if (!run.WindowArmed)
        {
            run.WindowArmed = true;
            _effects.Add(new Arm(Timer.Window, run.WindowMs));
        }
    }

    private void Repeat(Run run)
    {
        run.RepeatMs = Math.Min(run.RepeatMs * 2, MaxPauseMs);
        _effects.Add(new Arm(Timer.Repeat, run.RepeatMs));
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
            if (!_peers[i].Down && (toAll || i != _replyTo))
            {
                _effects.Add(new Protocol.Send(i, message));
            }
        }
    }
}
