namespace Consensus.Protocol;

/// <summary>How the agents of a run get from proposals to a decision. Stateless.</summary>
internal abstract class DecisionRule
{
    private static readonly RatifiedRule Ratified = new();
    private static readonly ClassicRule Classic = new();

    /// <summary>The rule that a run follows.</summary>
    public static DecisionRule Of(RunState run) => run.Rule == Rule.Classic ? Classic : Ratified;

    /// <summary>Handles <c>/new_round</c> of an undecided run in which this agent takes part.</summary>
    public abstract Response OnNewRound(AgentContext agent, RunState run, NewRound message);

    /// <summary>Handles the proposal of another member (an index) in an undecided run in which this agent takes part.</summary>
    public abstract Response OnProposal(AgentContext agent, RunState run, int sender, int value, int round);

    /// <summary>Votes, decides or leaves the round as soon as what is known allows it.</summary>
    public abstract void Progress(AgentContext agent, RunState run);

    /// <summary>Goes on after an agent became absent or unreachable: under the ratified rule the round need not wait for it.</summary>
    public static void ProgressWithoutAgent(AgentContext agent)
    {
        if (agent.Run is { Entered: true, Rule: Rule.Ratified } run)
        {
            Ratified.Progress(agent, run);
        }
    }

    /// <summary>Records a proposal. False where its sender has proposed another value in this round.</summary>
    protected static bool TryRecordProposal(RunState run, int sender, int value)
    {
        if (run.Proposals[sender] != 0 && run.Proposals[sender] != value)
        {
            return false;
        }

        run.Proposals[sender] = value;
        return true;
    }
}
