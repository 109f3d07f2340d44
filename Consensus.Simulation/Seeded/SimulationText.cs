using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>Worlds in words.</summary>
public static class SimulationText
{
    /// <summary>The options, in a line.</summary>
    public static string Describe(this SimulationOptions options)
    {
        var faults = new (string Name, Probability Chance)[]
        {
            ("drop", options.Drop), ("duplicate", options.Duplicate), ("crash", options.Crash), ("partition", options.Partition), ("pause", options.Pause), ("reset", options.Reset),
        };
        var list = string.Join(", ", faults.Where(fault => fault.Chance != default).Select(fault => $"{fault.Name} {fault.Chance}"));
        return Invariant($"{Word(options.Rule)} rule, {Word(options.Draw)} draws, {Count(options.Agents, "agent")}, {Count(options.Values, "value")}, window {options.WindowMs} ms, {Word(options.Latency)} latency, {Count(options.Starts, "start")}; {(options.Durable ? "durable, " : "")}{(options.ShortPeers > 0 ? Invariant($"{Count(options.ShortPeers, "agent")} with one peer too few, ") : "")}{(list.Length == 0 ? "no faults" : Invariant($"{list}, for {options.FaultsMs} ms"))}");
    }

    /// <summary>What one world came to, in a few lines.</summary>
    public static IEnumerable<string> Verdict(this SimulationResult result, SimulationTrace log)
    {
        var standing = AgentSummary.Of(log).ToList();
        yield return Invariant($"{result.Outcome switch
        {
            SimulationOutcome.Decided => Decided(standing),
            SimulationOutcome.Stalled => "Stalled: too few members of the newest run are left to decide it, and those in it say so.",
            SimulationOutcome.NothingStarted => "No run came to be.",
            SimulationOutcome.CutOff => "Cut off: it came to the last round allowed (--rounds).",
            SimulationOutcome.Undecided => $"Undecided: {result.UnfinishedReason}; the classic rule promises no end.",
            _ => "A promise is broken.",
        }} {Count(result.Messages, "message")} arrived in {result.VirtualUs / 1000.0:0.0} virtual ms.");
        if (result.Violation is { } violation)
        {
            yield return $"BROKEN, {violation.Property}: {violation.Explanation}";
        }
    }

    /// <summary>What broke, and the least that shows it.</summary>
    public static IEnumerable<string> Lines(this Counterexample found)
    {
        yield return Invariant($"The least that still shows it, {Count(found.Events, "event")}; what is sent here and does not arrive is still under way:");
        foreach (var line in LamportDiagram.Lines(found.Log, found.Options.Agents, everything: true))
        {
            yield return line;
        }

        yield return found.Sentence();
    }

    /// <summary>What went wrong, in a sentence or two.</summary>
    public static string Sentence(this Counterexample found)
    {
        if (found.Unfinished is not null)
        {
            return $"From here, without any further fault: {found.Unfinished}.";
        }

        var decisions = found.Log.Steps.SelectMany(step => step.Events.Select(protocolEvent => (step.Agent, Happened: protocolEvent)))
            .Where(one => one.Happened.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned && one.Happened.Run == found.Violation.Run).ToList();
        if (found.Violation is not { Property: PropertyNames.Agreement, Rule: Rule.Classic } || decisions.Count < 2)
        {
            return found.Violation.Explanation;
        }

        // By round, not by time: whoever decided in the earlier round was not heard when the later one began.
        var (first, last) = (decisions.MinBy(one => one.Happened.Round), decisions.MaxBy(one => one.Happened.Round));
        return Invariant($"{AgentIds.IdOf(first.Agent)} saw a majority for {first.Happened.Value} in round {first.Happened.Round} and decided, but was not heard in time: others went on, and in round {last.Happened.Round} {AgentIds.IdOf(last.Agent)} saw a majority for {last.Happened.Value}.");
    }

