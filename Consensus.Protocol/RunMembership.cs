namespace Consensus.Protocol;

/// <summary>How an agent enters and leaves a run (docs/glossary.md: member, learner, floor).</summary>
internal static class RunMembership
{
    /// <summary>A response with this agent's id, boot, cluster size and floor.</summary>
    public static Response Introduce(AgentContext agent, ResponseStatus status) => new(status)
    {
        AgentId = agent.Id, Boot = agent.Boot, Agents = agent.ClusterSize,
        HighestSeenRun = agent.HighestSeenRun.IsNone ? null : agent.HighestSeenRun,
    };

    /// <summary>Drops the current run for a newer one.</summary>
    public static RunState Join(AgentContext agent, RunDescriptor descriptor)
    {
        agent.HighestSeenRun = descriptor.Id;
        var run = new RunState(descriptor, agent.Id, TakesPart(agent, descriptor) && !WasAbandoned(agent, descriptor.Id));
        agent.Run = run;
        Leave(agent);
        agent.SetTimer(Timer.Poll, ProtocolTiming.MaxBackOffMs);
        StateExchange.QueryUnknownPeers(agent);
        agent.Record(run.Learner ? ProtocolEventKind.JoinedAsLearner : ProtocolEventKind.Joined, run.Id, run.Round);
        return run;
    }

    public static bool TakesPart(AgentContext agent, RunDescriptor run) =>
        agent.Rules.TakesPart(run, agent.Id, agent.Boot, agent.ClusterSize);

    /// <summary>Drops the run and keeps the floor: an agent that was reset ignores every run up to now.</summary>
    public static void Clear(AgentContext agent)
    {
        agent.Run = null;
        agent.HighestSeenRun = agent.Rules.HighestSeenRunAfterReset(agent.HighestSeenRun);
        Leave(agent);
        agent.Record(ProtocolEventKind.WasReset, agent.HighestSeenRun, 0);
    }

    /// <summary>Ends the timers of the run before and what is known of the peers in it.</summary>
    public static void Leave(AgentContext agent)
    {
        agent.CancelTimer(Timer.Window);
        agent.CancelTimer(Timer.Retransmit);
        agent.CancelTimer(Timer.Dissemination);
        agent.Peers.BeginRun();
    }

    /// <summary>
    /// Records that a member takes no part any more, and goes on: the round need not wait for it.
    /// </summary>
    public static void MarkAbsent(AgentContext agent, RunState run, string? agentId, Absence why)
    {
        if (agentId is not null && run.IndexOf(agentId) is >= 0 and var member && member != run.Me && run.Absences[member] == Absence.None)
        {
            run.Absences[member] = why;
            DecisionRule.ProgressWithoutAgent(agent);
        }
    }

    // This agent created the run and left it again: it sends nothing more in it.
    private static bool WasAbandoned(AgentContext agent, RunId run) =>
        run.Number <= agent.AbandonedNumber && run.Initiator == agent.Id && run.Boot == agent.Boot;
}
