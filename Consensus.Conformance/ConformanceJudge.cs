using System.Diagnostics;
using System.Globalization;
using Consensus.ServiceDefaults;
using Consensus.Simulation;
using Consensus.Simulation.Explanations;
using Consensus.Simulation.Seeded;
using Consensus.Timeline;

namespace Consensus.Conformance;

/// <summary>What to judge, and how thoroughly.</summary>
/// <param name="Level">The level; null: as much as the agents speak.</param>
/// <param name="Runs">Runs under faults, or of running agents.</param>
/// <param name="Seed">The seed of the faults.</param>
/// <param name="Seconds">No check and no run begins later, in s.</param>
/// <param name="ShrinkSeconds">How long to look for fewer faults after a violation, in s.</param>
/// <param name="Key">The cluster's key, for running agents that need it.</param>
public sealed record ConformanceOptions(
    ConformanceLevel? Level, int Runs, long Seed, int Seconds, int ShrinkSeconds = 120, ClusterKey? Key = null);

/// <summary>How far the judge is.</summary>
/// <param name="Done">Checks and runs done.</param>
/// <param name="Total">Checks and runs in all.</param>
/// <param name="What">The current one.</param>
public readonly record struct ConformanceProgress(int Done, int Total, string What);

/// <summary>Judges agents that anybody wrote.</summary>
public sealed class ConformanceJudge(ConformanceOptions options, Action<ConformanceProgress> progress, CancellationToken cancellation)
{
    private static readonly ConformanceCheck[] Checks = [.. OriginalChecks.All, .. DescribedChecks.All, .. RatifiedChecks.All];
    private static readonly (string Id, string Property, string Sentence)[] Properties =
    [
        ("agreement", PropertyNames.Agreement, "No two agents decide differently in one run."),
        ("validity", PropertyNames.Validity, "A decision is a value that some agent proposed in that run."),
        ("integrity", PropertyNames.Integrity, "The decision of a process in a run never changes."),
        ("one-proposal-sent", PropertyNames.OneProposal, "An agent proposes one value in a round of a run."),
        ("one-vote-sent", PropertyNames.OneVote, "An agent votes once in a round of a run."),
        ("learners-silent", PropertyNames.LearnersSilent, "A process that the run does not name proposes and votes nothing."),
        ("termination", PropertyNames.Termination,
            "After the faults every agent decides, or says that its run is stalled; a run without faults is decided."),
    ];

    private readonly ExchangeLog _log = new();
    private readonly List<Verdict> _verdicts = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _done;
    private int _total;

    private bool IsOutOfTime => _clock.Elapsed.TotalSeconds >= options.Seconds;

    /// <summary>Starts programs and judges them.</summary>
    /// <param name="cluster">The programs. The judge judges each program alone, and then all of them in one cluster.</param>
    /// <exception cref="ConfigurationException">A program does not answer.</exception>
    public async Task<ConformanceReport> JudgeProgramsAsync(IReadOnlyList<AgentProgram> cluster)
    {
        var level = ConformanceLevel.Ratified;
        var programs = cluster.DistinctBy(program => program.Name).ToList();
        foreach (var each in programs)
        {
            await using var program = await ProgramFixture.StartAsync(each, _log, cancellation);
            var own = options.Level ?? (await program.IsDescribedAsync() ? ConformanceLevel.Ratified : ConformanceLevel.Original);
            level = own < level ? own : level;
            var checks = Checks.Where(check => check.Level <= own).ToList();
            _total = _done + (checks.Count * (programs.Count - programs.IndexOf(each))) + options.Runs;
            await RunAsync(program, checks, programs.Count > 1 ? each.Name : null);
        }

        return await RunFaultsAsync(cluster, new ConformanceReport(
            string.Join(" + ", cluster.Select(program => program.Name)), level, options.Seed, _verdicts, RequestedRuns: options.Runs));
    }

    /// <summary>Judges agents that run already.</summary>
    /// <exception cref="ConfigurationException">An agent does not answer.</exception>
    public Task<ConformanceReport> JudgeRunningAsync(IReadOnlyList<Uri> urls) =>
        new RunningAgents(urls, options, _log, () => IsOutOfTime, cancellation)
            .JudgeAsync(Checks, (done, total, what) => progress(new(done, total, what)));

