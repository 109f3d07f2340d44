using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Simulation.Worlds;

/// <summary>Worlds in words.</summary>
public static class WorldText
{
    /// <summary>The options, in a line.</summary>
    public static string Describe(this WorldOptions options)
    {
        var faults = new (string Name, Probability Chance)[]
        {
            ("drop", options.Drop), ("duplicate", options.Duplicate), ("crash", options.Crash), ("partition", options.Partition), ("pause", options.Pause), ("reset", options.Reset),
        };
        var list = string.Join(", ", faults.Where(fault => fault.Chance != default).Select(fault => $"{fault.Name} {fault.Chance}"));
        return Invariant($"{Word(options.Rule)} rule, {Word(options.Draw)} draws, {Count(options.Agents, "agent")}, {Count(options.Values, "value")}, window {options.WindowMs} ms, {Word(options.Latency)} latency, {Count(options.Starts, "start")}; {(options.Durable ? "durable, " : "")}{(options.ShortPeers > 0 ? Invariant($"{Count(options.ShortPeers, "agent")} with one peer too few, ") : "")}{(list.Length == 0 ? "no faults" : Invariant($"{list}, for {options.FaultsMs} ms"))}");
    }

    /// <summary>What one world came to, in a few lines.</summary>
    public static IEnumerable<string> Verdict(this WorldResult result, WorldLog log)
    {
        var standing = Standing.Of(log).ToList();
        yield return Invariant($"{result.End switch
        {
            WorldEnd.Decided => Decided(standing),
            WorldEnd.Stalled => "Stalled: too few members of the newest run are left to decide it, and those in it say so.",
            WorldEnd.NothingStarted => "No run came to be.",
            WorldEnd.CutOff => "Cut off: it came to the last round allowed (--rounds).",
            WorldEnd.Undecided => $"Undecided: {result.Complaint}; the classic rule promises no end.",
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
        if (found.Complaint is not null)
        {
            return $"From here, without any further fault: {found.Complaint}.";
        }

        var decisions = found.Log.Steps.SelectMany(step => step.Happenings.Select(happened => (step.Agent, Happened: happened)))
            .Where(one => one.Happened.Kind is Happening.Decided or Happening.Learned && one.Happened.Run == found.Violation.Run).ToList();
        if (found.Violation is not { Property: Properties.Agreement, Rule: Rule.Classic } || decisions.Count < 2)
        {
            return found.Violation.Explanation;
        }

        // By round, not by time: whoever decided in the earlier round was not heard when the later one began.
        var (first, last) = (decisions.MinBy(one => one.Happened.Round), decisions.MaxBy(one => one.Happened.Round));
        return Invariant($"{WorldAgent.NameOf(first.Agent)} saw a majority for {first.Happened.Value} in round {first.Happened.Round} and decided, but was not heard in time: others went on, and in round {last.Happened.Round} {WorldAgent.NameOf(last.Agent)} saw a majority for {last.Happened.Value}.");
    }

    /// <summary>The figures of many worlds, and every violation with its seed.</summary>
    /// <param name="report">The report.</param>
    /// <param name="elapsed">How long the campaign took; null leaves time and rates out.</param>
    public static IEnumerable<string> Lines(this CampaignReport report, TimeSpan? elapsed = null)
    {
        var pace = elapsed is null ? "" : Pace(report, Math.Max(elapsed.Value.TotalSeconds, 0.001));
        yield return report.Options.Describe();
        yield return Invariant($"{Count(report.Worlds, "run")} (seeds {report.FirstSeed}..{report.FirstSeed + report.Worlds - 1}){pace} ({report.Messages.Sum:N0} messages)");
        yield return $"  ended     {string.Join(", ", report.Ends.Select((count, end) => (count, Words: EndWords((WorldEnd)end))).Where(end => end.count > 0).Select(end => Invariant($"{end.count:N0} {end.Words}")))}";
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

    private static string Pace(CampaignReport report, double seconds) =>
        Invariant($" in {seconds:N1} s: {report.Worlds / seconds:N0} runs/s, {report.Messages.Sum / seconds:N0} messages/s");

    private static string Decided(List<Standing> standing)
    {
        var decisions = standing.Where(agent => agent.Decision is not null).ToList();
        var newest = decisions.MaxBy(agent => agent.Run)!.Run;
        var values = decisions.Where(agent => agent.Run == newest).Select(agent => agent.Decision!.Value).Distinct().ToList();
        var who = decisions.Count(agent => agent.Run == newest) == standing.Count ? "All" : "All that are in it";
        return values.Count > 1 ? $"Run {newest} ended with the decisions {string.Join(" and ", values)}."
            : Invariant($"{who} hold {values[0]} as the decision of run {newest}, made in round {decisions.Where(agent => agent.Run == newest).Min(agent => agent.Round)}.");
    }

    private static string EndWords(WorldEnd end) => end switch
    {
        WorldEnd.Decided => "decided",
        WorldEnd.Stalled => "stalled and said so",
        WorldEnd.NothingStarted => "started nothing",
        WorldEnd.CutOff => "cut off",
        WorldEnd.Undecided => "undecided",
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
internal sealed record Standing(int Agent, RunId Run, bool Learner, int? Decision, int Round, bool Up, string Boot)
{
    public static IEnumerable<Standing> Of(WorldLog log)
    {
        var all = new SortedDictionary<int, Standing>();
        foreach (var step in log.Steps.Where(step => step.Agent >= 0))
        {
            var now = all.GetValueOrDefault(step.Agent) ?? new Standing(step.Agent, RunId.None, false, null, 0, true, "");
            now = step.Kind switch
            {
                StepKind.Boot => new Standing(step.Agent, RunId.None, false, null, 0, true, step.Note ?? ""),
                StepKind.Crash => now with { Run = RunId.None, Decision = null, Up = false },
                _ => now,
            };
            foreach (var happened in step.Happenings)
            {
                now = happened.Kind switch
                {
                    Happening.Restored => now with { Run = happened.Run, Learner = true, Decision = happened.Value == 0 ? null : happened.Value, Round = happened.Round },
                    Happening.Joined => now with { Run = happened.Run, Learner = false, Decision = null },
                    Happening.JoinedAsLearner => now with { Run = happened.Run, Learner = true, Decision = null },
                    Happening.WasReset => now with { Run = RunId.None, Decision = null },
                    Happening.Decided or Happening.Learned => now with { Decision = happened.Value, Round = happened.Round },
                    _ => now,
                };
            }

            all[step.Agent] = now;
        }

        return all.Values;
    }
}
