using System.Diagnostics;
using Consensus.Conformance;
using Consensus.Tests.Cluster;

namespace Consensus.Tests.Conformance;

/// <summary>The Python samples, judged by themselves and together with the agent of this project.</summary>
[Trait(Category.Name, Category.System)]
public sealed class SampleTests
{
    internal static readonly string Python = Environment.GetEnvironmentVariable("PYTHON_PATH") is { Length: > 0 } path ? path : "python3";
    private static readonly AgentProgram Own = InProcessAgent.Own;
    private static readonly AgentProgram Original = Sample("agent.py");
    private static readonly AgentProgram Ratified = Sample("ratified.py");

    [SkippableFact]
    public async Task The_original_sample_passes_the_original_level()
    {
        RequireFlask();
        var report = await JudgeAsync([Original], ConformanceLevel.Original, runs: 0);
        Assert.Equal([], NotPassed(report));
    }

    [SkippableFact]
    public async Task The_ratified_sample_passes_every_level_and_keeps_agreement_under_faults()
    {
        RequireFlask();
        var report = await JudgeAsync([Ratified], ConformanceLevel.Ratified, runs: 10);
        Assert.Equal([], NotPassed(report));
        Assert.True(report.Decided > 0);
    }

    [SkippableFact]
    public async Task A_cluster_of_this_agent_and_the_ratified_sample_keeps_agreement_under_faults()
    {
        RequireFlask();
        var report = await ClusterAsync([Own, Ratified, Own]);
        Assert.Null(report.Violation);
        Assert.Equal(FaultRuns.Agents, report.Decided);
        Assert.Null(report.AnonymousRun);
    }

    [SkippableFact]
    public async Task A_cluster_of_this_agent_and_the_original_sample_decides_bare_runs()
    {
        RequireFlask();
        var report = await ClusterAsync([Own, Original, Own]);
        Assert.Null(report.Violation);
        Assert.Equal(FaultRuns.Agents, report.Decided);
        Assert.NotNull(report.AnonymousRun);
    }

    /// <summary>Runs under faults where the rule is safe, and then one without; its result.</summary>
    private static async Task<RunResult> ClusterAsync(AgentProgram[] programs)
    {
        await using var cluster = await FaultRuns.StartAsync(programs, new ExchangeLog(), default);
        for (var seed = 1; seed <= 5 && cluster.Described; seed++)
        {
            var result = await cluster.RunAsync(FaultPlan.Draw(seed, FaultRuns.Agents, cluster.Described));
            Assert.Null(result.Violation);
        }

        for (var tries = 5; ; tries--)
        {
            // Agents may need a moment before they try again to reach peers that were cut off.
            var quiet = await cluster.RunAsync(FaultPlan.Quiet(0));
            if (quiet.Decided == FaultRuns.Agents || tries == 0)
            {
                return quiet;
            }
        }
    }

    private static Task<ConformanceReport> JudgeAsync(AgentProgram[] programs, ConformanceLevel level, int runs) =>
        new ConformanceJudge(new ConformanceOptions(level, runs, Seed: 1, Seconds: 600), _ => { }, default).JudgeProgramsAsync(programs);

    private static List<string> NotPassed(ConformanceReport report) =>
        [.. report.Verdicts.Where(verdict => verdict.Outcome != VerdictOutcome.Passed)
            .Select(verdict => $"{verdict.Id}: expected {verdict.Expected}; observed {verdict.Detail}")];

    private static AgentProgram Sample(string file) =>
        AgentProgram.OfCommand($"'{Python}' '{Path.Combine(SourceTree.Root, "samples", "python", file)}'", []);

    internal static void RequireFlask()
    {
        string? missing = null;
        try
        {
            using var python = Process.Start(new ProcessStartInfo(Python, ["-c", "import flask"]) { RedirectStandardError = true })!;
            python.WaitForExit();
            missing = python.ExitCode == 0
                ? null : $"{Python} has no Flask: install python3-flask, or name another Python with PYTHON_PATH.";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            missing = $"There is no {Python}: install python3-flask, or name another Python with PYTHON_PATH.";
        }

        if (missing is not null)
        {
            MissingTool.Report(missing);
        }
    }
}
