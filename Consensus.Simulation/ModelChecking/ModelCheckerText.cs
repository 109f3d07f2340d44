using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>Texts of model checks.</summary>
public static class ModelCheckerText
{
    /// <summary>The figures, each property, and the path to a violation.</summary>
    /// <param name="report">The report.</param>
    /// <param name="elapsed">How long the check took; null leaves time and rate out.</param>
    public static IEnumerable<string> Lines(this ModelCheckerReport report, TimeSpan? elapsed = null)
    {
        var bounds = report.Bounds;
        yield return Describe(bounds);
        yield return Size(report) + (elapsed is { TotalSeconds: var seconds }
            ? Invariant($", {seconds:N1} s, {report.States / Math.Max(seconds, 0.001):N0} states/s") : "");
        yield return Invariant($"{report.AgentStates:N0} states of single agents, {report.MachineStates:N0} of single machines; ")
            + Invariant($"walks without faults went through {report.Walked:N0} combinations");
        foreach (var property in Always(bounds))
        {
            yield return $"  {(property == report.Broken ? "BROKEN" : report.Broken is null ? "ok    " : "open  ")}  {property}";
        }

        foreach (var property in report.Reachability)
        {
            yield return $"  {(property.Seen ? "ok    " : report.Broken is null ? "NEVER " : "open  ")}  sometimes: {property.Name}";
        }

        if (report is { Broken: { } broken, Path: { } path })
        {
            yield return "";
            yield return Invariant($"The shortest way to break {broken}, {path.Count} steps; (3)> delivers a message that step 3 sent:");
            foreach (var line in CounterexamplePath.Draw(bounds.Agents, path))
            {
                yield return line;
            }

            foreach (var sentence in report.Explanation?.Sentences ?? [])
            {
                yield return sentence;
            }

            if (report.UnfinishedReason is not null)
            {
                yield return report.Broken == PropertyNames.Refinement
                    ? $"In the last step {report.UnfinishedReason}." : $"From here, without any further fault: {report.UnfinishedReason}.";
            }
        }
    }

    private static string Describe(ModelCheckerOptions bounds) =>
        Invariant($"{bounds.Rule.ToString().ToLowerInvariant()} rule, {bounds.Draw.ToString().ToLowerInvariant()} draws: ")
        + Invariant($"{bounds.Agents} agents, {bounds.Values} values, {bounds.Rounds} rounds, ")
        + Invariant($"{bounds.Crashes} crashes{(bounds.Durable ? " (with persisted state)" : "")}, {bounds.Resets} resets, ")
        + Invariant($"{bounds.Initiators} initiators, {bounds.Starts} starts each")
        + (bounds.MisconfiguredAgents > 0 ? Invariant($", {bounds.MisconfiguredAgents} with one peer too few") : "")
        + (bounds.Spread is { } spread ? $", spread {spread.ToString().ToLowerInvariant()}" : "");

    private static string Size(ModelCheckerReport report) =>
        Invariant($"{report.States:N0} states")
        + (report.Symmetries > 1 ? Invariant($" ({report.StatesOfAllOrbits:N0} without symmetry)") : "")
        + Invariant($", {report.Transitions:N0} transitions, depth {report.Depth}")
        + (report.PartialOrderReduction ? " visible steps" : "");

    private static string[] Always(ModelCheckerOptions bounds) =>
    [
        PropertyNames.Agreement, PropertyNames.Validity, PropertyNames.OneProposal, PropertyNames.OneVote,
        .. bounds.MisconfiguredAgents > 0 ? new[] { PropertyNames.ClusterSize } : [],
        .. bounds.Durable ? new[] { PropertyNames.Durability } : [],
        .. bounds.Rule == Rule.Ratified ? new[] { PropertyNames.Refinement, PropertyNames.Termination } : [],
    ];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
