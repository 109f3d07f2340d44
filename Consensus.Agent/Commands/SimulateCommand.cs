using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Consensus.Agent.Configuration;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Consensus.Simulation;
using Consensus.Simulation.Seeded;
using Spectre.Console;
using Rule = Consensus.Protocol.Rule;

namespace Consensus.Agent.Commands;

/// <summary><c>simulate</c>: one simulated run as a diagram, or the figures of many.</summary>
internal static class SimulateCommand
{
    private const long MaxRuns = 1_000_000_000_000;

    // A longer diagram is of no use, and its trace must fit in memory.
    private const int MaxMessagesDrawn = 200_000;

    private enum Rules
    {
        Ratified,
        Classic,
        Mixed,
    }

    private static readonly SimulationOptions Defaults = new();
    private static readonly Option<long?> Seed = SeedOption.Create("The seed of the simulated run; with --runs: the first seed.", 1);
    private static readonly Option<long?> Runs =
        new("--runs") { Description = "Simulate that many runs, on all cores, instead of drawing one.", HelpName = "M" };
    private static readonly Option<int> Agents = Number("--agents", $"Agents (1..{ProtocolLimits.MaxAgents}).", Defaults.Agents);
    private static readonly Option<Rules> RuleOption = new("--rule")
    {
        Description = RunOption.Rule.Description, DefaultValueFactory = _ => Rules.Ratified,
        HelpName = "ratified|classic|mixed",
    };
    private static readonly RunOptions Run =
        new RunOptions(RunOption.All.Except([RunOption.Round, RunOption.Rule, RunOption.Seed]), hasDefaults: true)
            .WithFormerName(RunOption.WindowMs, "--window");
    private static readonly Option<decimal> Drop = Chance("--drop", "Chance that a message or response is lost");
    private static readonly Option<decimal> Duplicate = Chance("--duplicate", "Chance that a message arrives twice");
    private static readonly Option<decimal> Crash = Chance(
        "--crash", "Chance that an agent crashes in a step and restarts without its memory");
    private static readonly Option<decimal> Partition = Chance("--partition", "Chance that links are cut after a step, one way or both");
    private static readonly Option<decimal> Pause = Chance("--pause", "Chance that an agent pauses after a step");
    private static readonly Option<decimal> Reset = Chance("--reset", "Chance that an agent is reset soon after a step");
    private static readonly Option<int> Starts = Number(
        "--starts", "How often a client asks some agent to start a run (1..100).", Defaults.Starts);
    private static readonly Option<Latency> LatencyOption = new("--latency")
    {
        Description = "1 ms each; 0.2 to 2 ms; or 0.1 ms to 1 s, mostly short.",
        DefaultValueFactory = _ => Defaults.Latency, HelpName = "constant|uniform|tail",
    };
    private static readonly Option<int> FaultDuration = Number(
        "--fault-duration-ms", "How long faults happen, in virtual ms; then they stop.", Defaults.FaultsMs);

