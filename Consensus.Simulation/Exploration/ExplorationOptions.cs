using Consensus.Protocol;
using Consensus.Simulation.ModelChecking;
using Consensus.Simulation.Mutants;
using Consensus.Simulation.Seeded;

namespace Consensus.Simulation.Exploration;

/// <summary>What is explored.</summary>
/// <param name="Agents">1..<see cref="ModelCheckerOptions.MaxAgents"/>.</param>
/// <param name="Rule">The rule of the runs.</param>
/// <param name="Values">Values are drawn from 1..Values; 1..<see cref="ModelCheckerOptions.MaxValues"/>.</param>
/// <param name="Mutant">The broken rule; null: none.</param>
/// <param name="Spread">How proposals and votes travel; null: the protocol's default.</param>
/// <param name="From">The moment of a recorded run in which the path begins; null: it begins with a new cluster.</param>
public sealed record ExplorationOptions(
    int Agents = 3, Rule Rule = Rule.Ratified, int Values = 3, Mutant? Mutant = null, Spread? Spread = null, RecordedMoment? From = null)
{
    /// <summary>The longest path, in steps.</summary>
    public const int MaxSteps = 300;

    /// <summary>Makes the machines; null: those with the sound rules.</summary>
    public StateMachineFactory? Factory => Mutant?.Factory;

    /// <summary>The property that the broken rule violates; null: no rule is broken.</summary>
    public string? BrokenProperty => Mutant?.Property;

    /// <summary>The cluster as a simulation would have it.</summary>
    internal SimulationOptions Cluster
    {
        get
        {
            var unbroken = new SimulationOptions(Agents, Spread: Spread);
            return Mutant?.AdaptOptions(unbroken) ?? unbroken;
        }
    }
}
