using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Consensus.Simulation.ModelChecking;
using Spectre.Console;

namespace Consensus.Agent.Commands;

/// <summary><c>check</c>: visits every state that the core can reach within bounds, and reports which properties hold there.</summary>
internal static class CheckCommand
{
    private static readonly ModelCheckerOptions Defaults = new();
    private static readonly Option<int> Agents = Number("--agents", $"Agents (2..{ModelCheckerOptions.MaxAgents}).", Defaults.Agents);
    private static readonly Option<int> Values = Number(
        "--values", $"Values are drawn from 1..K (1..{ModelCheckerOptions.MaxValues}).", Defaults.Values);
    private static readonly Option<int> Rounds = Number(
        "--rounds", $"No agent enters a later round (1..{ModelCheckerOptions.MaxRounds}).", Defaults.Rounds);
    private static readonly Option<int> Crashes = Number(
        "--crashes", $"Crashes with restart, of any agent at any time, in all (0..{ModelCheckerOptions.MaxFaults}).", Defaults.Crashes);
    private static readonly Option<int> Resets = Number(
        "--resets", $"Resets of any agent at any time, in all (0..{ModelCheckerOptions.MaxFaults}).", Defaults.Resets);
    private static readonly Option<int> Initiators = Number(
        "--initiators", "Agents that may start a run, at any time (1..agents).", Defaults.Initiators);
    private static readonly Option<int> Starts = Number(
        "--starts-per-initiator", $"How often each of them may start one (1..{ModelCheckerOptions.MaxStarts}).", Defaults.Starts);
    private static readonly Option<int> MisconfiguredAgents = Number(
        "--short-peers", "How many agents lack one agent in PEERS, and so count one less (0..(agents-1)/2).", Defaults.MisconfiguredAgents);
    private static readonly Option<bool> Durable =
        new("--durable") { Description = "Restarted agents restore the run and the decision they persisted." };
    private static readonly Option<bool> PartialOrder =
        new("--partial-order-reduction") { Description = "Visit only states right after a message was sent: far fewer, same verdict." };

    // Former names of options.
    private static readonly Option<int?> FormerStarts = new("--starts") { Hidden = true };
    private static readonly Option<bool> Turns = new("--turns") { Hidden = true };
    private static readonly RunOptions Run = new([RunOption.Rule, RunOption.Draw, RunOption.Spread], hasDefaults: true);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("check",
            "Visit every state the agents can reach within bounds (exit code 0: all properties hold, 2: one is broken).")
        {
            Agents, Values, Rounds, Crashes, Resets, Initiators, Starts, FormerStarts, MisconfiguredAgents, Durable, PartialOrder,
            Turns,
        };
        command.SetAction(Check);
        return Run.AddTo(command);
    }

    private static Option<int> Number(string name, string description, int value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value, HelpName = "N" };

    private static int Check(ParseResult parsed)
    {
        var run = Run.Read(parsed);
        var bounds = new ModelCheckerOptions(
            parsed.GetValue(Agents), parsed.GetValue(Values), parsed.GetValue(Rounds), parsed.GetValue(Crashes), parsed.GetValue(Resets),
            parsed.GetValue(Initiators), parsed.GetValue(FormerStarts) ?? parsed.GetValue(Starts),
            run.Rule ?? Defaults.Rule, run.Draw ?? Defaults.Draw, parsed.GetValue(Durable), parsed.GetValue(MisconfiguredAgents),
            run.Spread);
        if (bounds.Error() is { } error)
        {
            throw new ConfigurationException(error);
        }

        try
        {
            var checker = new ModelChecker(bounds, partialOrderReduction: parsed.GetValue(PartialOrder) || parsed.GetValue(Turns));
            var clock = Stopwatch.StartNew();
            var report = Console.IsOutputRedirected ? checker.Run(PlainLines(clock)) : Watched(checker, clock);
            foreach (var line in report.Lines(clock.Elapsed))
            {
                Console.WriteLine(line);
            }

            return report.Holds ? 0 : 2;
        }
        catch (BoundsTooLargeException e)
        {
            throw new ConfigurationException(e.Message);
        }
        catch (OutOfMemoryException)
        {
            throw new ConfigurationException($"The states within these bounds need more memory than there is: lower {Reducible(bounds)}.");
        }
    }

    /// <summary>The bounds that can be lower, those first that save the most.</summary>
    private static string Reducible(ModelCheckerOptions bounds)
    {
        List<(string Name, bool IsLowest)> options =
        [
            (Crashes.Name, bounds.Crashes == 0), (Resets.Name, bounds.Resets == 0), (Starts.Name, bounds.Starts == 1),
            (Initiators.Name, bounds.Initiators == 1), (Rounds.Name, bounds.Rounds == 1), (Values.Name, bounds.Values == 1),
            (Agents.Name, bounds.Agents == 2),
        ];
        return string.Join(" or ", options.Where(option => !option.IsLowest).Select(option => option.Name));
    }

    private static ModelCheckerReport Watched(ModelChecker checker, Stopwatch clock) =>
        AnsiConsole.Status().Start("0 states", status => checker.Run(progress => status.Status(Describe(progress, clock.Elapsed))));

    // In a log, a line a second would be too many.
    private static Action<ModelCheckerProgress> PlainLines(Stopwatch clock)
    {
        var next = TimeSpan.FromSeconds(10);
        return progress =>
        {
            var elapsed = clock.Elapsed;
            if (elapsed >= next)
            {
                next = elapsed + TimeSpan.FromSeconds(10);
                Console.WriteLine(Describe(progress, elapsed));
            }
        };
    }

    private static string Describe(ModelCheckerProgress progress, TimeSpan elapsed) => string.Create(
        CultureInfo.InvariantCulture,
        $"{progress.States:N0} states, depth {progress.Depth}, {elapsed.TotalSeconds:N0} s, "
            + $"{progress.States / elapsed.TotalSeconds:N0} states/s");
}
