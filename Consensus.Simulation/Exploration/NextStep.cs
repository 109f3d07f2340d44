using Consensus.Protocol;

namespace Consensus.Simulation.Exploration;

/// <summary>A step that is possible now.</summary>
/// <param name="Step">The step.</param>
/// <param name="Agent">The agent that takes it, from 0.</param>
/// <param name="Call">The call that arrives, is responded to or is lost; null: none.</param>
public sealed record NextStep(ExplorationStep Step, int Agent, SimulatedCall? Call)
{
    /// <summary>The events of the step. A crash and a restart list none.</summary>
    public IEnumerable<ProtocolEvent> Events => Effects.OfType<ProtocolEvent>();

    /// <summary>The effects of the step; none where no machine takes it.</summary>
    internal IReadOnlyList<Effect> Effects { get; init; } = [];

    /// <summary>The machine after the step; null where no machine takes it.</summary>
    internal AgentStateMachine? After { get; init; }
}
