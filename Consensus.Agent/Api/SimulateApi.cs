using System.Globalization;
using Consensus.Agent.Configuration;
using Consensus.Agent.Timeline;
using Consensus.Protocol;
using Consensus.Simulation.Seeded;
using Microsoft.AspNetCore.Mvc;

namespace Consensus.Agent.Api;

/// <summary>Simulated runs for the page. They are small enough that a response takes well under a second, on a thread of its own.</summary>
public static class SimulateApi
{
    private const int MaxAgents = 9;
    private const int MaxRounds = 1_000;
    private const int MaxMessages = 40_000;

    // Most messages arrive well within the window, and now and then one does not.
    private static readonly SimulationOptions Unlucky = new(
        Rule: Rule.Classic, Values: 3, WindowMs: 20, Drop: Probability.Of(0.1m), Pause: Probability.Of(0.02m), Latency: Latency.Tail);

    private static readonly Lazy<SimulatedPair> First = new(() => Find(1)!);

    /// <summary>Maps <c>GET /simulate</c> and <c>GET /simulate/counterexample</c>.</summary>
    public static RouteGroupBuilder MapSimulateApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/simulate").WithTags("Simulate");
        group.MapGet("", SimulateAsync).Counts(EndpointClass.Simulations)
            .Produces<ClusterTimeline>().ProducesProblem(400).ProducesProblem(503)
            .WithSummary("A simulated run: the same parameters give the same response");
        group.MapGet("/counterexample", CounterexampleAsync).Counts(EndpointClass.Simulations)
            .Produces<SimulatedPair>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(503)
            .WithSummary("A disagreement of the classic rule in a few events, and the same under the ratified rule");
        return group;
    }

    private static async Task<IResult> SimulateAsync(
        string? rule = null, string? draw = null, string? agents = null, string? values = null, [FromQuery(Name = "window_ms")] string? window = null,
        string? latency = null, string? seed = null, string? drop = null, string? duplicate = null, string? crash = null, string? partition = null,
        string? pause = null, string? reset = null, [FromQuery] string[]? detail = null)
    {
        var read = new SimulationQuery();
        var defaults = new SimulationOptions();
        var options = new SimulationOptions(
            read.Number("agents", agents, defaults.Agents, 1, MaxAgents), read.Name("rule", rule, Rule.Ratified), read.Name("draw", draw, defaults.Draw),
            read.Number("values", values, defaults.Values, 1, ProtocolLimits.MaxValues), read.Number("window_ms", window, defaults.WindowMs, 0, ProtocolLimits.MaxWindowMs),
            read.Chance("drop", drop), read.Chance("duplicate", duplicate), read.Chance("crash", crash), read.Chance("partition", partition),
            read.Chance("pause", pause), read.Chance("reset", reset), Latency: read.Name("latency", latency, defaults.Latency), MaxRounds: MaxRounds);
        var first = read.Seed(seed) ?? 1;
        List<RoundRange> ranges = [];
        if (detail is { Length: > 0 } && RoundFolding.ParseRanges(detail) is var parsed)
        {
            ranges = parsed ?? read.Refuse<List<RoundRange>>($"detail must be ranges of rounds such as 41-50, {RoundFolding.MaxDetail} rounds in all at most.") ?? [];
        }

        return read.Wrong is { } wrong ? RequestBody.Problem(400, wrong)
            : TypedResults.Json(await Task.Run(() => Simulate(options, first, ranges)), TimelineJson.Default.ClusterTimeline);
    }

    private static ClusterTimeline Simulate(SimulationOptions options, long seed, List<RoundRange> detail)
    {
        var trace = new SimulationTrace();
        var result = new Simulator(options).Run(seed, trace, MaxMessages);
        return SimulatedTimeline.Of(trace, options.Agents, string.Join(' ', result.Verdict(trace)), detail);
    }

    private static async Task<IResult> CounterexampleAsync(string? seed = null)
    {
        var read = new SimulationQuery();
        var first = read.Seed(seed);
        return read.Wrong is { } wrong ? RequestBody.Problem(400, wrong)
            : await Task.Run(() => first is null ? First.Value : Find(first.Value)) is { } pair ? TypedResults.Json(pair, TimelineJson.Default.SimulatedPair)
            : RequestBody.Problem(404, "None of the 3000 seeds from this one on breaks agreement; choose another seed.");
    }

    private static SimulatedPair? Find(long seed)
    {
        if (Counterexample.Find(Unlucky, seed, runs: 3_000, violations: 6) is not { } found)
        {
            return null;
        }

        var ratified = SimulatedTimeline.Of(found.UnderTheRatifiedRule(), found.Options.Agents, "", []);
        return new SimulatedPair(found.Seed, found.Events, SimulatedTimeline.Of(found.Trace, found.Options.Agents, found.Sentence(), []), ratified with { Sentence = Sentence(ratified) });
    }

    private static string Sentence(ClusterTimeline ratified) => ratified.Lanes.Select(lane => lane.Value).OfType<int>().Distinct().ToList() is [var value]
        ? string.Create(CultureInfo.InvariantCulture, $"The same agents, draws and deliveries. Here a majority of proposals leads only to a vote, and a decision requires a majority of votes. The delayed messages arrive in the end: all agents decide {value}.")
        : "The same agents, draws and deliveries.";

    /// <summary>Reads parameters, and remembers the first that is wrong.</summary>
    private sealed class SimulationQuery
    {
        public string? Wrong { get; private set; }

        public int Number(string name, string? text, int otherwise, int least, int most) =>
            text is null ? otherwise
            : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number
            : Refuse<int>($"{name} must be a whole number from {least} to {most}.");

        public long? Seed(string? text) =>
            text is null ? null
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && ProtocolLimits.IsSeed(number) ? number
            : Refuse<long>($"seed must be {ProtocolLimits.SeedRange}.");

        public Probability Chance(string name, string? text) =>
            text is null ? default
            : decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 1 ? Probability.Of(number)
            : Refuse<Probability>($"{name} must be a number from 0 to 1.");

        public T Name<T>(string name, string? text, T otherwise)
            where T : struct, Enum
        {
            var values = Enum.GetValues<T>();
            var index = Array.FindIndex(values, value => string.Equals(value.ToString(), text, StringComparison.OrdinalIgnoreCase));
            return text is null ? otherwise : index >= 0 ? values[index]
                : Refuse<T>($"{name} must be {string.Join(" or ", values.Select(value => value.ToString().ToLowerInvariant()))}.");
        }

        public T? Refuse<T>(string wrong)
        {
            Wrong ??= wrong;
            return default;
        }
    }
}
