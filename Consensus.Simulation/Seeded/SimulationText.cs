using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>Texts of simulated runs.</summary>
public static class SimulationText
{
    /// <summary>The options, in a line.</summary>
    public static string Describe(this SimulationOptions options)
    {
        var faults = new (string Name, Probability Chance)[]
        {
            ("drop", options.Drop), ("duplicate", options.Duplicate), ("crash", options.Crash),
            ("partition", options.Partition), ("pause", options.Pause), ("reset", options.Reset),
        };
        var list = string.Join(", ", faults.Where(fault => fault.Chance != default).Select(fault => $"{fault.Name} {fault.Chance}"));
        return Invariant($"{NameOf(options.Rule)} rule, {NameOf(options.Draw)} draws, {Count(options.Agents, "agent")}, ")
            + Invariant($"{Count(options.Values, "value")}, window {options.WindowMs} ms, {NameOf(options.Latency)} latency, ")
            + $"{Count(options.Starts, "start")}{(options.Spread is { } spread ? $", spread {NameOf(spread)}" : "")}; "
            + (options.Durable ? "durable, " : "")
            + (options.MisconfiguredAgents > 0 ? $"{Count(options.MisconfiguredAgents, "agent")} with one peer too few, " : "")
            + (list.Length == 0 ? "no faults" : Invariant($"{list}, for {options.FaultsMs} ms"));
    }

    /// <summary>The outcome of one simulated run, in a sentence.</summary>
    public static string OutcomeSentence(this SimulationResult result, SimulationTrace trace)
    {
        var agents = AgentSummary.Of(trace).ToList();
        return result.Outcome switch
        {
            SimulationOutcome.Decided => Decided(agents),
            SimulationOutcome.Stalled => "Stalled: too few members of the newest run remain, and they report it.",
            SimulationOutcome.NothingStarted => "No run started.",
            SimulationOutcome.CutOff => "Stopped: the last permitted round (--rounds) ended undecided.",
            SimulationOutcome.Undecided => $"Undecided: {result.UnfinishedReason}. The classic rule does not guarantee termination.",
            _ => "A property is violated.",
        };
    }

    /// <summary>The result of one simulated run, in a few lines.</summary>
    public static IEnumerable<string> Verdict(this SimulationResult result, SimulationTrace trace)
    {
        var messages = Count(result.Messages, "message");
        yield return Invariant($"{result.OutcomeSentence(trace)} {messages} arrived in {result.VirtualUs / 1000.0:0.0} virtual ms.");
        if (result.Violation is { } violation)
        {
            yield return $"BROKEN, {violation.Property}: {violation.Explanation}";
        }
    }

    /// <summary>A counterexample, with its diagram and a sentence.</summary>
    public static IEnumerable<string> Lines(this Counterexample found)
    {
        yield return Invariant(
            $"The shortest counterexample found, {Count(found.Events, "event")}; messages without an arrival are still in flight:");
        foreach (var line in LamportDiagram.Lines(found.Trace, found.Options.Agents, everything: true))
        {
            yield return line;
        }

        yield return found.Sentence();
        foreach (var sentence in found.Explain()?.Sentences ?? [])
        {
            yield return sentence;
        }
    }

    /// <summary>What went wrong, in one or two sentences.</summary>
    public static string Sentence(this Counterexample found)
    {
        if (found.UnfinishedReason is not null)
        {
            return $"From here, without any further fault: {found.UnfinishedReason}.";
        }

        var decisions = found.Trace.Steps.SelectMany(
            step => step.Events.Select(protocolEvent => (step.At, step.Agent, Event: protocolEvent)))
            .Where(one => one.Event.Kind == ProtocolEventKind.Decided && one.Event.Run == found.Violation.Run).ToList();
        if (found.Violation is not { Property: PropertyNames.Agreement, Rule: Rule.Classic }
            || decisions.FindIndex(one => one.Event.Value != decisions[0].Event.Value) is not (> 0 and var other))
        {
            return found.Violation.Explanation;
        }

        // The trace is in order of time. The agent that decided first may have decided in the later round.
        var (first, second) = (decisions[0], decisions[other]);
        var agent = AgentIds.IdOf(first.Agent);
        return Invariant($"{agent} received a majority for {first.Event.Value} in round {first.Event.Round} and decided. ")
            + Invariant($"{EventFormatter.Of(TimeSpan.FromMicroseconds(second.At - first.At))} later, ")
            + Invariant($"{AgentIds.IdOf(second.Agent)} received a majority for {second.Event.Value} in round {second.Event.Round}. ")
            + $"{agent}'s decision had not reached it.";
    }

