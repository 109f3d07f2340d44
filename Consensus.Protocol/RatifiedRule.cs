namespace Consensus.Protocol;

/// <summary>
/// The ratified rule: propose, vote, decide on a quorum of votes, else adopt a value that was voted for, else draw. After
/// M. Ben-Or, "Another advantage of free choice", PODC 1983, for crash faults and f &lt; n/2.
/// </summary>
internal sealed class RatifiedRule : DecisionRule
{
    /// <inheritdoc/>
    public override Response OnNewRound(AgentContext agent, RunState run, NewRound message)
    {
        // A new round introduces a run in its start round only. Later rounds are entered by votes or by catching up.
        var before = run.Phase;
        if (before == Phase.Waiting && message.Round == run.Descriptor!.StartRound)
        {
            EnterByDraw(agent, run, message.Round);
        }

        if (message is { AgentId: { } sender, Value: { } value })
        {
            DescribedRun.OnProposal(agent, run, sender, value, message.Round);
        }

        if (before == Phase.Waiting && run.Phase != Phase.Waiting)
        {
            return new Response(ResponseStatus.Started) { Round = message.Round };
        }

        return message.Round < run.Round ? DescribedRun.Ignore(run, ResponseReason.StaleRound)
            : message.Round == run.Round && run.Phase != Phase.Waiting
                ? new Response(ResponseStatus.AlreadyStarted) { Round = message.Round }
            : DescribedRun.Ignore(run, ResponseReason.RoundMismatch);
    }

    /// <inheritdoc/>
    public override Response OnProposal(AgentContext agent, RunState run, int sender, int value, int round)
    {
        AdvanceToRound(agent, run, round, value);
        if (round < run.Round)
        {
            return DescribedRun.Ignore(run, ResponseReason.RoundMismatch);
        }

        if (!TryRecordProposal(run, sender, value))
        {
            return DescribedRun.RefuseEquivocation(agent, run, sender, round, value);
        }

        Progress(agent, run);
        return new Response(ResponseStatus.Ok);
    }

    /// <summary>Handles the vote of another member (an index) in an undecided run in which this agent takes part.</summary>
    public static Response OnVote(AgentContext agent, RunState run, int sender, Vote vote)
    {
        AdvanceToRound(agent, run, vote.Round, vote.Proposed);
        if (vote.Round != run.Round)
        {
            return DescribedRun.OnProposal(agent, run, vote.AgentId, vote.Proposed, vote.Round);
        }

        var votedFor = vote.Value ?? RunState.VoteForNone;
        if ((run.Proposals[sender] != 0 && run.Proposals[sender] != vote.Proposed)
            || (run.Votes[sender] != RunState.NoVote && run.Votes[sender] != votedFor))
        {
            return DescribedRun.RefuseEquivocation(agent, run, sender, vote.Round, vote.Value ?? 0);
        }

        run.Proposals[sender] = vote.Proposed;
        run.Votes[sender] = votedFor;

        // The relay has ended its wait for proposals, so its followers need not wait longer.
        run.WindowElapsed |= sender == run.Relay && run.Phase == Phase.Proposing;
        Of(run).Progress(agent, run);
        return new Response(ResponseStatus.Ok);
    }

    /// <summary>Enters a round with a value drawn here: an attempt.</summary>
    public static void EnterByDraw(AgentContext agent, RunState run, int round)
    {
        var value = ValueDraw.Next(run, agent.ClusterSize, agent.Id, round, agent.Random);
        run.Attempts++;
        Enter(agent, run, round, value, ProtocolEventKind.Drew);
    }

    /// <inheritdoc/>
    public override void Progress(AgentContext agent, RunState run)
    {
        if (run.Phase == Phase.Proposing)
        {
            TryVote(agent, run);
        }

        if (run.Phase == Phase.Voting)
        {
            TryDecide(agent, run);
        }
    }

