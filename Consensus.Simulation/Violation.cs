using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>A promise of the protocol that was seen broken.</summary>
/// <param name="Property">Which: one of <see cref="PropertyNames"/>.</param>
/// <param name="Rule">The rule of the run concerned. Only <see cref="Protocol.Rule.Ratified"/> claims to be safe.</param>
/// <param name="Run">The run concerned.</param>
/// <param name="Explanation">One sentence: who said what against whom.</param>
public sealed record Violation(string Property, Rule Rule, RunId Run, string Explanation);

/// <summary>The names of what is watched.</summary>
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

    /// <summary>A process that the run does not name proposes and votes nothing.</summary>
    public const string LearnersSilent = "learners silent";

    /// <summary>Only agents that count as many agents as a run does are its members and take part in it.</summary>
    public const string ClusterSize = "cluster size";

    /// <summary>Where decisions are kept, an agent still holds what it announced in its run, also after a restart.</summary>
    public const string Durability = "durability";

    /// <summary>After the faults every agent is decided or says truthfully why it cannot be.</summary>
    public const string Termination = "termination";
}

/// <summary>One decision of one process, as seen in a world or in the history of a real cluster.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="Boot">Its process.</param>
/// <param name="Run">The run.</param>
/// <param name="Value">What it decided.</param>
/// <param name="Round">The round in which it decided or was told.</param>
/// <param name="Rule">The run's rule.</param>
public readonly record struct Observation(string AgentId, string Boot, RunId Run, int Value, int Round, Rule Rule = Rule.Ratified);
