using System.CommandLine;
using Spectre.Console;

namespace Consensus.Benchmarks.Cluster;

/// <summary><c>cluster</c>: agents as processes, against the raw round trip.</summary>
internal static class ClusterCommand
{
    private static readonly Option<double> Seconds = new("--seconds")
    {
        Description = "How long to measure all parts, beside starting and warming up (1..3600); of some, as much less.",
        DefaultValueFactory = _ => 40, HelpName = "S",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON instead of tables." };

    private static readonly Option<string?> External = new("--external")
    {
        Description = "Times another system in the same run: "
            + "a shell command, run in turns with the agents, that prints one latency in ms per line.",
        HelpName = "CMD",
    };

    private static readonly Option<bool> Etcd =
        new("--etcd") { Description = "Time puts to three nodes of etcd in the same run; etcd must be on the path." };
    private static readonly Option<bool> Original =
        new("--original") { Description = "Time a stand-in for the original, in Python, in the same run." };

    private static readonly Option<Part[]> Only = new("--only")
    {
        Description = "Measure these parts.", HelpName = "decisions|cost|limping|growth|frontdoor|oneprocess|others",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [Part.Decisions, Part.Cost],
    };

    private static readonly Option<bool> All = new("--all") { Description = "Measure every part, which takes some six minutes." };

    private static readonly Option<string?> Agent = new("--agent")
    {
        Description = "The agent to measure: a program, or a .dll. [default: the one this was built with]", HelpName = "PATH",
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("cluster", "Decisions of agents in processes of their own, in turns with the raw round trip.")
        {
            Seconds, Only, All, Json, External, Etcd, Original, Agent,
        };
        Seconds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 1 and <= 3600))
            {
                result.AddError("--seconds must be from 1 to 3600.");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
#if DEBUG
        await Console.Error.WriteLineAsync("This is a Debug build, so its times mean nothing: add -c Release.");
#endif
        var program = parsed.GetValue(Agent) ?? typeof(Consensus.Agent.AgentApplication).Assembly.Location;
        if (!File.Exists(program))
        {
            await Console.Error.WriteLineAsync($"--agent: {program} does not exist.");
            return 1;
        }

        var (etcd, original) = (parsed.GetValue(Etcd), parsed.GetValue(Original));
        var parts = parsed.GetValue(All) ? Enum.GetValues<Part>() : parsed.GetValue(Only)!;
        var asksForOthers = original || (etcd && !parts.Contains(Part.FrontDoor));
        parts = asksForOthers && !parts.Contains(Part.Others) ? [.. parts, Part.Others] : parts;
        try
        {
            // Progress goes to the terminal, the result to where the output goes.
            var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
            var report = await console.Progress().AutoRefresh(false).HideCompleted(true).StartAsync(async context =>
            {
                var task = context.AddTask("starting", maxValue: 1);
                using var benchmark = new ClusterBenchmark(
                    program, parsed.GetValue(Seconds), parts, parsed.GetValue(External), etcd, original, (what, part) =>
                    {
                        cancellation.ThrowIfCancellationRequested();
                        (task.Description, task.Value) = (what, Math.Min(part, 0.99));
                        if (console.Profile.Capabilities.Interactive)
                        {
                            context.Refresh();
                        }
                    });
                return await benchmark.RunAsync();
            });
            if (parsed.GetValue(Json))
            {
                Console.WriteLine(report.ToJson());
            }
            else
            {
                var output = AnsiConsole.Create(new AnsiConsoleSettings());
                output.Profile.Width = Math.Max(output.Profile.Width, 200);
                report.Draw(output);
            }

            return 0;
        }
        catch (Exception e) when (e is InvalidOperationException or HttpRequestException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }
}
