using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Simulation.Exploring;

/// <summary>An exploration in words.</summary>
public static class ExplorerText
{
    /// <summary>The figures, each property, and the path to what was broken.</summary>
    /// <param name="report">The report.</param>
    /// <param name="elapsed">How long the exploration took; null leaves time and rate out.</param>
    public static IEnumerable<string> Lines(this ExplorerReport report, TimeSpan? elapsed = null)
    {
        var bounds = report.Bounds;
        yield return Invariant($"{bounds.Rule.ToString().ToLowerInvariant()} rule, {bounds.Draw.ToString().ToLowerInvariant()} draws: {bounds.Agents} agents, {bounds.Values} values, {bounds.Rounds} rounds, {bounds.Crashes} crashes{(bounds.Durable ? " (what is decided is kept)" : "")}, {bounds.Resets} resets, {bounds.Initiators} initiators, {bounds.Starts} starts each{(bounds.ShortPeers > 0 ? $", {bounds.ShortPeers} with one peer too few" : "")}");
        yield return Invariant($"{report.States:N0} states{(report.Symmetries > 1 ? Invariant($" ({report.StatesWithTheirTwins:N0} with other names)") : "")}, {report.Transitions:N0} transitions, depth {report.Depth}{(report.ByTurns ? " turns" : "")}{(elapsed is { TotalSeconds: var seconds } ? Invariant($", {seconds:N1} s, {report.States / Math.Max(seconds, 0.001):N0} states/s") : "")}");
        yield return Invariant($"{report.AgentStates:N0} states of single agents, {report.MachineStates:N0} of single machines; continuations went through {report.Continued:N0} combinations");
        foreach (var property in Always(bounds))
        {
            yield return $"  {(property == report.Broken ? "BROKEN" : report.Broken is null ? "ok    " : "open  ")}  {property}";
        }

        foreach (var property in report.Sometimes)
        {
            yield return $"  {(property.Seen ? "ok    " : report.Broken is null ? "NEVER " : "open  ")}  sometimes: {property.Name}";
        }

        if (report is { Broken: { } broken, Path: { } path })
        {
            yield return "";
            yield return Invariant($"The shortest way to break {broken}, {path.Count} steps; (3)> delivers what was said in step 3:");
            foreach (var line in ExplorerPath.Draw(bounds.Agents, path))
            {
                yield return line;
            }

            if (report.Complaint is not null)
            {
                yield return $"From here, without any further fault: {report.Complaint}.";
            }
        }
    }

    private static string[] Always(ExplorerBounds bounds) =>
        [Properties.Agreement, Properties.Validity, Properties.OneProposal, Properties.OneVote, .. bounds.ShortPeers > 0 ? new[] { Properties.ClusterSize } : [], .. bounds.Durable ? new[] { Properties.Durability } : [], .. bounds.Rule == Rule.Ratified ? new[] { Properties.Termination } : []];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
