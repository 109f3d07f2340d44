using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Consensus.Agent.Configuration;
using Consensus.Conformance;
using Consensus.ServiceDefaults;
using Consensus.Timeline;
using Spectre.Console;

namespace Consensus.Agent.Commands;

/// <summary><c>conform</c>: judges agents that anybody wrote, by the contract.</summary>
internal static class ConformCommand
{
    private const int MostRuns = 1_000_000;

    private static readonly Option<string[]> Urls = new("--url") { Description = "A running agent; once for each.", HelpName = "URL" };
    private static readonly Option<string[]> Starts = new("--start")
    {
        Description = "A program to start with AGENT_ID, PORT and PEERS; several programs form one cluster.", HelpName = "COMMAND",
    };

    private static readonly Option<ConformanceLevel?> Level = new("--level")
    {
        Description = "How much of the contract to require. [default: as much as the agents speak]",
        HelpName = "original|described|ratified",
    };

    private static readonly Option<int> Runs = new("--runs")
    {
        Description = "Runs to ask for, under faults where the agents are started.", DefaultValueFactory = _ => 20,
        HelpName = "N",
    };
    private static readonly Option<long?> Seed = SeedOption.Create("The seed of the faults.", 1);
    private static readonly Option<int> Seconds =
        new("--seconds") { Description = "No check and no run begins later.", DefaultValueFactory = _ => 300, HelpName = "S" };
    private static readonly Option<bool> Json = new("--json") { Description = "Print the report as JSON." };
    private static readonly Option<string?> JUnit = OutputFile.CreateOption("--junit", "Write the verdicts as JUnit XML.");
    private static readonly Option<string?> Timeline = OutputFile.CreateOption(
        "--timeline", "Write a violating run as JSON, in the form of GET /timeline?cluster=true.");

    private static readonly Option<string[]> Variables = new("--env")
    {
        Description = "A variable for the started programs. Of this shell's they get PATH and its like; NAME alone passes one more.",
        HelpName = "NAME[=VALUE]",
    };

    private static readonly Option<bool> AllowRemote = new("--allow-remote") { Description = "Call agents on other machines, too." };

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var command = new Command("conform",
            "Judge agents by the contract, whoever wrote them (exit code 0: they conform, 2: they do not, 1: they could not be judged).")
        {
            Urls, Starts, Level, Runs, Seed, Seconds, Json, JUnit, Timeline, Variables, AllowRemote,
        };
        command.SetAction(ConformAsync);
        return command;
    }

    private static async Task<int> ConformAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.UnmatchedTokens is [var unknown, ..])
        {
            throw new ConfigurationException($"'{unknown}' is no option of conform; see conform --help.");
        }

        var urls = (parsed.GetValue(Urls) ?? []).Select(url => Read(url, parsed.GetValue(AllowRemote))).ToList();
        var commands = parsed.GetValue(Starts) ?? [];
        if (urls.Count == 0 == (commands.Length == 0))
        {
            throw new ConfigurationException("Name running agents with --url, or a program with --start, and not both.");
        }

        var environment = parsed.GetValue(Variables) ?? [];
        ProgramEnvironment.Check(environment);
        var options = new ConformanceOptions(
            parsed.GetValue(Level), Between(parsed, Runs, 0, MostRuns), parsed.GetValue(Seed)!.Value, Between(parsed, Seconds, 1, 86_400),
            Key: Settings.ReadClusterKey(new ConfigurationBuilder().AddEnvironmentVariables().Build()));
        var (junit, timeline) = (OutputFile.Prepare(parsed, JUnit), OutputFile.Prepare(parsed, Timeline));
        List<AgentProgram> programs = [.. commands.Select(command => AgentProgram.OfCommand(command, environment))];
        var report = await UntilInterruptedAsync(
            interrupted => parsed.GetValue(Json) || Console.IsOutputRedirected
                ? JudgeAsync(options, urls, programs, _ => { }, interrupted)
                : WatchAsync(options, urls, programs, interrupted),
            cancellation);
        Print(report, parsed.GetValue(Json), junit, timeline);
        return report.ExitCode;
    }

    /// <summary>Ctrl+C, or the end of the terminal, ends the judge in order: the programs that it started end with it.</summary>
    private static async Task<ConformanceReport> UntilInterruptedAsync(
        Func<CancellationToken, Task<ConformanceReport>> judge, CancellationToken cancellation)
    {
        using var interrupted = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        try
        {
            return await judge(interrupted.Token);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            throw new ConfigurationException("Interrupted: nothing was judged.");
        }

        void End(PosixSignalContext context)
        {
            context.Cancel = !interrupted.IsCancellationRequested;
            interrupted.Cancel();
        }
    }

    private static Task<ConformanceReport> JudgeAsync(
        ConformanceOptions options, List<Uri> urls, List<AgentProgram> programs, Action<ConformanceProgress> progress,
        CancellationToken cancellation)
    {
        var judge = new ConformanceJudge(options, progress, cancellation);
        return urls.Count > 0 ? judge.JudgeRunningAsync(urls) : judge.JudgeProgramsAsync(programs);
    }

    private static Task<ConformanceReport> WatchAsync(
        ConformanceOptions options, List<Uri> urls, List<AgentProgram> programs, CancellationToken cancellation) =>
        AnsiConsole.Progress().AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(context =>
            {
                var task = context.AddTask("starting");
                return JudgeAsync(
                    options, urls, programs,
                    progress =>
                    {
                        (task.MaxValue, task.Value) = (Math.Max(1, progress.Total), progress.Done);
                        task.Description = Markup.Escape(progress.What);
                    },
                    cancellation);
            });

    /// <summary>Writes the files and prints the report, which a file that cannot be written any more does not cost.</summary>
    private static void Print(ConformanceReport report, bool json, OutputFile? junit, OutputFile? timeline)
    {
        ConfigurationException? unwritten = null;
        Try(() => junit?.Write(ReportText.JUnit(report).Save));
        if (timeline is not null && report.Counterexample is { Timeline: { } run } found)
        {
            Try(() =>
            {
                timeline.Write(stream => JsonSerializer.Serialize(stream, run, TimelineJson.Default.ClusterTimeline));
                report = report with { Counterexample = found with { File = timeline.Path } };
            });
        }

        var lines = json ? [JsonSerializer.Serialize(report, ConformanceJson.Default.ConformanceReport)] : ReportText.Lines(report);
        foreach (var line in lines)
        {
            Console.WriteLine(line);
        }

        if (unwritten is not null)
        {
            throw unwritten;
        }

        void Try(Action write)
        {
            try
            {
                write();
            }
            catch (ConfigurationException e)
            {
                unwritten = e;
            }
        }
    }

    private static Uri Read(string text, bool allowRemote)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new ConfigurationException($"--url is '{text}'; write it as http://host:port.");
        }

        return url.IsLoopback || allowRemote ? url
            : throw new ConfigurationException(
                $"{url} is not on this machine. A judge resets agents and breaks their runs: add --allow-remote where they are yours.");
    }

    private static int Between(ParseResult parsed, Option<int> option, int min, int max)
    {
        var value = parsed.GetValue(option);
        return value >= min && value <= max ? value
            : throw new ConfigurationException(
                string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; it must be from {min} to {max}."));
    }
}
