namespace Consensus.Protocol;

/// <summary>
/// The classic rule, the original's: a majority of equal proposals decides. When the window ends undecided, an agent opens
/// the next round everywhere. Unsafe; bare messages follow it in the anonymous run.
/// </summary>
internal sealed class ClassicRule : DecisionRule
{
    /// <inheritdoc/>
    public override Response OnNewRound(AgentContext agent, RunState run, NewRound message)
    {
        if (run.Entered && message.Round == run.Round)
        {
            RecordPiggybackedProposal(agent, run, message);
            return new Response(ResponseStatus.AlreadyStarted) { Round = message.Round };
        }

        if (message.Round < run.Round)
        {
            return DescribedRun.Ignore(run, ResponseReason.StaleRound);
        }

        Enter(agent, run, message.Round, opensRound: false);
        RecordPiggybackedProposal(agent, run, message);
        return new Response(ResponseStatus.Started) { Round = message.Round };
    }

    /// <inheritdoc/>
    public override Response OnProposal(AgentContext agent, RunState run, int sender, int value, int round)
    {
        if (run.Phase == Phase.Waiting && run.Descriptor is not null && round == run.Descriptor.StartRound)
        {
            Enter(agent, run, round, opensRound: false);
        }

        if (round != run.Round || run.Phase == Phase.Waiting)
        {
            return DescribedRun.Ignore(run, ResponseReason.RoundMismatch);
        }

        // The original takes the last proposal of an agent; a described run takes the first.
        if (run.Descriptor is null)
        {
            run.Proposals[sender] = value;
        }
        else if (!TryRecordProposal(run, sender, value))
        {
            return DescribedRun.RefuseEquivocation(agent, run, sender, round, value);
        }

        if (run.Decision is null)
        {
            Progress(agent, run);
        }

        return new Response(ResponseStatus.Ok);
    }

    /// <summary>Enters a round with a draw; <paramref name="opensRound"/> also opens it at every peer.</summary>
    public static void Enter(AgentContext agent, RunState run, int round, bool opensRound)
    {
        // An original agent that has not entered the round ignores its proposals. So the agent that opens a bare round
        // proposes to each peer once that peer has responded (AnonymousRun.ProposeAfterNewRound).
        var value = ValueDraw.Next(run, agent.ClusterSize, agent.Id, round, agent.Random);
        run.Attempts++;
        run.BeginRound(round);
        run.Proposals[run.Me] = value;
        run.ProposalUnsent = !opensRound;
        agent.Record(ProtocolEventKind.Drew, run, round, value);
        if (opensRound)
        {
            agent.Broadcast(run.Descriptor is null ? new NewRound(round) : new NewRound(round, run.Descriptor, agent.Id, value));
        }

        run.WindowArmed = true;
        agent.SetTimer(
            Timer.Window,
            run.Attempts <= ProtocolTiming.UnpacedClassicRounds ? run.WindowMs : Math.Max(run.WindowMs, ProtocolTiming.MinClassicWindowMs));
        Of(run).Progress(agent, run);
    }

    /// <inheritdoc/>
    public override void Progress(AgentContext agent, RunState run)
    {
        var (value, count) = run.MostProposed();
        if (count >= agent.Quorum)
        {
            agent.Record(ProtocolEventKind.Decided, run, run.Round, value);
            run.SendsFinalAtOnce = true;
            DecisionDissemination.Set(agent, run, value, run.Round);
        }
        else if (run.WindowElapsed && run.Round < ProtocolLimits.MaxRound)
        {
            Enter(agent, run, run.Round + 1, opensRound: true);
        }
    }

    private static void RecordPiggybackedProposal(AgentContext agent, RunState run, NewRound message)
    {
        // The original sends none in a bare message, so there these are unknown fields.
        if (message is { AgentId: { } sender, Value: { } value } && run is { Decision: null, Descriptor: not null })
        {
            DescribedRun.OnProposal(agent, run, sender, value, message.Round);
        }
    }
}
