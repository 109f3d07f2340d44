namespace Consensus.Protocol;

/// <summary>Messages that carry their run, and the state that each response of such a run carries back.</summary>
internal static class DescribedRun
{
    /// <summary>Handles a message of a run: joins a newer run, ignores an older one.</summary>
    public static Response Receive(AgentContext agent, Message message, RunDescriptor descriptor)
    {
        if (agent.Run?.Descriptor is null || agent.Run.Id != descriptor.Id)
        {
            if (descriptor.Id <= agent.HighestSeenRun)
            {
                return IgnoreStaleRun(agent, message);
            }

            RunMembership.Join(agent, descriptor);
        }

        var run = agent.Run!;
        Relay.Receive(agent, run, message);
        var response = message switch
        {
            NewRound newRound => OnNewRound(agent, run, newRound),
            Proposal proposal => OnProposal(agent, run, proposal.AgentId, proposal.Value, proposal.Round),
            Vote vote => OnVote(agent, run, vote),
            Final final => DecisionDissemination.OnFinal(agent, run, final),
            _ => throw new ArgumentException($"{message.GetType().Name} is not a message of a run.", nameof(message)),
        };

        return WithPiggybackedState(agent, run, response);
    }

    /// <summary>
    /// Handles what a response carries: the responder's proposal, vote or decision counts as if it had been sent in a message.
    /// </summary>
    public static void ApplyPiggybackedState(AgentContext agent, RunState run, int peer, Response response)
    {
        if (response.Reason == ResponseReason.StaleRun)
        {
            RunMembership.MarkAbsent(agent, run, response.AgentId, Absence.Left);
            agent.Peers[peer].DecisionAcknowledged = true;
        }

        if (response.Run != run.Id)
        {
            return;
        }

        if (response.Decision is { } decision && run.IsValue(decision.Value))
        {
            agent.Peers[peer].DecisionAcknowledged = true;
            if (response.Disseminated == true)
            {
                agent.Peers.AcknowledgeDecisionOfAll();
            }

            DecisionDissemination.OnDecisionOf(agent, run, decision.Value, decision.Round, response.AgentId);
        }
        else if (response.Learner == true)
        {
            var why = StateExchange.CountsOtherwise(response, run.Descriptor!) ? Absence.ClusterSize : Absence.Restarted;
            RunMembership.MarkAbsent(agent, run, response.AgentId, why);
        }
        else if (response.Vote is { } vote)
        {
            OnVote(agent, run, vote);
        }
        else if (response.Proposal is { } proposal)
        {
            OnProposal(agent, run, proposal.AgentId, proposal.Value, proposal.Round);
        }
    }

    /// <summary>Handles a proposal, or the proposal that another message repeats.</summary>
    public static Response OnProposal(AgentContext agent, RunState run, string sender, int value, int round)
    {
        var member = run.IndexOf(sender);
        return Reject(run, member, value, round) ?? DecisionRule.Of(run).OnProposal(agent, run, member, value, round);
    }

    /// <summary>A response that changes nothing.</summary>
    public static Response Ignore(RunState? run, ResponseReason reason, ResponseStatus status = ResponseStatus.Ignored) =>
        new(status) { Reason = reason, CurrentRound = run?.Round ?? 0 };

    /// <summary>A sender has sent two different messages in one round: it is faulty.</summary>
    public static Response RefuseEquivocation(AgentContext agent, RunState run, int sender, int round, int value)
    {
        agent.Record(ProtocolEventKind.Equivocated, run, round, value, run.Members[sender]);
        return Ignore(run, ResponseReason.Contradiction, ResponseStatus.Refused);
    }

    private static Response IgnoreStaleRun(AgentContext agent, Message message)
    {
        if (message is Final old && agent.Rules.AcceptsFinalOfOldRun && agent.Run is { Decision: null } current)
        {
            DecisionDissemination.Accept(agent, current, old.Value, old.Round, old.AgentId);
        }

        return RunMembership.Introduce(agent, ResponseStatus.Ignored) with
        {
            Reason = ResponseReason.StaleRun,
            Run = agent.CurrentRunId,
            CurrentRound = agent.Run?.Round ?? 0,
        };
    }

    private static Response OnNewRound(AgentContext agent, RunState run, NewRound message) =>
        RejectWithoutPart(run)
        ?? (message.Round is < 1 or > ProtocolLimits.MaxRound ? Ignore(run, ResponseReason.OutOfRange, ResponseStatus.Refused)
            : DecisionRule.Of(run).OnNewRound(agent, run, message));

    // A vote repeats its sender's proposal; what stops the proposal stops the vote.
    public static Response OnVote(AgentContext agent, RunState run, Vote vote)
    {
        if (run.Rule == Rule.Classic || (vote.Value is { } value && !run.IsValue(value)))
        {
            return Ignore(run, ResponseReason.OutOfRange, ResponseStatus.Refused);
        }

        var member = run.IndexOf(vote.AgentId);
        return Reject(run, member, vote.Proposed, vote.Round) ?? RatifiedRule.OnVote(agent, run, member, vote);
    }

    /// <summary>Why the proposal of the member with this index (-1: no member) does not count; null where it does.</summary>
    private static Response? Reject(RunState run, int sender, int value, int round) =>
        RejectWithoutPart(run)
        ?? (sender < 0 || sender == run.Me ? Ignore(run, ResponseReason.NotAMember)
            : !run.IsValue(value) || round < run.Descriptor!.StartRound || round > ProtocolLimits.MaxRound
                ? Ignore(run, ResponseReason.OutOfRange, ResponseStatus.Refused)
            : null);

    /// <summary>The response of an agent that has decided or is a learner; null where the agent still takes part.</summary>
    private static Response? RejectWithoutPart(RunState run) =>
        run.Decision is not null ? new Response(ResponseStatus.Ignored) { Reason = ResponseReason.AlreadyDecided }
        : run.Learner ? new Response(ResponseStatus.Ok)
        : null;

    /// <summary>Every response of a run carries its sender's decision, vote or proposal.</summary>
    private static Response WithPiggybackedState(AgentContext agent, RunState run, Response response)
    {
        response = response with { AgentId = agent.Id, Run = run.Id };
        if (run.Decision is not null)
        {
            return response with
            {
                Decision = run.Decision,
                Disseminated = run.Relay >= 0 && agent.Peers.AllAcknowledgeDecision ? true : null,
            };
        }

        if (run.Learner)
        {
            var reason = response.Reason ?? (run.Descriptor!.N == agent.ClusterSize ? null : ResponseReason.ClusterSize);
            return response with { Learner = true, Boot = agent.Boot, Agents = agent.ClusterSize, Reason = reason };
        }

        return run.Phase switch
        {
            Phase.Voting => response with { Vote = run.VoteOf(run.Me) },
            Phase.Proposing => response with { Proposal = RoundOutbox.ProposalOf(agent, run, null) },
            _ => response,
        };
    }
}
