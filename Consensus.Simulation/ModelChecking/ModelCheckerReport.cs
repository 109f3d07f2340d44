using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>Something that must be seen at least once, or the exploration proves little.</summary>
/// <param name="Name">What.</param>
/// <param name="Seen">Whether it was.</param>
public sealed record ReachabilityProperty(string Name, bool Seen)
{
    internal static IEnumerable<ReachabilityProperty> Of(ModelCheckerOptions bounds, IReadOnlySet<(ProtocolEventKind Kind, int Round)> exercised, bool refusedAStart)
    {
        bool Ever(ProtocolEventKind kind) => exercised.Any(protocolEvent => protocolEvent.Kind == kind);
        yield return new("decides in round 1", exercised.Contains((ProtocolEventKind.Decided, 1)));
        yield return new("learns", Ever(ProtocolEventKind.Learned));
        if (bounds.ShortPeers > 0)
        {
            yield return new("refuses a start for cluster sizes", refusedAStart);
        }

        if (bounds is { Durable: true, Crashes: > 0 })
        {
            yield return new("restores a decision", exercised.Any(protocolEvent => protocolEvent is { Kind: ProtocolEventKind.Restored, Round: > 0 }));
            yield return new("restores a run without one", exercised.Contains((ProtocolEventKind.Restored, 0)));
        }

        if (bounds.Rounds > 1)
        {
            yield return new("decides in round 2", exercised.Contains((ProtocolEventKind.Decided, 2)));
            if (bounds.Rule == Rule.Ratified)
            {
                // Where nobody can be missing, all see the same proposals, and a round without a decision leaves nothing to adopt.
                if (bounds.ShortPeers == 0 || bounds.Agents - bounds.ShortPeers > (bounds.Agents / 2) + 1)
                {
                    yield return new("adopts", Ever(ProtocolEventKind.Adopted));
                }

                yield return new("copies", Ever(ProtocolEventKind.CaughtUp));
            }
        }
    }
}

/// <summary>What an exploration found.</summary>
/// <param name="Bounds">How far it looked.</param>
/// <param name="States">Distinct global states visited; states that differ in names alone count once.</param>
/// <param name="Transitions">Steps between them.</param>
/// <param name="Depth">Steps on the longest shortest path, or to the violation.</param>
/// <param name="AgentStates">Distinct states of single agents, with all they said.</param>
/// <param name="MachineStates">Distinct states of single machines.</param>
/// <param name="Symmetries">Renamings under which states count once; 1 for none.</param>
/// <param name="Reachability">What must be exercised.</param>
/// <param name="Broken">The property that was seen broken: one of <see cref="PropertyNames"/>; or null.</param>
/// <param name="Path">A shortest path to it.</param>
/// <param name="UnexercisedReason">What is wrong where a continuation without faults ends, if that was it.</param>
/// <param name="Continued">Distinct combinations of machines that continuations without faults went through.</param>
/// <param name="StatesOfAllOrbits">What <paramref name="States"/> would be if names counted.</param>
/// <param name="PartialOrderReduction">Whether states between turns alone were visited; the depth is in turns then.</param>
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
    string? UnexercisedReason,
    long Continued,
    long StatesOfAllOrbits,
    bool PartialOrderReduction)
{
    /// <summary>True where nothing was broken and everything was exercised.</summary>
    public bool Holds => Broken is null && Reachability.All(property => property.Seen);
}
