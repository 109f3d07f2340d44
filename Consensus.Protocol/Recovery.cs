namespace Consensus.Protocol;

/// <summary>How a new process goes on with what an earlier process of the same agent persisted.</summary>
internal static class Recovery
{
    /// <summary>
    /// Takes over what was persisted. Proposals and votes are not among it: an agent that cannot repeat them is a learner,
    /// which is safe and costs the run one member.
    /// </summary>
    public static void Restore(AgentContext agent, Restored persisted)
    {
        agent.HighestSeenRun = persisted.Run is { } current && current.Id > persisted.HighestSeenRun ? current.Id
            : persisted.HighestSeenRun.IsNone ? RunId.None : persisted.HighestSeenRun;
        if (persisted.Run is null && persisted.Decision is null)
        {
            return;
        }

        var run = persisted.Run is { } described
            ? new RunState(described, agent.Id, RunMembership.TakesPart(agent, described)) : new RunState(agent.Id);
        run.Attempts = persisted.Attempts;
        if (agent.Rules.DecisionAfterRestart(persisted.Decision) is { } decision)
        {
            (run.Decision, run.Round, run.Phase, run.SendsFinalAtOnce) = (decision, decision.Round, Phase.Decided, true);
        }

        agent.Run = run;
    }

    /// <summary>Sends a restored decision. The earlier process may have crashed before it sent the decision.</summary>
    public static void Resume(AgentContext agent)
    {
        if (agent.Run is not { } run)
        {
            return;
        }

        agent.Record(ProtocolEventKind.Restored, run, run.Decision?.Round ?? 0, run.Decision?.Value ?? 0);
        if (run is { Decision: not null, Descriptor: not null })
        {
            DecisionDissemination.Begin(agent, run);
        }
    }
}
