namespace Consensus.Simulation.Exploration;

/// <summary>What a path can be searched for.</summary>
public enum ExplorationGoal
{
    /// <summary>An agent decides.</summary>
    Decision,

    /// <summary>An agent decides in a later round than the first.</summary>
    Later,

    /// <summary>An agent adopts a value.</summary>
    Adoption,

    /// <summary>An agent catches up.</summary>
    Copy,

    /// <summary>An agent reports a stalled run.</summary>
    Stall,

    /// <summary>Two agents hold different decisions of one run.</summary>
    Disagreement,

    /// <summary>Any property is violated.</summary>
    Violation,
}