    /// <summary>The figures of many worlds, and every violation with its seed.</summary>
    /// <param name="report">The report.</param>
    /// <param name="elapsed">How long the campaign took; null leaves time and rates out.</param>
    public static IEnumerable<string> Lines(this BatchReport report, TimeSpan? elapsed = null)
    {
        var pace = elapsed is null ? "" : Pace(report, Math.Max(elapsed.Value.TotalSeconds, 0.001));
        yield return report.Options.Describe();
        yield return Invariant($"{Count(report.Runs, "run")} (seeds {report.FirstSeed}..{report.FirstSeed + report.Runs - 1}){pace} ({report.Messages.Sum:N0} messages)");
        yield return $"  ended     {string.Join(", ", report.Ends.Select((count, end) => (count, Words: EndWords((SimulationOutcome)end))).Where(end => end.count > 0).Select(end => Invariant($"{end.count:N0} {end.Words}")))}";
        yield return Invariant($"  rounds    {report.Rounds} (to the first decision, of {Count(report.Rounds.Count, "decided run")})");
        yield return Invariant($"  messages  {report.Messages} (calls and answers that arrived, of each run of the world)");
        yield return report.Broken.Count == 0 ? "0 violations" : Invariant($"{report.Broken.Values.Sum():N0} violations: {string.Join(", ", report.Broken.OrderBy(broken => broken.Key).Select(broken => Invariant($"{broken.Value:N0} of {broken.Key.Property} by the {Word(broken.Key.Rule)} rule")))}");
        foreach (var (seed, violation) in report.Violations)
        {
            yield return $"  seed {seed.ToString(CultureInfo.InvariantCulture)}: {violation.Property}: {violation.Explanation}";
        }

        if (report.Broken.Values.Sum() is var all && all > report.Violations.Count)
        {
            yield return Invariant($"  and {all - report.Violations.Count:N0} more");
        }
    }

    private static string Pace(BatchReport report, double seconds) =>
        Invariant($" in {seconds:N1} s: {report.Runs / seconds:N0} runs/s, {report.Messages.Sum / seconds:N0} messages/s");

    private static string Decided(List<AgentSummary> standing)
    {
        var decisions = standing.Where(agent => agent.Decision is not null).ToList();
        var newest = decisions.MaxBy(agent => agent.Run)!.Run;
        var values = decisions.Where(agent => agent.Run == newest).Select(agent => agent.Decision!.Value).Distinct().ToList();
        var who = decisions.Count(agent => agent.Run == newest) == standing.Count ? "All" : "All that are in it";
        return values.Count > 1 ? $"Run {newest} ended with the decisions {string.Join(" and ", values)}."
            : Invariant($"{who} hold {values[0]} as the decision of run {newest}, made in round {decisions.Where(agent => agent.Run == newest).Min(agent => agent.Round)}.");
    }

    private static string EndWords(SimulationOutcome end) => end switch
    {
        SimulationOutcome.Decided => "decided",
        SimulationOutcome.Stalled => "stalled and said so",
        SimulationOutcome.NothingStarted => "started nothing",
        SimulationOutcome.CutOff => "cut off",
        SimulationOutcome.Undecided => "undecided",
        _ => "broken",
    };

    private static string Count(long count, string what) => Invariant($"{count:N0} {what}{(count == 1 ? "" : "s")}");

    private static string Word(Rule? rule) => rule is null ? "mixed" : Word<Rule>(rule.Value);

    private static string Word<T>(T word)
        where T : struct, Enum => word.ToString().ToLowerInvariant();

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Where an agent stood at the end of a log.</summary>
/// <param name="Agent">From 0.</param>
/// <param name="Run">Its run; none for none.</param>
/// <param name="Learner">Whether it took no part in it.</param>
/// <param name="Decision">The value it decided or was told.</param>
/// <param name="Round">The round of the decision.</param>
/// <param name="Up">Whether its process ran.</param>
/// <param name="Boot">Its boot.</param>
internal sealed record AgentSummary(int Agent, RunId Run, bool Learner, int? Decision, int Round, bool Up, string Boot)
{
    public static IEnumerable<AgentSummary> Of(SimulationTrace log)
    {
        var all = new SortedDictionary<int, AgentSummary>();
        foreach (var step in log.Steps.Where(step => step.Agent >= 0))
        {
            var now = all.GetValueOrDefault(step.Agent) ?? new AgentSummary(step.Agent, RunId.None, false, null, 0, true, "");
            now = step.Kind switch
            {
                TraceStepKind.Boot => new AgentSummary(step.Agent, RunId.None, false, null, 0, true, step.Note ?? ""),
                TraceStepKind.Crash => now with { Run = RunId.None, Decision = null, Up = false },
                _ => now,
            };
            foreach (var protocolEvent in step.Events)
            {
                now = protocolEvent.Kind switch
                {
                    ProtocolEventKind.Restored => now with { Run = protocolEvent.Run, Learner = true, Decision = protocolEvent.Value == 0 ? null : protocolEvent.Value, Round = protocolEvent.Round },
                    ProtocolEventKind.Joined => now with { Run = protocolEvent.Run, Learner = false, Decision = null },
                    ProtocolEventKind.JoinedAsLearner => now with { Run = protocolEvent.Run, Learner = true, Decision = null },
                    ProtocolEventKind.WasReset => now with { Run = RunId.None, Decision = null },
                    ProtocolEventKind.Decided or ProtocolEventKind.Learned => now with { Decision = protocolEvent.Value, Round = protocolEvent.Round },
                    _ => now,
                };
            }

            all[step.Agent] = now;
        }

        return all.Values;
    }
}
