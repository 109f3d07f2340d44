namespace Consensus.Protocol;

/// <summary>How a decision reaches every agent: <c>/final</c> to each peer until that peer is known to hold it.</summary>
internal static class DecisionDissemination
{
    /// <summary>Handles <c>/final</c> of a described run.</summary>
    public static Response OnFinal(AgentContext agent, RunState run, Final message)
    {
        agent.Peers.AcknowledgeDecision(message.AgentId);
        return !run.IsValue(message.Value) || message.Round < 1
            ? DescribedRun.Ignore(run, ResponseReason.OutOfRange, ResponseStatus.Refused)
            : OnDecisionOf(agent, run, message.Value, message.Round, message.AgentId) ? new Response(ResponseStatus.Ack)
            : DescribedRun.Ignore(run, ResponseReason.Disagreement, ResponseStatus.Refused);
    }

    /// <summary>
    /// Takes the decision of another agent where this agent has none. False where this agent has decided another value:
    /// agreement is violated.
    /// </summary>
    public static bool OnDecisionOf(AgentContext agent, RunState run, int value, int round, string? from)
    {
        if (run.Decision is null)
        {
            Accept(agent, run, value, round, from);
        }
        else if (run.Decision.Value != value)
        {
            agent.Record(ProtocolEventKind.AgreementViolated, run, round, value, from);
            return false;
        }

        return true;
    }

    /// <summary>Takes the decision of another agent.</summary>
    public static void Accept(AgentContext agent, RunState run, int value, int round, string? from)
    {
        agent.Record(ProtocolEventKind.Learned, run, round, value, from);
        agent.Peers.AcknowledgeDecision(from);
        Set(agent, run, value, round);
    }

    /// <summary>Decides, and begins to send the decision.</summary>
    public static void Set(AgentContext agent, RunState run, int value, int round)
    {
        run.Decision = new Decision(value, round, run.Descriptor?.Id);
        run.Phase = Phase.Decided;
        run.ProposalUnsent = run.VoteUnsent = false;
        agent.CancelTimer(Timer.Window);
        agent.CancelTimer(Timer.Retransmit);
        if (run.Descriptor is null)
        {
            agent.Broadcast(new Final(value, round));
        }
        else
        {
            Begin(agent, run);
        }
    }

    /// <summary>Begins to send the decision of a described run.</summary>
    public static void Begin(AgentContext agent, RunState run)
    {
        // A relay sends the decision to all. The others only make up for a relay that crashes, so they need not hurry.
        agent.DisseminationMs = Relay.PeerOf(agent, run) >= 0 ? ProtocolTiming.MaxBackOffMs : ProtocolTiming.FirstBackOffMs(run);
        SendFinals(agent, run, retransmit: false);
    }

    /// <summary>Sends the decision again to each peer that has not acknowledged it, and backs off.</summary>
    public static void Retransmit(AgentContext agent, RunState run)
    {
        agent.DisseminationMs = ProtocolTiming.NextBackOffMs(agent.DisseminationMs);
        SendFinals(agent, run, retransmit: true);
    }

    /// <summary>
    /// A peer has responded to all requests that it was sent before the decision, and no response showed that it decided.
    /// </summary>
    public static void SendFinalIfUnacknowledged(AgentContext agent, int peer)
    {
        if (agent.Run is { SendsFinalAtOnce: true, Descriptor: not null, Decision: not null } run
            && agent.Peers[peer] is { DecisionAcknowledged: false, InFlight: 0 })
        {
            agent.Send(peer, FinalOf(agent, run));
        }
    }

    /// <summary>
    /// Sends the decision to each peer that has not acknowledged it. The first time it leaves out a peer that this step
    /// responds to and a peer whose response is in flight (<see cref="SendFinalIfUnacknowledged"/>). An agent that was sent
    /// the decision, or had sent its own vote, waits one back-off: other agents are about to send the decision too. An agent
    /// with a relay asks the relay whether all agents hold the decision, by sending it to the relay alone.
    /// </summary>
    private static void SendFinals(AgentContext agent, RunState run, bool retransmit)
    {
        if (agent.Peers.AllAcknowledgeDecision)
        {
            agent.CancelTimer(Timer.Dissemination);
            return;
        }

        var final = FinalOf(agent, run);
        var relay = Relay.PeerOf(agent, run);
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            ref readonly var peer = ref agent.Peers[i];
            var sends = relay >= 0 ? retransmit && i == relay
                : !peer.DecisionAcknowledged
                    && (retransmit || (run.SendsFinalAtOnce && i != agent.ReplyTo && peer is { Unreachable: false, InFlight: 0 }));
            if (sends)
            {
                agent.Send(i, final);
            }
        }

        agent.SetTimer(Timer.Dissemination, agent.DisseminationMs);
    }

    private static Final FinalOf(AgentContext agent, RunState run) =>
        new(run.Decision!.Value, run.Decision.Round, run.Descriptor, agent.Id);
}
