using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Consensus.Agent.Configuration;
using Consensus.Agent.Peers;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Seeded;
using Spectre.Console;
using Rule = Consensus.Protocol.Rule;

namespace Consensus.Agent.Commands;

/// <summary><c>simulate</c>: one world of machines as a diagram, or many worlds and what they came to.</summary>
internal static class SimulateCommand
{
    private const long MostRuns = 1_000_000_000_000;

    // A diagram of more would help nobody, and its log must fit memory.
    private const int MostMessagesDrawn = 200_000;

    private enum Rules
    {
        Ratified,
        Classic,
        Mixed,
    }

    private static readonly SimulationOptions Defaults = new();
    private static readonly Option<long?> Seed = SeedOption.Create("The world's seed; of several worlds: the first one's.", 1);
    private static readonly Option<long?> Runs = new("--runs") { Description = "Live through that many worlds, on all cores, instead of drawing one.", HelpName = "M" };
    private static readonly Option<int> Agents = Number("--agents", $"Agents (1..{ProtocolLimits.MaxAgents}).", Defaults.Agents);
    private static readonly Option<Rules> RuleOption = new("--rule") { Description = "The rule of the runs.", DefaultValueFactory = _ => Rules.Ratified, HelpName = "ratified|classic|mixed" };
    private static readonly Option<DrawStrategy> DrawOption = new("--draw") { Description = "How values are drawn.", DefaultValueFactory = _ => Defaults.Draw, HelpName = "fresh|plurality" };
    private static readonly Option<int> Values = Number("--values", "Values are drawn from 1..K.", Defaults.Values);
    private static readonly Option<int> Window = Number("--window", "How long stragglers are waited for, in ms.", Defaults.WindowMs);
    private static readonly Option<decimal> Drop = Chance("--drop", "Chance of a call or answer to get lost");
    private static readonly Option<decimal> Duplicate = Chance("--duplicate", "Chance of a call to arrive twice");
    private static readonly Option<decimal> Crash = Chance("--crash", "Chance of a step that its agent crashes, and comes back without its memory");
    private static readonly Option<decimal> Partition = Chance("--partition", "Chance of a step that links are cut for a while, one way or both");
    private static readonly Option<decimal> Pause = Chance("--pause", "Chance of a step that its agent stands still for a while");
    private static readonly Option<decimal> Reset = Chance("--reset", "Chance of a step that its agent is reset soon after");
    private static readonly Option<int> Starts = Number("--starts", "How often somebody asks some agent to start a run (1..100).", Defaults.Starts);
    private static readonly Option<Latency> LatencyOption = new("--latency") { Description = "1 ms each; 0.2 to 2 ms; or 0.1 ms to 1 s, mostly short.", DefaultValueFactory = _ => Defaults.Latency, HelpName = "constant|uniform|tail" };
    private static readonly Option<int> Faults = Number("--faults", "How long faults happen, in virtual ms; then they stop.", Defaults.FaultsMs);
    private static readonly Option<bool> Durable = new("--durable") { Description = "Crashed agents are given back the run and the decision they kept." };
    private static readonly Option<int> ShortPeers = Number("--short-peers", "How many agents have one agent too few in PEERS, and so count one less (0..agents-1).", Defaults.ShortPeers);
    private static readonly Option<int> Rounds = Number("--rounds", "A world that enters a later round is cut off.", Defaults.MaxRounds);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("simulate", "Live through a seeded world of agents and draw it, or through many (exit code 0: all promises kept, 2: the ratified rule broke one).")
        {
            Seed, Runs, Agents, RuleOption, DrawOption, Values, Window, Drop, Duplicate, Crash, Partition, Pause, Reset, Starts, LatencyOption, Faults, Durable, Rounds, ShortPeers,
        };
        command.SetAction((parsed, cancellation) => Task.FromResult(Simulate(parsed, cancellation)));
        return command;
    }

    private static Option<int> Number(string name, string description, int value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value, HelpName = "N" };

    private static Option<decimal> Chance(string name, string description) =>
        new(name) { Description = description + " (0..1).", DefaultValueFactory = _ => 0, HelpName = "P" };

    private static int Simulate(ParseResult parsed, CancellationToken cancellation)
    {
        // The root takes settings that it does not know; here they would be mistakes.
        if (parsed.UnmatchedTokens is [var unknown, ..])
        {
            throw new ConfigurationException($"'{unknown}' is no option of simulate; see simulate --help.");
        }

        var options = new SimulationOptions(
            parsed.GetValue(Agents),
            parsed.GetValue(RuleOption) switch { Rules.Ratified => Rule.Ratified, Rules.Classic => Rule.Classic, _ => null },
            parsed.GetValue(DrawOption), parsed.GetValue(Values), parsed.GetValue(Window), Of(parsed, Drop), Of(parsed, Duplicate), Of(parsed, Crash),
            Of(parsed, Partition), Of(parsed, Pause), Of(parsed, Reset), parsed.GetValue(Starts), parsed.GetValue(LatencyOption), parsed.GetValue(Faults), parsed.GetValue(Durable),
            parsed.GetValue(Rounds), parsed.GetValue(ShortPeers));
        if (options.Error() is { } complaint)
        {
            throw new ConfigurationException(complaint);
        }

        var seed = parsed.GetValue(Seed)!.Value;
        if (parsed.GetValue(Runs) is not { } runs)
        {
            return Draw(options, seed);
        }

        if (runs is < 1 or > MostRuns)
        {
            throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture, $"--runs is {runs}; it must be from 1 to {MostRuns}."));
        }

        if (!ProtocolLimits.IsSeed(seed + runs - 1))
        {
            throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture, $"--runs {runs} from --seed {seed} goes beyond the last seed, {ProtocolLimits.MaxSeed}."));
        }

        return RunAll(options, seed, runs, cancellation);
    }

    private static int Draw(SimulationOptions options, long seed)
    {
        var log = new SimulationTrace();
        var result = new Simulator(options).Run(seed, log, MostMessagesDrawn);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {options.Describe()}"));
        Console.WriteLine(LamportDiagram.Legend);
        Write(LamportDiagram.Lines(log, options.Agents));
        Write(result.Verdict(log));
        return Explain(options, seed, result.Violation);
    }

    private static int RunAll(SimulationOptions options, long seed, long runs, CancellationToken cancellation)
    {
        var campaign = new SimulationBatch(options, seed, runs);
        var clock = Stopwatch.StartNew();
        var report = Console.IsOutputRedirected ? campaign.Run(PlainLines(runs, clock), cancellation: cancellation) : Watched(campaign, runs, clock, cancellation);
        Write(report.Lines(clock.Elapsed));
        if (report.Violations.Count > 0)
        {
            var (worst, violation) = report.Violations.FirstOrDefault(found => found.Violation.Rule == Rule.Ratified, report.Violations[0]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nseed {worst}: --seed {worst} without --runs draws all of it"));
            Explain(options, worst, violation);
        }

        cancellation.ThrowIfCancellationRequested();
        return report.Holds ? 0 : 2;
    }

    /// <summary>Shows the least that breaks what a world broke.</summary>
    private static int Explain(SimulationOptions options, long seed, Violation? violation)
    {
        if (violation is null)
        {
            return 0;
        }

        Write(Counterexample.Of(options, seed)?.Lines() ?? ["It takes the whole world to show it."]);
        return violation.Rule == Rule.Ratified ? 2 : 0;
    }

    private static void Write(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            Console.WriteLine(line);
        }
    }

    private static BatchReport Watched(SimulationBatch campaign, long runs, Stopwatch clock, CancellationToken cancellation) =>
        AnsiConsole.Progress().AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                var task = context.AddTask("simulating", maxValue: runs);
                return campaign.Run(
                    progress =>
                    {
                        task.Value = progress.Runs;
                        task.Description = Markup.Escape(Describe(progress, clock.Elapsed));
                    },
                    cancellation: cancellation);
            });

    // A log that grows by a line a second helps nobody.
    private static Action<BatchProgress> PlainLines(long runs, Stopwatch clock)
    {
        var next = TimeSpan.FromSeconds(2);
        return progress =>
        {
            var elapsed = clock.Elapsed;
            if (elapsed >= next && progress.Runs < runs)
            {
                next = elapsed + TimeSpan.FromSeconds(10);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{progress.Runs:N0} of {runs:N0} runs, {Describe(progress, elapsed)}"));
            }
        };
    }

    private static string Describe(BatchProgress progress, TimeSpan elapsed)
    {
        var seconds = Math.Max(0.001, elapsed.TotalSeconds);
        return string.Create(CultureInfo.InvariantCulture, $"{progress.Runs / seconds:N0} runs/s, {progress.Messages / seconds:N0} messages/s, {progress.Violations:N0} violations");
    }

    private static Probability Of(ParseResult parsed, Option<decimal> option)
    {
        var value = parsed.GetValue(option);
        return value is >= 0 and <= 1 ? Probability.Of(value)
            : throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; it must be from 0 to 1."));
    }
}
