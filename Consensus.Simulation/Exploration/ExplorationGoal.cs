using System.Text.Json.Serialization;

namespace Consensus.Simulation.Exploration;

/// <summary>What a path can be searched for. Requests name it by its wire name.</summary>
public enum ExplorationGoal
{
    /// <summary>An agent decides.</summary>
    Decision,

    /// <summary>An agent decides in a later round than the first.</summary>
    [JsonStringEnumMemberName("later")]
    DecisionAfterRound1,

    /// <summary>An agent adopts a value.</summary>
    Adoption,

    /// <summary>An agent catches up.</summary>
    [JsonStringEnumMemberName("copy")]
    CatchUp,

    /// <summary>An agent reports a stalled run.</summary>
    Stall,

    /// <summary>Two agents hold different decisions of one run.</summary>
    Disagreement,

    /// <summary>Any property is violated.</summary>
    Violation,
}
