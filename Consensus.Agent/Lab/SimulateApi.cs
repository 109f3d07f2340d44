using System.Collections.Concurrent;
using System.Globalization;
using Consensus.Agent.Http;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Mutants;
using Consensus.Simulation.Seeded;
using Consensus.Timeline;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Consensus.Agent.Lab;

/// <summary>Simulated runs for the page. They are small enough that a response takes well under a second, on a thread of its own.</summary>
internal static class SimulateApi
{
    private const int MaxAgents = 9;
    private const int MaxRounds = 1_000;
    private const int MaxMessages = 40_000;

    // Most messages arrive well within the window, and now and then one does not.
    private static readonly SimulationOptions Unlucky = new(
        Rule: Rule.Classic, Values: 3, WindowMs: 20, Drop: Probability.Of(0.1m), Pause: Probability.Of(0.02m), Latency: Latency.Tail);

    private static readonly Lazy<Counterexample?> First = new(() => Find(1));

    private static readonly ConcurrentDictionary<string, Lazy<Counterexample?>> BrokenRuns = [];

    /// <summary>Maps <c>GET /simulate</c>, <c>GET /simulate/counterexample</c> and <c>GET /simulate/mutants</c>.</summary>
    public static RouteGroupBuilder MapSimulateApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/simulate").WithTags("Simulate");
        group.MapGet("", SimulateAsync).LimitConcurrency(ConcurrencyPolicy.Steps)
            .Produces<ClusterTimeline>().ProducesProblem(400).ProducesProblem(503)
            .WithSummary("A simulated run: the same parameters give the same response");
        group.MapGet("/counterexample", CounterexampleAsync).LimitConcurrency(ConcurrencyPolicy.Searches)
            .Produces<SimulatedPair>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(503)
            .WithSummary("A disagreement of the classic rule in a few events, and the same under the ratified rule");
        group.MapGet("/mutants", ListMutants)
            .Produces<BrokenRules>().WithSummary("The broken rules that simulated runs may follow");
        group.MapGet("/mutants/{name}", BrokenRunAsync).LimitConcurrency(ConcurrencyPolicy.Searches)
            .Produces<BrokenRun>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(503)
            .WithSummary("What goes wrong under a broken rule in a few events, and the same under the unbroken rules");
        return group;
    }

    private static async Task<IResult> SimulateAsync(
        string? rule = null, string? draw = null, string? agents = null,
        string? values = null, [FromQuery(Name = "window_ms")] string? window = null,
        string? latency = null, string? seed = null, string? drop = null,
        string? duplicate = null, string? crash = null, string? partition = null,
        string? pause = null, string? reset = null, string? spread = null, string? mutant = null,
        [FromQuery] string[]? detail = null, [FromQuery] string[]? change = null, string? why = null)
    {
        var read = new SimulationQuery();
        var defaults = new SimulationOptions();
        var options = new SimulationOptions(
            read.Number("agents", agents, defaults.Agents, 1, MaxAgents),
            Drop: read.Chance("drop", drop), Duplicate: read.Chance("duplicate", duplicate),
            Crash: read.Chance("crash", crash), Partition: read.Chance("partition", partition),
            Pause: read.Chance("pause", pause), Reset: read.Chance("reset", reset),
            Latency: read.Name("latency", latency, defaults.Latency), MaxRounds: MaxRounds)
            .With(read.Run((RunOption.Rule, rule), (RunOption.Draw, draw),
                (RunOption.Values, values), (RunOption.WindowMs, window), (RunOption.Spread, spread)));
        var first = read.Seed(seed) ?? 1;
        var changes = read.Changes(change ?? []);
        var broken = read.MutantNamed(mutant);
        var question = read.Why(why);
        options = broken?.AdaptOptions(options) ?? options;
        List<RoundRange> ranges = [];
        if (detail is { Length: > 0 } && RoundFolding.ParseRanges(detail) is var parsed)
        {
            ranges = parsed ?? read.RecordError<List<RoundRange>>(
                $"detail must be ranges of rounds such as 41-50, {RoundFolding.MaxDetail} rounds in all at most.") ?? [];
        }

        return read.Error is { } error ? RequestBody.Problem(400, error)
            : TypedResults.Json(await LabThread.RunAsync(() => Simulate(options, broken, changes, first, ranges, question)),
                TimelineJson.Default.ClusterTimeline);
    }

    private static ClusterTimeline Simulate(SimulationOptions options, Mutant? mutant,
        IReadOnlyDictionary<int, MessageChange> changes, long seed, List<RoundRange> detail, WhyQuestion? why)
    {
        var trace = new SimulationTrace(keepsStates: true);
        var result = new Simulator(options, mutant?.Factory) { Changes = changes }.Run(seed, trace, MaxMessages);
        return WhyQuestion.AddAnswer(
            why, SimulatedTimeline.Of(trace, options.Agents, result.OutcomeSentence(trace), detail, result.Violation),
            trace, mutant?.Factory);
    }

    private static JsonHttpResult<BrokenRules> ListMutants() =>
        TypedResults.Json(new BrokenRules([.. Mutant.All.Select(ToBrokenRule)]), TimelineJson.Default.BrokenRules);

    private static BrokenRule ToBrokenRule(Mutant mutant) => new(mutant.Name, mutant.Description, mutant.Property);

    private static async Task<IResult> BrokenRunAsync(string name, string? why = null)
    {
        var read = new SimulationQuery();
        if (read.MutantNamed(name) is not { } mutant)
        {
            return RequestBody.Problem(404, read.Error!);
        }

        var question = read.Why(why);
        return read.Error is { } error ? RequestBody.Problem(400, error)
            : await LabThread.RunAsync(() => BrokenRuns.GetOrAdd(mutant.Name, _ => new(() => MutantSearch.Find(mutant))).Value) is { } found
                ? TypedResults.Json(ToBrokenRun(mutant, found, question), TimelineJson.Default.BrokenRun)
            : RequestBody.Problem(404, "No simulated run breaks a property with this mutant.");
    }

    private static BrokenRun ToBrokenRun(Mutant mutant, Counterexample found, WhyQuestion? why)
    {
        var agents = found.Options.Agents;
        var sound = found.UnderTheRatifiedRule();
        var broken = SimulatedTimeline.Of(
            found.Trace, agents, found.Sentence(), [], found.Violation with { Explanation = found.Sentence() });
        var ratified = SimulatedTimeline.Of(
            sound, agents, "The same agents, draws and inputs with no rule broken. All messages arrive in the end.", []);
        return new BrokenRun(
            ToBrokenRule(mutant), found.Seed, found.Events, WhyQuestion.AddAnswer(why, broken, found.Trace, mutant.Factory),
            WhyQuestion.AddAnswer(why, ratified, sound, null));
    }

    private static async Task<IResult> CounterexampleAsync(string? seed = null, string? why = null)
    {
        var read = new SimulationQuery();
        var (first, question) = (read.Seed(seed), read.Why(why));
        return read.Error is { } error ? RequestBody.Problem(400, error)
            : await LabThread.RunAsync(() => first is null ? First.Value : Find(first.Value)) is { } found
                ? TypedResults.Json(ToPair(found, question), TimelineJson.Default.SimulatedPair)
            : RequestBody.Problem(404, "None of the 3000 seeds from this one on breaks agreement; choose another seed.");
    }

    private static Counterexample? Find(long seed) => Counterexample.Find(Unlucky, seed, runs: 3_000, violations: 6);

    private static SimulatedPair ToPair(Counterexample found, WhyQuestion? why)
    {
        var sound = found.UnderTheRatifiedRule();
        var classic = SimulatedTimeline.Of(found.Trace, found.Options.Agents, found.Sentence(), []);
        var ratified = SimulatedTimeline.Of(sound, found.Options.Agents, "", []);
        return new SimulatedPair(
            found.Seed, found.Events, WhyQuestion.AddAnswer(why, classic, found.Trace, null),
            WhyQuestion.AddAnswer(why, ratified with { Sentence = Sentence(ratified) }, sound, null));
    }

    private static string Sentence(ClusterTimeline ratified) =>
        ratified.Lanes.Select(lane => lane.Value).OfType<int>().Distinct().ToList() is [var value]
        ? "The same agents, draws and deliveries. Here a majority of proposals leads only to a vote, and a decision requires a majority "
            + string.Create(CultureInfo.InvariantCulture, $"of votes. The delayed messages arrive in the end: all agents decide {value}.")
        : "The same agents, draws and deliveries.";
}