    /// <summary>The figures of many simulated runs, and every violation with its seed.</summary>
    /// <param name="report">The report.</param>
    /// <param name="elapsed">How long the batch took; null leaves time and rates out.</param>
    public static IEnumerable<string> Lines(this BatchReport report, TimeSpan? elapsed = null)
    {
        var pace = elapsed is null ? "" : Pace(report, Math.Max(elapsed.Value.TotalSeconds, 0.001));
        yield return report.Options.Describe();
        yield return Invariant($"{Count(report.Runs, "run")} (seeds {report.FirstSeed}..{report.FirstSeed + report.Runs - 1})")
            + Invariant($"{pace} ({report.Messages.Sum:N0} messages)");
        var outcomes = report.Outcomes.Select((count, outcome) => (Count: count, Text: TextOf((SimulationOutcome)outcome)))
            .Where(outcome => outcome.Count > 0).Select(outcome => Invariant($"{outcome.Count:N0} {outcome.Text}"));
        yield return $"  ended     {string.Join(", ", outcomes)}";
        yield return Invariant($"  rounds    {report.Rounds} (to the first decision, of {Count(report.Rounds.Count, "decided run")}; ")
            + Invariant($"mean {report.Rounds.Mean:N4} ± {report.Rounds.HalfWidth:N4} at 95 %)");
        yield return Invariant($"  messages  {report.Messages} (messages and responses that arrived, by simulated run)");
        yield return Invariant($"  requests  {report.Requests} (new_round, proposal, vote and final, by simulated run)");
        yield return Invariant($"  time      mean {report.VirtualUs.Mean / 1000:N1} ms, ")
            + Invariant($"p50 {report.VirtualUs.Percentile(50) / 1000.0:N1} ms, p99 {report.VirtualUs.Percentile(99) / 1000.0:N1} ms ")
            + "(virtual, until all was settled)";
        var broken = report.Broken.OrderBy(one => one.Key)
            .Select(one => Invariant($"{one.Value:N0} of {one.Key.Property} by the {NameOf(one.Key.Rule)} rule"));
        yield return report.Broken.Count == 0 ? "0 violations"
            : Invariant($"{report.Broken.Values.Sum():N0} violations: {string.Join(", ", broken)}");
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

    private static string Decided(List<AgentSummary> agents)
    {
        var decisions = agents.Where(agent => agent.Decision is not null).ToList();
        var newest = decisions.MaxBy(agent => agent.Run)!.Run;
        var values = decisions.Where(agent => agent.Run == newest).Select(agent => agent.Decision!.Value).Distinct().ToList();
        var who = decisions.Count(agent => agent.Run == newest) == agents.Count ? "All" : "All that are in it";
        return values.Count > 1 ? $"Run {newest} ended with the decisions {string.Join(" and ", values)}."
            : Invariant($"{who} hold {values[0]} as the decision of run {newest}, ")
                + Invariant($"made in round {decisions.Where(agent => agent.Run == newest).Min(agent => agent.Round)}.");
    }

    private static string TextOf(SimulationOutcome outcome) => outcome switch
    {
        SimulationOutcome.Decided => "decided",
        SimulationOutcome.Stalled => "stalled",
        SimulationOutcome.NothingStarted => "started nothing",
        SimulationOutcome.CutOff => "cut off",
        SimulationOutcome.Undecided => "undecided",
        _ => "broken",
    };

    private static string Count(long count, string what) => Invariant($"{count:N0} {what}{(count == 1 ? "" : "s")}");

    private static string NameOf(Rule? rule) => rule is null ? "mixed" : NameOf<Rule>(rule.Value);

    private static string NameOf<T>(T name)
        where T : struct, Enum => name.ToString().ToLowerInvariant();

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>An agent at the end of a trace.</summary>
/// <param name="Agent">From 0.</param>
/// <param name="Run">Its run; none for none.</param>
/// <param name="Learner">Whether it is a learner in that run.</param>
/// <param name="Decision">The value it decided or learned.</param>
/// <param name="Round">The round of the decision.</param>
/// <param name="Up">Whether its process runs.</param>
/// <param name="Boot">Its boot.</param>
internal sealed record AgentSummary(int Agent, RunId Run, bool Learner, int? Decision, int Round, bool Up, string Boot)
{
    public static IEnumerable<AgentSummary> Of(SimulationTrace trace)
    {
        var all = new SortedDictionary<int, AgentSummary>();
        foreach (var step in trace.Steps.Where(step => step.Agent >= 0))
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
                    ProtocolEventKind.Restored => now with
                    {
                        Run = protocolEvent.Run,
                        Learner = true,
                        Decision = protocolEvent.Value == 0 ? null : protocolEvent.Value,
                        Round = protocolEvent.Round,
                    },
                    ProtocolEventKind.Joined => now with { Run = protocolEvent.Run, Learner = false, Decision = null },
                    ProtocolEventKind.JoinedAsLearner => now with { Run = protocolEvent.Run, Learner = true, Decision = null },
                    ProtocolEventKind.WasReset => now with { Run = RunId.None, Decision = null },
                    ProtocolEventKind.Decided or ProtocolEventKind.Learned =>
                        now with { Decision = protocolEvent.Value, Round = protocolEvent.Round },
                    _ => now,
                };
            }

            all[step.Agent] = now;
        }

        return all.Values;
    }
}