    private async Task RunAsync(ProgramFixture program, List<ConformanceCheck> checks, string? subject)
    {
        var runner = new CheckRunner(_log, () => IsOutOfTime, cancellation);
        ConformanceCheck? before = null;
        foreach (var check in checks)
        {
            progress(new(_done++, _total, check.Id));
            program.Enter(check);
            var fresh = before is not null && (check.Fresh || before.Fresh || check.Level != before.Level);
            var verdict = await runner.RunAsync(check, async () =>
            {
                var context = await program.PrepareAsync(fresh);
                fresh = check.Fresh;
                return context;
            });
            _verdicts.Add(subject is null ? verdict : verdict with { Sentence = $"{verdict.Sentence} [{subject}]" });
            before = check;
        }
    }

    private async Task<ConformanceReport> RunFaultsAsync(IReadOnlyList<AgentProgram> programs, ConformanceReport report)
    {
        if (options.Runs == 0)
        {
            return report;
        }

        await using var cluster = await FaultRuns.StartAsync(programs, _log, cancellation);
        var described = cluster.Described;
        RunResult? found = null;
        for (var run = 0; run < options.Runs && found is null && !IsOutOfTime; run++)
        {
            progress(new(_done++, _total, string.Create(CultureInfo.InvariantCulture, $"runs under faults: {run}")));
            var result = await cluster.RunAsync(FaultPlan.Draw(options.Seed + run, FaultRuns.Agents, described));
            report = Count(report, result);
            found = result.Violation is null ? null : result;
        }

        found ??= await RunQuietAsync(cluster);
        if (found is not null && found.Plan.Faults.Count > 0 && found.Violation!.Property != PropertyNames.Termination)
        {
            progress(new(_done, _total, "looking for fewer faults"));
            found = await FaultShrinker.ShrinkAsync(found, cluster.RunAsync, TimeSpan.FromSeconds(options.ShrinkSeconds));
        }

        var level = described ? ConformanceLevel.Ratified : ConformanceLevel.Original;
        foreach (var (id, property, sentence) in Properties)
        {
            var violated = found?.Violation is { } violation && violation.Property == property;
            if (violated || described || property is PropertyNames.Agreement or PropertyNames.Validity or PropertyNames.Termination)
            {
                _verdicts.Add(new Verdict(id, level, sentence, violated ? VerdictOutcome.Failed : VerdictOutcome.Passed,
                    violated ? sentence : null, violated ? found!.Violation!.Explanation : null, []));
            }
        }

        return report with { Verdicts = _verdicts, Counterexample = found is null ? null : Show(found) };
    }

    private static ConformanceReport Count(ConformanceReport report, RunResult result) => report with
    {
        Runs = report.Runs + 1,
        Decided = report.Decided + (result.Decided > 0 ? 1 : 0),
        Faults = report.Faults + result.History.Applied.Count,
        Kills = report.Kills + result.History.Applied.Count(fault => fault.Kind == FaultKind.Kill),
        Messages = report.Messages + result.History.Events.Count(one => one.Kind == HistoryEventKind.Sent),
    };

    /// <summary>Asks each agent for one run without faults.</summary>
    /// <returns>A run that violates a property, or that an agent did not decide.</returns>
    private static async Task<RunResult?> RunQuietAsync(FaultRuns cluster)
    {
        for (var agent = 0; agent < FaultRuns.Agents; agent++)
        {
            // Agents may need a moment before they try again to reach peers that were cut off.
            for (var tries = 5; ; tries--)
            {
                var result = await cluster.RunAsync(FaultPlan.Quiet(agent));
                if (result.Violation is not null)
                {
                    return result;
                }

                if (result.Decided == FaultRuns.Agents)
                {
                    break;
                }

                if (tries == 0)
                {
                    return result with
                    {
                        Violation = new(
                            PropertyNames.Termination,
                            result.AnonymousRun?.Rule ?? Protocol.Rule.Ratified,
                            result.AnonymousRun?.Id ?? Protocol.RunId.None,
                            $"{result.Decided} of {FaultRuns.Agents} agents decided a run without faults "
                                + $"that agent{agent + 1} was asked for."),
                    };
                }
            }
        }

        return null;
    }

    private static ObservedCounterexample Show(RunResult found)
    {
        var trace = HistoryTrace.Of(found.History, found.AnonymousRun);

        // A file cannot be asked for the rounds that a page folds.
        var timeline = SimulatedTimeline.Of(trace, FaultRuns.Agents, found.Violation!.Explanation, [new RoundRange(1, int.MaxValue)]);
        return new ObservedCounterexample(
            found.Violation.Property, found.Violation.Explanation, found.Plan.Seed,
            [.. found.Plan.Faults.Select(fault => fault.ToString())],
            [
                LamportDiagram.Legend, .. LamportDiagram.Lines(trace, FaultRuns.Agents),
                .. new Explainer(trace).ExplainEnd(found.Violation.Run)?.Sentences ?? [],
            ])
        { Timeline = timeline };
    }
}
