namespace Consensus.Protocol;

/// <summary>An agent's own proposal and vote, on their way to the peers.</summary>
internal static class RoundOutbox
{
    public static Proposal ProposalOf(AgentContext agent, RunState run, RunDescriptor? descriptor) =>
        new(agent.Id, run.MyProposal, run.Round, descriptor);

    public static Vote VoteOf(AgentContext agent, RunState run, RunDescriptor? descriptor)
    {
        var vote = run.Votes[run.Me];
        return new(agent.Id, vote == RunState.VoteForNone ? null : vote, run.MyProposal, run.Round, descriptor);
    }

    /// <summary>
    /// Sends what this step proposed or voted, once. The peer whose message this step answers gets it in the response,
    /// unless <paramref name="toAll"/>. An unreachable peer gets it by retransmission.
    /// </summary>
    public static void Flush(AgentContext agent, bool toAll = false)
    {
        if (agent.Run is not { Entered: true } run || !(run.ProposalUnsent || run.VoteUnsent))
        {
            return;
        }

        Message message = run.VoteUnsent ? VoteOf(agent, run, run.Descriptor) : ProposalOf(agent, run, run.Descriptor);
        run.ProposalUnsent = run.VoteUnsent = false;
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            if (!agent.Peers[i].Unreachable && (toAll || i != agent.ReplyTo))
            {
                agent.Send(i, message);
            }
        }
    }

    /// <summary>Sends the current proposal or vote to every peer again, and backs off.</summary>
    public static void Retransmit(AgentContext agent, RunState run)
    {
        run.RetransmitMs = ProtocolTiming.NextBackOffMs(run.RetransmitMs);
        agent.SetTimer(Timer.Retransmit, run.RetransmitMs);
        agent.Broadcast(run.Phase == Phase.Voting ? VoteOf(agent, run, run.Descriptor) : ProposalOf(agent, run, run.Descriptor));
    }
}
