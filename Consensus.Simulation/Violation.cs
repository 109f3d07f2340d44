using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>A violation of one of the protocol's properties.</summary>
/// <param name="Property">The property: one of <see cref="PropertyNames"/>.</param>
/// <param name="Rule">The rule of the run concerned. Only <see cref="Protocol.Rule.Ratified"/> claims to be safe.</param>
/// <param name="Run">The run concerned.</param>
/// <param name="Explanation">One sentence that names the agents and the values.</param>
public sealed record Violation(string Property, Rule Rule, RunId Run, string Explanation);

/// <summary>The names of the checked properties.</summary>
public static class PropertyNames
{
    /// <summary>No two agents decide differently in one run.</summary>
    public const string Agreement = "agreement";

    /// <summary>A decision was drawn by an agent in that run.</summary>
    public const string Validity = "validity";

    /// <summary>The decision of a process in a run never changes.</summary>
    public const string Integrity = "integrity";

    /// <summary>One proposal per run, round and agent.</summary>
    public const string OneProposal = "one proposal";

    /// <summary>One vote per run, round and agent.</summary>
    public const string OneVote = "one vote";

    /// <summary>A relay passes on proposals and votes as their authors sent them.</summary>
    public const string RelayedAsSent = "relayed as sent";

    /// <summary>A process that is no member of the run neither proposes nor votes.</summary>
    public const string LearnersSilent = "learners silent";

    /// <summary>Only agents that count as many agents as a run does are its members and take part in it.</summary>
    public const string ClusterSize = "cluster size";

    /// <summary>Each event is one step of the model that is proved (<see cref="Simulation.Refinement"/>).</summary>
    public const string Refinement = "refinement";

    /// <summary>With persisted state, an agent still holds the decision that it sent, also after a restart.</summary>
    public const string Durability = "durability";

    /// <summary>After the last fault every agent decides or rightly reports its run as stalled.</summary>
    public const string Termination = "termination";
}

/// <summary>One decision of one process, in a simulated run or in the history of a real cluster.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="Boot">Its process.</param>
/// <param name="Run">The run.</param>
/// <param name="Value">What it decided.</param>
/// <param name="Round">The round in which it decided or learned.</param>
/// <param name="Rule">The run's rule.</param>
public readonly record struct Observation(string AgentId, string Boot, RunId Run, int Value, int Round, Rule Rule = Rule.Ratified);
