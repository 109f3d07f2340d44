namespace Consensus.Protocol;

/// <summary>An agent's own proposal and vote, on their way to the peers.</summary>
internal static class RoundOutbox
{
    public static Proposal ProposalOf(AgentContext agent, RunState run, RunDescriptor? descriptor) =>
        new(agent.Id, run.MyProposal, run.Round, descriptor);

    /// <summary>
    /// Sends what this step proposed or voted, once. The peer whose message this step answers gets it in the response. An
    /// unreachable peer gets it by retransmission. Where a peer relays, only that peer gets it.
    /// </summary>
    public static void Flush(AgentContext agent)
    {
        if (agent.Run is { Entered: true } run && (run.ProposalUnsent || run.VoteUnsent))
        {
            // A response carries nothing of others, so a relay sends its message in any case.
            Send(agent, run, except: run.IsRelay ? -1 : agent.ReplyTo);
        }
    }

    /// <summary>
    /// Sends a vote that this step cast in the round that it leaves. Peers may still need the vote, and this agent's responses
    /// will not carry it any more. A relay passes that vote on with its next message. An agent with a relay sends none.
    /// </summary>
    public static void FlushBeforeLeaving(AgentContext agent, RunState run)
    {
        if (run.Entered && (run.ProposalUnsent || run.VoteUnsent) && !run.IsRelay && Relay.PeerOf(agent, run) < 0)
        {
            Send(agent, run, except: -1);
        }

        run.ProposalUnsent = run.VoteUnsent = false;
    }

    /// <summary>Begins to retransmit a new proposal or vote. An agent with a relay leaves the first sends to it for a while.</summary>
    public static void StartRetransmission(AgentContext agent, RunState run)
    {
        run.RetransmitMs = Relay.PeerOf(agent, run) >= 0 ? ProtocolTiming.HoldMs(agent.ClusterSize) : ProtocolTiming.FirstBackOffMs(run);
        agent.SetTimer(Timer.Retransmit, run.RetransmitMs);
    }

    /// <summary>
    /// Sends the current proposal or vote again, and backs off: to every peer; where messages are relayed, to the peers whose
    /// own proposal or vote is missing. The peer's response carries it.
    /// </summary>
    public static void Retransmit(AgentContext agent, RunState run)
    {
        run.RetransmitMs = Math.Max(ProtocolTiming.NextBackOffMs(run.RetransmitMs), ProtocolTiming.FirstBackOffMs(run));
        agent.SetTimer(Timer.Retransmit, run.RetransmitMs);
        var message = CurrentOf(agent, run);
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            if (run.Relay < 0 || IsMissing(run, agent.Peers[i].Id))
            {
                agent.Send(i, message);
            }
        }
    }

    private static void Send(AgentContext agent, RunState run, int except)
    {
        var message = CurrentOf(agent, run);
        var relay = Relay.PeerOf(agent, run);
        run.ProposalUnsent = run.VoteUnsent = false;
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            if (!agent.Peers[i].Unreachable && i != except && (relay < 0 || i == relay))
            {
                agent.Send(i, message);
            }
        }
    }

    private static Message CurrentOf(AgentContext agent, RunState run)
    {
        Message message = run.Phase == Phase.Voting
            ? run.VoteOf(run.Me) with { Run = run.Descriptor } : ProposalOf(agent, run, run.Descriptor);
        return run.IsRelay ? message with { Relayed = Relay.MessagesOf(agent, run) } : message;
    }

    private static bool IsMissing(RunState run, string? peer)
    {
        var member = peer is null ? -1 : run.IndexOf(peer);
        return member < 0 || (run.Absences[member] == Absence.None && (run.Phase == Phase.Voting ? run.Votes : run.Proposals)[member] == 0);
    }
}
