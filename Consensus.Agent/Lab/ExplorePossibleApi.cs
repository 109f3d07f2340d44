using System.Globalization;
using Consensus.Agent.Api;
using Consensus.Protocol;
using Consensus.Simulation.Exploration;

namespace Consensus.Agent.Lab;

/// <summary>
/// The answer to <c>GET /explore/possible</c>: what can still happen in the newest run, if no agent crashes, is reset or starts another.
/// </summary>
/// <param name="Values">The values that are or can still be decided; empty: no agent knows a run.</param>
/// <param name="Complete">Whether every state was visited up to the last round. Else more may be possible.</param>
/// <param name="Disagreement">Whether two agents can decide different values.</param>
/// <param name="CrashesToStall">The run cannot stall before so many more agents have crashed; absent: it cannot stall.</param>
/// <param name="States">How many states were visited.</param>
/// <param name="LastRound">No agent entered a later round.</param>
/// <param name="Sentences">The same in words.</param>
/// <param name="Since">From when on only one value was possible, up to the end of the path; absent: several are, or none is known.</param>
internal sealed record PossibleFutures(
    IReadOnlyList<int> Values, bool Complete, bool Disagreement, int? CrashesToStall, int States, int LastRound,
    IReadOnlyList<string> Sentences, OnlyValue? Since = null);

/// <summary>The step from which on only one value was possible.</summary>
/// <param name="AtUs">When, in µs as <c>start_us</c> of the timeline.</param>
/// <param name="Value">The value.</param>
internal sealed record OnlyValue(long AtUs, int Value);

/// <summary>The answer to <c>GET /explore/futures</c>: what happened in simulated futures without faults.</summary>
/// <param name="Futures">How many futures were simulated.</param>
/// <param name="Rounds">By round: in how many an agent had decided at the end of that round.</param>
/// <param name="Values">By value: in how many some agent decided it.</param>
/// <param name="Sentence">The same in words.</param>
internal sealed record LikelyFutures(int Futures, IReadOnlyList<FutureCount> Rounds, IReadOnlyList<FutureCount> Values, string Sentence);

/// <summary>In how many futures something happened.</summary>
/// <param name="Number">The round or the value.</param>
/// <param name="Futures">The number of futures.</param>
internal sealed record FutureCount(int Number, int Futures);

/// <summary>What can still happen after a path or at a moment of a recorded run, and how likely it is.</summary>
internal static class ExplorePossibleApi
{
    /// <summary>Responds to <c>GET /explore/possible</c>.</summary>
    public static Task<IResult> PossibleAsync(
        RecordedMoments moments, CancellationToken cancellation, string? agents = null, string? rule = null, string? values = null,
        string? spread = null, string? mutant = null, string? path = null, string? run = null, string? at = null, string? until = null) =>
        AnswerAsync(moments, agents, rule, values, spread, mutant, path, run, at, until, new(), (options, steps, taken) =>
            TypedResults.Json(PossibleAfter(options, steps, taken), LabJson.Default.PossibleFutures), cancellation);

    /// <summary>Responds to <c>GET /explore/futures</c>.</summary>
    public static Task<IResult> FuturesAsync(
        RecordedMoments moments, CancellationToken cancellation, string? agents = null, string? rule = null, string? values = null,
        string? spread = null, string? mutant = null, string? path = null, string? run = null, string? at = null, string? until = null,
        string? futures = null, string? delay = null)
    {
        var read = new SimulationQuery();
        var (count, longest) = (read.Number("futures", futures, 400, 200, 1_000), read.Number("delay", delay, 2, 1, 1_000));
        return AnswerAsync(moments, agents, rule, values, spread, mutant, path, run, at, until, read, (options, steps, taken) =>
            TypedResults.Json(
                LikelyAfter(SimulatedFutures.Of(options, steps, count, longest, taken), longest), LabJson.Default.LikelyFutures),
            cancellation);
    }

