using Consensus.Protocol;
using Consensus.Simulation.Explanations;

namespace Consensus.Simulation.ModelChecking;

/// <summary>Something that must be reached at least once. Without it the check proves little.</summary>
/// <param name="Name">What must be reached.</param>
/// <param name="Seen">Whether it was reached.</param>
public sealed record ReachabilityProperty(string Name, bool Seen)
{
    internal static IEnumerable<ReachabilityProperty> Of(
        ModelCheckerOptions bounds, IReadOnlySet<(ProtocolEventKind Kind, int Round)> exercised, bool refusedAStart)
    {
        bool Ever(ProtocolEventKind kind) => exercised.Any(protocolEvent => protocolEvent.Kind == kind);
        yield return new("decides in round 1", exercised.Contains((ProtocolEventKind.Decided, 1)));
        yield return new("learns", Ever(ProtocolEventKind.Learned));
        if (bounds.MisconfiguredAgents > 0)
        {
            yield return new("refuses a start for cluster sizes", refusedAStart);
        }

        if (bounds is { Durable: true, Crashes: > 0 })
        {
            yield return new("restores a decision",
                exercised.Any(protocolEvent => protocolEvent is { Kind: ProtocolEventKind.Restored, Round: > 0 }));
            yield return new("restores a run without one", exercised.Contains((ProtocolEventKind.Restored, 0)));
        }

        if (bounds.Rounds > 1)
        {
            yield return new("decides in round 2", exercised.Contains((ProtocolEventKind.Decided, 2)));
            if (bounds.Rule == Rule.Ratified)
            {
                // Where no member can be missing, all see the same proposals, and a round without a decision has no vote to adopt.
                if (bounds.MisconfiguredAgents == 0 || bounds.Agents - bounds.MisconfiguredAgents > Quorum.Of(bounds.Agents))
                {
                    yield return new("adopts", Ever(ProtocolEventKind.Adopted));
                }

                yield return new("catches up", Ever(ProtocolEventKind.CaughtUp));
            }
        }
    }
}

/// <summary>The result of a model check.</summary>
/// <param name="Bounds">The bounds.</param>
/// <param name="States">Distinct global states visited. An orbit of permuted states counts once.</param>
/// <param name="Transitions">Steps between them.</param>
/// <param name="Depth">Steps on the longest of the shortest paths, or to the violation.</param>
/// <param name="AgentStates">Distinct states of single agents, with all messages they sent.</param>
/// <param name="MachineStates">Distinct states of single machines.</param>
/// <param name="Symmetries">Permutations in the symmetry reduction; 1 for none.</param>
/// <param name="Reachability">What must be reached.</param>
/// <param name="Broken">The broken property, one of <see cref="PropertyNames"/>; or null.</param>
/// <param name="Path">A shortest path to the violation.</param>
/// <param name="UnfinishedReason">
/// If that is the violation: why a walk without faults does not end well, or which step the proof's model has not.
/// </param>
/// <param name="Walked">
/// Distinct combinations of machines that walks without faults went through. With symmetry reduction it depends on which
/// state of an orbit was visited first.
/// </param>
/// <param name="StatesOfAllOrbits">Distinct global states without symmetry reduction.</param>
/// <param name="PartialOrderReduction">Whether partial-order reduction was on. The depth is in visible steps then.</param>
public sealed record ModelCheckerReport(
    ModelCheckerOptions Bounds,
    long States,
    long Transitions,
    int Depth,
    int AgentStates,
    int MachineStates,
    int Symmetries,
    IReadOnlyList<ReachabilityProperty> Reachability,
    string? Broken,
    IReadOnlyList<PathStep>? Path,
    string? UnfinishedReason,
    long Walked,
    long StatesOfAllOrbits,
    bool PartialOrderReduction)
{
    /// <summary>Why the last event on the path happened; null where nothing is broken.</summary>
    public Explanation? Explanation { get; init; }

    /// <summary>True where nothing is broken and everything that must be reached was reached.</summary>
    public bool Holds => Broken is null && Reachability.All(property => property.Seen);
}
