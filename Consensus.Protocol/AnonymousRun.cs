namespace Consensus.Protocol;

/// <summary>
/// Bare messages, which carry no run: the original contract. They belong to the agent's anonymous run, which exists only
/// while the agent has joined no described run.
/// </summary>
internal static class AnonymousRun
{
    /// <summary>Handles a bare message.</summary>
    public static Response Receive(AgentContext agent, Message message)
    {
        if (agent.Run?.Descriptor is not null || message is Vote)
        {
            return DescribedRun.Ignore(agent.Run, ResponseReason.RoundMismatch);
        }

        var run = agent.Run ??= new RunState(agent.Id);
        switch (message)
        {
            case NewRound newRound:
                return run.Decision is not null
                    ? new Response(ResponseStatus.Ignored) { Reason = ResponseReason.AlreadyDecided }
                    : DecisionRule.Of(run).OnNewRound(agent, run, newRound);
            case Proposal proposal:
                return OnProposal(agent, run, proposal);
            case Final final:
                if (run.Decision is null)
                {
                    run.Round = Math.Max(run.Round, final.Round);
                    DecisionDissemination.Accept(agent, run, final.Value, final.Round, final.AgentId);
                }

                return new Response(ResponseStatus.Ack);
            default:
                throw new ArgumentException($"{message.GetType().Name} is not a bare message.", nameof(message));
        }
    }

    /// <summary>The agent that opened a bare round proposes to a peer once that peer has entered the round too.</summary>
    public static void ProposeAfterNewRound(AgentContext agent, int peer, NewRound sent)
    {
        if (agent.Run is { Descriptor: null, Entered: true } run && run.Round == sent.Round)
        {
            agent.Send(peer, RoundOutbox.ProposalOf(agent, run, null));
        }
    }

    private static Response OnProposal(AgentContext agent, RunState run, Proposal proposal)
    {
        var sender = run.IndexOf(proposal.AgentId);
        if (sender < 0)
        {
            sender = run.AddMember(proposal.AgentId, agent.ClusterSize);
        }

        return sender < 0 ? DescribedRun.Ignore(run, ResponseReason.NotAMember, ResponseStatus.Refused)
            : sender == run.Me ? DescribedRun.Ignore(run, ResponseReason.NotAMember)
            : DecisionRule.Of(run).OnProposal(agent, run, sender, proposal.Value, proposal.Round);
    }
}
