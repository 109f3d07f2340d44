namespace Consensus.Protocol;

/// <summary>Queries of the peers' <c>/state</c>: how an agent that missed messages finds the newest run and its decision.</summary>
internal static class StateExchange
{
    /// <summary>
    /// Queries each peer that has not named its id. Runs that follow each other closely put the poll off for ever, so
    /// joining a run queries too.
    /// </summary>
    public static void QueryUnknownPeers(AgentContext agent)
    {
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            if (agent.Peers[i].Id is null)
            {
                agent.Send(i, new StateQuery());
            }
        }
    }

    /// <summary>Queries the peers whose state is unknown, and every peer while the run is undecided.</summary>
    public static void Poll(AgentContext agent)
    {
        var undecided = agent.Run is { Descriptor: not null, Decision: null };
        var queried = false;
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            ref var peer = ref agent.Peers[i];
            peer.RecentActive = false;
            if (undecided || !peer.StateKnown)
            {
                agent.Send(i, new StateQuery());
                queried = true;
            }
        }

        IntroduceRun(agent);
        if (queried)
        {
            agent.SetTimer(Timer.Poll, ProtocolTiming.MaxBackOffMs);
        }

        // A response alone introduced this run. Its first message may be lost and its initiator reset, so begin as if that
        // message had arrived.
        if (agent.Run is { Descriptor: { } descriptor, Rule: Rule.Ratified, Learner: false, Phase: Phase.Waiting } waiting)
        {
            RatifiedRule.EnterByDraw(agent, waiting, descriptor.StartRound);
        }
    }

    /// <summary>Applies a peer's state: marks it absent where it left the run, joins a newer run, takes a decision.</summary>
    public static void ApplyPeerState(AgentContext agent, Response response)
    {
        if (agent.Run is { Descriptor: not null } current && response is { AgentId: { } id, Boot: { } boot })
        {
            if (CountsOtherwise(response, current.Descriptor))
            {
                RunMembership.MarkAbsent(agent, current, id, Absence.ClusterSize);
            }
            else if (current.Descriptor.Members.TryGetValue(id, out var member) && member != boot)
            {
                RunMembership.MarkAbsent(agent, current, id, Absence.Restarted);
            }
            else if (response.Run != current.Id && response.HighestSeenRun >= current.Id)
            {
                RunMembership.MarkAbsent(agent, current, id, Absence.Left);
            }
        }

        if (response.Descriptor is not { } descriptor)
        {
            return;
        }

        if (descriptor.Id > agent.HighestSeenRun)
        {
            RunMembership.Join(agent, descriptor);
        }

        if (response.Decision is { } decision && agent.Run is { Descriptor: not null, Decision: null } run && run.Id == descriptor.Id
            && run.IsValue(decision.Value))
        {
            DecisionDissemination.Accept(agent, run, decision.Value, decision.Round, response.AgentId);
        }
    }

    /// <summary>Whether the responder counts another number of agents than the run.</summary>
    public static bool CountsOtherwise(Response response, RunDescriptor run) => response.Agents is { } agents && agents != run.N;

    /// <summary>
    /// A learner introduces its undecided run to peers that have not seen it. The learner may be the only agent left that
    /// knows the run, such as an initiator that restarted before its first request arrived.
    /// </summary>
    private static void IntroduceRun(AgentContext agent)
    {
        if (!agent.Rules.LearnersIntroduceRuns || agent.Run is not { Learner: true, Decision: null, Descriptor: { } run })
        {
            return;
        }

        var message = new NewRound(run.StartRound, run);
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            if (agent.Peers[i].HighestSeenRun < run.Id)
            {
                agent.Send(i, message);
            }
        }
    }
}
