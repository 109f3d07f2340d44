using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Consensus.Benchmarks.Platform;

/// <summary>A part of the agent in two ways.</summary>
/// <param name="Part">What it does.</param>
/// <param name="PerDecision">How often three agents do it in one decision, all together.</param>
/// <param name="Ours">The agent's code.</param>
/// <param name="Platforms">The platform's code.</param>
internal sealed record Alternative(string Part, double PerDecision, Func<ValueTask> Ours, Func<ValueTask> Platforms);

/// <summary><c>platform</c>: parts of the agent that are its own code, in turns with the platform's way.</summary>
internal static class PlatformCommand
{
    private const int Turns = 60;
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(20);

    private static readonly Option<double> DecisionCpu = new("--decision-cpu")
    {
        Description = "CPU of one decision in ms, of all three agents, as the command cluster measures it.",
        DefaultValueFactory = _ => 2.17, HelpName = "MS",
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("platform",
            "The agent's own code against the platform's, in turns: CPU and allocations, as shares of a decision.") { DecisionCpu };
        command.SetAction(async parsed =>
        {
            var table = new Table().Border(TableBorder.Markdown).AddColumns(
                "part", "a decision has", "ours ns", "platform ns", "ours B", "platform B", "the platform adds to a decision");
            foreach (var alternative in PlatformAlternatives.All())
            {
                var (ours, platforms) = await MeasureAsync(alternative);
                var share = (platforms.Nanoseconds - ours.Nanoseconds) * alternative.PerDecision / (parsed.GetValue(DecisionCpu) * 1e6);
                table.AddRow([.. new FormattableString[]
                {
                    $"{alternative.Part}", $"{alternative.PerDecision}", $"{ours.Nanoseconds:0}",
                    $"{platforms.Nanoseconds:0}", $"{ours.Bytes:0}", $"{platforms.Bytes:0}", $"{share * 100:0.0} %",
                }.Select(cell => cell.ToString(CultureInfo.InvariantCulture))]);
            }

            AnsiConsole.Profile.Width = 200;
            AnsiConsole.Write(table);
            return 0;
        });
        return command;
    }

    /// <summary>Measures both ways in turns. The median turn of each counts, so other work on the machine affects both alike.</summary>
    private static async Task<(Cost Ours, Cost Platforms)> MeasureAsync(Alternative alternative)
    {
        var (ours, platforms) = (new List<Cost>(), new List<Cost>());
        for (var turn = -10; turn < Turns; turn++)
        {
            var (a, b) = (await TurnAsync(alternative.Ours), await TurnAsync(alternative.Platforms));

            // The first turns compile the code.
            if (turn >= 0)
            {
                ours.Add(a);
                platforms.Add(b);
            }
        }

        return (Median(ours), Median(platforms));
    }

    private static Cost Median(List<Cost> turns) => turns.OrderBy(turn => turn.Nanoseconds).ElementAt(turns.Count / 2);

    private static async Task<Cost> TurnAsync(Func<ValueTask> once)
    {
        var (cpu, bytes, count) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(precise: true), 0L);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Turn)
        {
            for (var i = 0; i < 20; i++)
            {
                await once();
            }

            count += 20;
        }

        return new((Environment.CpuUsage.TotalTime - cpu).TotalNanoseconds / count,
            (GC.GetTotalAllocatedBytes(precise: true) - bytes) / (double)count);
    }

    private readonly record struct Cost(double Nanoseconds, double Bytes);
}