    /// <summary>Enters the round of a message where it lies ahead: the start round by a draw, a later one by catching up.</summary>
    private static void AdvanceToRound(AgentContext agent, RunState run, int round, int value)
    {
        if (run.Phase == Phase.Waiting && round == run.Descriptor!.StartRound)
        {
            EnterByDraw(agent, run, round);
        }
        else if (run.Phase == Phase.Waiting || round > run.Round)
        {
            Enter(agent, run, round, agent.Rules.ValueOnCatchUp(value, run.Descriptor!, agent.Random), ProtocolEventKind.CaughtUp);
        }
    }

    private static void Enter(AgentContext agent, RunState run, int round, int value, ProtocolEventKind how)
    {
        RoundOutbox.FlushBeforeLeaving(agent, run);
        run.BeginRound(round);
        run.Proposals[run.Me] = value;
        run.ProposalUnsent = true;
        agent.Record(how, run, round, value);
        RoundOutbox.StartRetransmission(agent, run);
        Of(run).Progress(agent, run);
    }

    private static void TryVote(AgentContext agent, RunState run)
    {
        var quorum = agent.Rules.ProposalQuorum(agent.ClusterSize);
        var (value, count) = run.MostProposed();
        if (count >= quorum)
        {
            CastVote(agent, run, value);
        }
        else if (run.ProposalCount >= quorum)
        {
            // No window helps where all expected proposals together could not complete a quorum.
            var expected = CountExpected(agent, run, run.Proposals);
            if (expected == 0 || count + expected < quorum || run.WindowElapsed)
            {
                CastVote(agent, run, RunState.VoteForNone);
            }
            else
            {
                StartWindow(agent, run);
            }
        }
    }

    private static void CastVote(AgentContext agent, RunState run, int vote)
    {
        run.Votes[run.Me] = vote;
        run.Phase = Phase.Voting;
        run.VoteUnsent = true;
        run.WindowArmed = run.WindowElapsed = false;
        agent.Record(ProtocolEventKind.Voted, run, run.Round, Math.Max(vote, 0));
        if (Relay.PeerOf(agent, run) >= 0)
        {
            RoundOutbox.StartRetransmission(agent, run);
        }
    }

    private static void TryDecide(AgentContext agent, RunState run)
    {
        var voted = run.AnyVotedValue();
        if (voted is { } value && run.CountVotes(value) >= agent.Rules.DecisionQuorum(agent.ClusterSize))
        {
            agent.Record(ProtocolEventKind.Decided, run, run.Round, value);

            // A vote that was sent makes its receivers decide too. The decision stands for one that was not. Where votes are
            // relayed, only the relay knows them all.
            run.SendsFinalAtOnce = run.IsRelay || (run.VoteUnsent && Relay.PeerOf(agent, run) < 0);
            DecisionDissemination.Set(agent, run, value, run.Round);
        }
        else if (run.VoteCount >= agent.Rules.VoteQuorum(agent.ClusterSize))
        {
            if (CountExpected(agent, run, run.Votes) > 0 && !run.WindowElapsed)
            {
                StartWindow(agent, run);
            }
            else if (agent.Rules.Adopt(voted) is { } adopted)
            {
                Enter(agent, run, run.Round + 1, adopted, ProtocolEventKind.Adopted);
            }
            else
            {
                EnterByDraw(agent, run, run.Round + 1);
            }
        }
    }

    /// <summary>Members whose proposal or vote may still come: all but known learners and unreachable agents.</summary>
    private static int CountExpected(AgentContext agent, RunState run, int[] received)
    {
        var expected = 0;
        for (var i = 0; i < received.Length; i++)
        {
            if (received[i] == 0 && run.Absences[i] == Absence.None && !agent.Peers.IsUnreachable(run.Members[i]))
            {
                expected++;
            }
        }

        return expected;
    }

    private static void StartWindow(AgentContext agent, RunState run)
    {
        if (!run.WindowArmed)
        {
            run.WindowArmed = true;
            agent.SetTimer(Timer.Window, run.WindowMs);
        }
    }
}
