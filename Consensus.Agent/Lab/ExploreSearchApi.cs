using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Consensus.Agent.Api;
using Consensus.Agent.Http;
using Consensus.Simulation;
using Consensus.Simulation.Exploration;

namespace Consensus.Agent.Lab;

/// <summary>An event of <c>GET /explore/search</c>.</summary>
/// <param name="States">The number of states that the search has visited.</param>
/// <param name="Path">The whole path to the goal; absent unless found.</param>
/// <param name="Detail">The outcome in words; absent while the search goes on.</param>
internal sealed record ExplorationProgress(int States, string? Path = null, string? Detail = null);

/// <summary>Searches the states of the explorer for a goal, and reports the progress. A client that leaves ends its search.</summary>
internal static class ExploreSearchApi
{
    // Some seconds of a core.
    private const int MaxStates = 100_000;

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(300);

    /// <summary>Responds to <c>GET /explore/search</c>.</summary>
    public static async Task<IResult> SearchAsync(
        HttpContext context, RecordedMoments moments, string? agents = null,
        string? rule = null, string? values = null, string? spread = null,
        string? mutant = null, string? path = null, string? goal = null, string? run = null, string? at = null)
    {
        var (options, problem) = await ExploreApi.ReadOptionsAsync(
            moments, agents, rule, values, spread, mutant, run, at, context.RequestAborted);
        var read = new SimulationQuery();
        var wanted = read.Name<ExplorationGoal>("goal", goal ?? "");
        if (options is null || read.Error is not null)
        {
            return problem ?? RequestBody.Problem(400, read.Error!);
        }

        try
        {
            var steps = ExplorationStep.ParsePath(path ?? "");

            // Throws where a step is impossible.
            _ = new ExploredCluster(options, steps);
            context.Response.Headers["X-Accel-Buffering"] = "no";
            return TypedResults.ServerSentEvents(HeadRequests.IsHead(context)
                ? AsyncEnumerable.Empty<SseItem<string>>() : FollowAsync(options, steps, wanted!.Value, context.RequestAborted));
        }
        catch (FormatException impossible)
        {
            return RequestBody.Problem(400, impossible.Message);
        }
    }

    private static async IAsyncEnumerable<SseItem<string>> FollowAsync(
        ExplorationOptions options, IReadOnlyList<ExplorationStep> path,
        ExplorationGoal goal, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (goal == ExplorationGoal.Violation && options.BrokenProperty == PropertyNames.Termination)
        {
            yield return Event("none", new(0, Detail: "This broken rule violates termination, "
                + "which no single state shows. Choose it in Simulate to see a run that does not end."));
            yield break;
        }

        var states = 0;
        var search = LabThread.RunAsync(
            () => ExplorationSearch.Find(options, path, goal, MaxStates, count => states = count, cancellation));
        while (await Task.WhenAny(search, Task.Delay(ProgressInterval, cancellation)) != search)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return Event("progress", new(states));
        }

        yield return await search is { Path: { } found } result
            ? Event("found", new(result.States, string.Join('-', found), FoundSentence(goal, found.Count - path.Count, result.Reason)))
            : Event("none", new(search.Result.States, Detail: NoneSentence(options, goal, search.Result)));
    }

    private static SseItem<string> Event(string kind, ExplorationProgress progress) =>
        new(JsonSerializer.Serialize(progress, LabJson.Default.ExplorationProgress), kind);

    private static string FoundSentence(ExplorationGoal goal, int steps, string reason)
    {
        var name = NameOf(goal);
        var found = string.Create(
            CultureInfo.InvariantCulture, $"Found {(name[0] == 'a' ? "an" : "a")} {name} after {steps} {(steps == 1 ? "step" : "steps")}");
        return reason.Length > 0 ? $"{found}: {reason}" : $"{found}.";
    }

    private static string NoneSentence(ExplorationOptions options, ExplorationGoal goal, ExplorationResult result)
    {
        var searched = string.Create(
            CultureInfo.InvariantCulture, $"Searched {(result.IsComplete ? "all " : "")}{result.States:N0} "
                + $"states{(result.IsComplete ? " of this search" : "")}: no {NameOf(goal)}.");
        return goal == ExplorationGoal.Violation && options.Mutant is not null
            ? $"{searched} Choose this broken rule in Simulate to see what goes wrong." : searched;
    }

    private static string NameOf(ExplorationGoal goal) => goal switch
    {
        ExplorationGoal.DecisionAfterRound1 => "decision after round 1",
        ExplorationGoal.Adoption => "adopted value",
        ExplorationGoal.CatchUp => "copied value",
        ExplorationGoal.Violation => "violated property",
        _ => goal.ToString().ToLowerInvariant(),
    };
}