    private static Task<IResult> AnswerAsync(
        RecordedMoments moments, string? agents, string? rule, string? values, string? spread, string? mutant, string? path, string? run,
        string? at, string? until, SimulationQuery read, Func<ExplorationOptions, IReadOnlyList<ExplorationStep>, int, IResult> answer,
        CancellationToken cancellation)
    {
        var end = read.Time("until", until);
        return ExploreApi.AnswerAsync(moments, agents, rule, values, spread, mutant, path, run, at, read, (options, steps) =>
        {
            var taken = ExploredCluster.TimesOf(options, steps).Count(time => time <= end);
            return LabThread.RunAsync(() => answer(options, steps, taken));
        }, cancellation);
    }

    private static PossibleFutures PossibleAfter(ExplorationOptions options, IReadOnlyList<ExplorationStep> path, int taken)
    {
        var found = Possibilities.Of(ExploredCluster.After(options, path, taken));
        if (found is null)
        {
            return new([], true, false, null, 0, 0, ["No agent knows a run yet."]);
        }

        var answer = new PossibleFutures(
            found.Values, found.IsComplete, found.Disagreement, found.CrashesToStall, found.States, found.LastRound,
            [.. SentencesOf(found)]);
        return Possibilities.OnlyValueSince(options, path) is not { } line ? answer
            : answer with
            {
                Sentences = [.. answer.Sentences, WhereLineIs(options, path, line)],
                Since = new(line.Steps == 0 ? 0 : ExploredCluster.TimesOf(options, path)[line.Steps - 1], line.Value),
            };
    }

    private static IEnumerable<string> SentencesOf(Possibilities found)
    {
        var values = EventFormatter.List([.. found.Values.Select(value => value.ToString(CultureInfo.InvariantCulture))]);
        var areAll = found.AllValues || found.IsComplete;
        var states = string.Create(CultureInfo.InvariantCulture, $"{found.States:N0} {(found.States == 1 ? "state" : "states")}");
        yield return found.Values.Count == 0 && areAll ? $"No value can be decided up to round {found.LastRound}."
            : found.Values.Count == 0 ? $"No decision in {states}."
            : !areAll ? $"At least {values} can be decided, in {states}."
            : found.Values.Count == 1 ? $"Only {values} can be decided." : $"{values} can be decided.";
        yield return found.Disagreement ? "Two agents can decide different values."
            : found.IsComplete ? "No two agents can decide different values." : $"No disagreement in {states}.";
        yield return found.CrashesToStall switch
        {
            null => "The run cannot stall: restarted agents keep the decision.",
            0 => "The run is stalled: too few members are left.",
            1 => "The run cannot stall unless 1 more agent crashes.",
            var crashes => $"The run cannot stall unless {crashes} more agents crash.",
        };
        var all = found.IsComplete && !(found.AllValues && found.Disagreement) ? "all " : "";
        yield return $"Searched: {all}{states} up to round {found.LastRound}, without another crash, reset or start.";
    }

    /// <summary>Says whether the line comes before the first decision, which it does under no rule but the ratified one.</summary>
    private static string WhereLineIs(ExplorationOptions options, IReadOnlyList<ExplorationStep> path, (int Steps, int Value) line)
    {
        var place = !HasDecided(line.Steps) ? "before any agent had decided"
            : line.Steps == 0 || HasDecided(line.Steps - 1) ? "after the first decision" : "with the first decision";
        return $"The line is where only {line.Value} was left: {place}.";

        bool HasDecided(int steps) => ExploredCluster.After(options, path, steps).Decisions.Any();
    }

    private static LikelyFutures LikelyAfter(SimulatedFutures found, int delay)
    {
        var byRound = 0;
        List<FutureCount> rounds = [.. found.DecidedIn.Select(one => new FutureCount(one.Key, byRound += one.Value))];
        var disagree = found.Disagreements == 0 ? "" : $" Two agents disagree in {found.Disagreements}.";
        return new(
            found.Count, rounds, [.. found.Decided.Select(one => new FutureCount(one.Key, one.Value))],
            $"{found.Count} simulated futures without faults. Each message takes 0.2 to {delay} ms.{disagree}");
    }
}