    // The option's former name.
    private static readonly Option<int?> FormerFaultDuration = new("--faults") { Hidden = true };
    private static readonly Option<bool> Durable =
        new("--durable") { Description = "Restarted agents restore the run and the decision they persisted." };
    private static readonly Option<int> MisconfiguredAgents = Number(
        "--short-peers", "How many agents lack one agent in PEERS, and so count one less (0..agents-1).", Defaults.MisconfiguredAgents);
    private static readonly Option<int> Rounds = Number(
        "--rounds", "A simulated run that enters a later round is cut off.", Defaults.MaxRounds);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("simulate",
            "Simulate a run from a seed and draw it, or simulate many (exit code 0: all properties hold, 2: the ratified rule broke one).")
        {
            Seed, Runs, Agents, RuleOption, Drop, Duplicate, Crash, Partition,
            Pause, Reset, Starts, LatencyOption, FaultDuration, FormerFaultDuration, Durable, Rounds, MisconfiguredAgents,
        };
        command.SetAction((parsed, cancellation) => Task.FromResult(Simulate(parsed, cancellation)));
        return Run.AddTo(command);
    }

    private static Option<int> Number(string name, string description, int value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value, HelpName = "N" };

    private static Option<decimal> Chance(string name, string description) =>
        new(name) { Description = description + " (0..1).", DefaultValueFactory = _ => 0, HelpName = "P" };

    private static int Simulate(ParseResult parsed, CancellationToken cancellation)
    {
        // The root command accepts unknown options as settings. Here they are mistakes.
        if (parsed.UnmatchedTokens is [var unknown, ..])
        {
            throw new ConfigurationException($"'{unknown}' is no option of simulate; see simulate --help.");
        }

        var options = new SimulationOptions(
            parsed.GetValue(Agents), Drop: Of(parsed, Drop), Duplicate: Of(parsed, Duplicate),
            Crash: Of(parsed, Crash), Partition: Of(parsed, Partition),
            Pause: Of(parsed, Pause), Reset: Of(parsed, Reset), Starts: parsed.GetValue(Starts), Latency: parsed.GetValue(LatencyOption),
            FaultsMs: parsed.GetValue(FormerFaultDuration) ?? parsed.GetValue(FaultDuration), Durable: parsed.GetValue(Durable),
            MaxRounds: parsed.GetValue(Rounds), MisconfiguredAgents: parsed.GetValue(MisconfiguredAgents))
            .With(Run.Read(parsed)) with
        {
            Rule = parsed.GetValue(RuleOption) switch { Rules.Ratified => Rule.Ratified, Rules.Classic => Rule.Classic, _ => null },
        };
        if (options.Error() is { } error)
        {
            throw new ConfigurationException(error);
        }

        var seed = parsed.GetValue(Seed)!.Value;
        if (parsed.GetValue(Runs) is not { } runs)
        {
            return Draw(options, seed);
        }

        NumberRange.Require("--runs", runs, 1, MaxRuns);
        if (!ProtocolLimits.IsSeed(seed + runs - 1))
        {
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture, $"--runs {runs} from --seed {seed} goes beyond the last seed, {ProtocolLimits.MaxSeed}."));
        }

        return RunAll(options, seed, runs, cancellation);
    }

    private static int Draw(SimulationOptions options, long seed)
    {
        var trace = new SimulationTrace();
        var result = new Simulator(options).Run(seed, trace, MaxMessagesDrawn);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {options.Describe()}"));
        Console.WriteLine(LamportDiagram.Legend);
        Write(LamportDiagram.Lines(trace, options.Agents));
        Write(result.Verdict(trace));
        return Explain(options, seed, result.Violation);
    }

    private static int RunAll(SimulationOptions options, long seed, long runs, CancellationToken cancellation)
    {
        var batch = new SimulationBatch(options, seed, runs);
        var clock = Stopwatch.StartNew();
        var report = Console.IsOutputRedirected
            ? batch.Run(PlainLines(runs, clock), cancellation: cancellation) : Watched(batch, runs, clock, cancellation);
        Write(report.Lines(clock.Elapsed));
        if (report.Violations.Count > 0)
        {
            var (worst, violation) = report.Violations.FirstOrDefault(found => found.Violation.Rule == Rule.Ratified, report.Violations[0]);
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"\nseed {worst}: --seed {worst} without --runs draws the whole run"));
            Explain(options, worst, violation);
        }

        cancellation.ThrowIfCancellationRequested();
        return report.Holds ? 0 : 2;
    }

    /// <summary>Shows the shortest counterexample of a violation.</summary>
    private static int Explain(SimulationOptions options, long seed, Violation? violation)
    {
        if (violation is null)
        {
            return 0;
        }

        Write(Counterexample.Of(options, seed)?.Lines() ?? ["No shorter counterexample was found."]);
        return violation.Rule == Rule.Ratified ? 2 : 0;
    }

    private static void Write(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            Console.WriteLine(line);
        }
    }

    private static BatchReport Watched(SimulationBatch batch, long runs, Stopwatch clock, CancellationToken cancellation) =>
        AnsiConsole.Progress().AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(),
                new RemainingTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                var task = context.AddTask("simulating", maxValue: runs);
                return batch.Run(
                    progress =>
                    {
                        task.Value = progress.Runs;
                        task.Description = Markup.Escape(Describe(progress, clock.Elapsed));
                    },
                    cancellation: cancellation);
            });

    // In a log, a line a second would be too many.
    private static Action<BatchProgress> PlainLines(long runs, Stopwatch clock)
    {
        var next = TimeSpan.FromSeconds(2);
        return progress =>
        {
            var elapsed = clock.Elapsed;
            if (elapsed >= next && progress.Runs < runs)
            {
                next = elapsed + TimeSpan.FromSeconds(10);
                Console.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"{progress.Runs:N0} of {runs:N0} runs, {Describe(progress, elapsed)}"));
            }
        };
    }

    private static string Describe(BatchProgress progress, TimeSpan elapsed)
    {
        var seconds = Math.Max(0.001, elapsed.TotalSeconds);
        return string.Create(CultureInfo.InvariantCulture,
            $"{progress.Runs / seconds:N0} runs/s, {progress.Messages / seconds:N0} messages/s, {progress.Violations:N0} violations");
    }

    private static Probability Of(ParseResult parsed, Option<decimal> option)
    {
        var value = parsed.GetValue(option);
        return value is >= 0 and <= 1 ? Probability.Of(value)
            : throw new ConfigurationException(
                string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; it must be from 0 to 1."));
    }
}
