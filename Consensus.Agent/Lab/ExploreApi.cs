using Consensus.Agent.Api;
using Consensus.Agent.Http;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Exploration;
using Consensus.Simulation.ModelChecking;
using Consensus.Timeline;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Consensus.Agent.Lab;

/// <summary>A property of a state.</summary>
/// <param name="Name">The property.</param>
/// <param name="Holds">Whether it holds.</param>
/// <param name="Reason">One sentence that says why.</param>
internal sealed record ExploredProperty(string Name, bool Holds, string Reason);

/// <summary>A message or a response of a step.</summary>
/// <param name="Kind">The kind of the message; of a response: of what it carries, <c>state</c> for a run alone, absent for neither.</param>
/// <param name="From">The sender, from 0.</param>
/// <param name="To">The receiver, from 0.</param>
/// <param name="Round">The round; 0 for none.</param>
/// <param name="Value">The value; absent in a vote for none.</param>
/// <param name="Proposal">The proposal that a vote repeats.</param>
/// <param name="Response">True for a response.</param>
/// <param name="Text">What it says, in words.</param>
internal sealed record ExploredMessage(
    string? Kind, int From, int To, int Round = 0, int? Value = null, int? Proposal = null, bool? Response = null, string Text = "");

/// <summary>A step that is possible.</summary>
/// <param name="Step">The step in a path.</param>
/// <param name="Kind">
/// What happens: start, deliver, respond, lose, duplicate, window, startwait, retransmit, disseminate, poll, crash, restart or reset.
/// </param>
/// <param name="Agent">The agent that takes it, from 0.</param>
/// <param name="Draws">The values that the step draws; absent: none.</param>
/// <param name="Message">What arrives or is lost; absent: nothing.</param>
/// <param name="Effect">What the agent then does, in words; absent: nothing that counts.</param>
internal sealed record ExploredStep(string Step, string Kind, int Agent,
    IReadOnlyList<int>? Draws = null, ExploredMessage? Message = null, string? Effect = null);

/// <summary>The answer to <c>GET /explore/state</c>: the state after a path.</summary>
/// <param name="Path">The path.</param>
/// <param name="Timeline">What happened on the path.</param>
/// <param name="Agents">What each agent knows.</param>
/// <param name="Properties">The properties.</param>
/// <param name="Steps">Every step that is possible now.</param>
internal sealed record ExploredState(
    string Path, ClusterTimeline Timeline, IReadOnlyList<ClusterAgent> Agents,
    IReadOnlyList<ExploredProperty> Properties, IReadOnlyList<ExploredStep> Steps);

/// <summary>Every state that agents can reach, one step at a time. The whole path is in the request, so the agent keeps nothing.</summary>
internal static class ExploreApi
{
    /// <summary>Maps <c>GET /explore/…</c>.</summary>
    public static RouteGroupBuilder MapExploreApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/explore").WithTags("Explore");
        group.MapGet("/state", StateAsync).LimitConcurrency(ConcurrencyPolicy.Steps)
            .Produces<ExploredState>().ProducesProblem(400).ProducesProblem(503)
            .WithSummary("The state after a path of steps, and every next step; with run and at, from that moment of a recorded run");
        group.MapGet("/search", ExploreSearchApi.SearchAsync).LimitConcurrency(ConcurrencyPolicy.Searches)
            .ProducesProblem(400).ProducesProblem(503)
            .WithSummary("The shortest way from a path to a goal, as server-sent events: "
                + "progress, then found or none; a client that leaves ends the search");
        group.MapGet("/possible", ExplorePossibleApi.PossibleAsync).LimitConcurrency(ConcurrencyPolicy.Steps)
            .Produces<PossibleFutures>().ProducesProblem(400).ProducesProblem(503)
            .WithSummary("What can still be decided, and whether agents can disagree or the run can stall; "
                + "until, in µs as the timeline's start_us, names an earlier step");
        group.MapGet("/futures", ExplorePossibleApi.FuturesAsync).LimitConcurrency(ConcurrencyPolicy.Searches)
            .Produces<LikelyFutures>().ProducesProblem(400).ProducesProblem(503)
            .WithSummary("When and what agents decide in 200 to 1000 simulated futures without faults; a message takes 0.2 to delay ms");
        return group;
    }

    private static Task<IResult> StateAsync(
        RecordedMoments moments, CancellationToken cancellation, string? agents = null, string? rule = null, string? values = null,
        string? spread = null, string? mutant = null, string? path = null, string? run = null, string? at = null, string? why = null)
    {
        var read = new SimulationQuery();
        var question = read.Why(why);
        return AnswerAsync(moments, agents, rule, values, spread, mutant, path, run, at, read, (options, steps) =>
            Task.FromResult<IResult>(Answer(options, steps, question)), cancellation);
    }

    /// <summary>Reads what is explored and the path, and answers. An impossible step is the caller's problem.</summary>
    internal static async Task<IResult> AnswerAsync(
        RecordedMoments moments, string? agents, string? rule, string? values, string? spread, string? mutant, string? path, string? run,
        string? at, SimulationQuery read, Func<ExplorationOptions, IReadOnlyList<ExplorationStep>, Task<IResult>> answer,
        CancellationToken cancellation)
    {
        if (read.Error is { } error)
        {
            return RequestBody.Problem(400, error);
        }

        var (options, problem) = await ReadOptionsAsync(moments, agents, rule, values, spread, mutant, run, at, cancellation);
        if (options is null)
        {
            return problem!;
        }

        try
        {
            return await answer(options, ExplorationStep.ParsePath(path ?? ""));
        }
        catch (FormatException impossible)
        {
            return RequestBody.Problem(400, impossible.Message);
        }
    }

    /// <summary>Reads what is explored: a new cluster, or with <c>run</c> and <c>at</c> the moment of a recorded run.</summary>
    /// <returns>It, or the problem.</returns>
    internal static async Task<(ExplorationOptions? Options, IResult? Problem)> ReadOptionsAsync(
        RecordedMoments moments, string? agents, string? rule, string? values, string? spread, string? mutant, string? run, string? at,
        CancellationToken cancellation)
    {
        if (run is not null)
        {
            return (agents ?? rule ?? values ?? spread ?? mutant) is null ? await moments.FindAsync(run, at, cancellation)
                : (null, RequestBody.Problem(400, "With run, give only at and path: the recorded run has its own agents and options."));
        }

        var read = new SimulationQuery();
        var defaults = new ExplorationOptions();
        var options = new ExplorationOptions(
            read.Number("agents", agents, defaults.Agents, 1, ModelCheckerOptions.MaxAgents), read.Name("rule", rule, defaults.Rule),
            read.Number("values", values, defaults.Values, 1, ModelCheckerOptions.MaxValues), read.MutantNamed(mutant),
            read.Name<Spread>("spread", spread));
        return read.Error is { } error ? (null, RequestBody.Problem(400, error)) : (options, null);
    }

    private static JsonHttpResult<ExploredState> Answer(ExplorationOptions options, IReadOnlyList<ExplorationStep> path, WhyQuestion? why)
    {
        var cluster = new ExploredCluster(options, path, keepsStates: true);
        var properties = PropertiesOf(cluster).ToList();
        var violation = cluster.Violations.FirstOrDefault();
        var timeline = WhyQuestion.AddAnswer(
            why, SimulatedTimeline.Of(cluster.Trace!, options.Agents, "", [], violation, showsQueries: true),
            cluster.Trace!, options.Factory);
        return TypedResults.Json(
            new ExploredState(
                // The properties say what is violated.
                string.Join('-', path), RunVerdict.AddTo(timeline with { Violation = null }),
                [.. cluster.Snapshots.Select((known, agent) => known is null
                    ? new ClusterAgent(cluster.Agents[agent].Id, false, cluster.Agents[agent].Id)
                    : ClusterAgent.From(known.AgentId, StateResponse.From(known)))],
                properties, [.. path.Count < ExplorationOptions.MaxSteps ? cluster.NextSteps().Select(ToStep) : []]),
            LabJson.Default.ExploredState);
    }

    private static ExploredStep ToStep(NextStep next)
    {
        var effect = string.Join(", then ", next.Events.Select(one => EventFormatter.Of(one)));
        return new ExploredStep(
            next.Step.ToString(), next.Step.Kind.ToString().ToLowerInvariant(), next.Agent,
            next.Step.Draws.Count > 0 ? [.. next.Step.Draws.Select(draw => draw + 1)] : null,
            next.Call is { } call ? ToMessage(call) : null, effect.Length == 0 ? null : effect);
    }

    private static ExploredMessage ToMessage(SimulatedCall call)
    {
        if (call.Response is { } response)
        {
            var carried = ToMessage(response.Carried, call.To.Index, call.From.Index);
            var kind = carried.Kind is null && response.Descriptor is not null ? MessageKind.StateQuery.WireName() : carried.Kind;
            return carried with { Kind = kind, Response = true, Text = EventFormatter.Summary(response) };
        }

        return ToMessage(call.Message.Content, call.From.Index, call.To.Index);
    }

    private static ExploredMessage ToMessage(MessageContent content, int from, int to) => new(
        content.Kind == MessageKind.None ? null : content.Kind.WireName(),
        from, to, content.Round, content.Value == 0 ? null : content.Value,
        content.Kind == MessageKind.Vote ? content.Proposed : null, Text: EventFormatter.Of(content));

    private static IEnumerable<ExploredProperty> PropertiesOf(ExploredCluster cluster)
    {
        var broken = cluster.Violations.ToDictionary(violation => violation.Property, violation => violation.Explanation);
        foreach (var (name, why) in Reasons(cluster))
        {
            yield return broken.Remove(name, out var explanation) ? new(name, false, explanation) : new(name, true, why);
        }

        foreach (var (name, explanation) in broken)
        {
            yield return new(name, false, explanation);
        }
    }

    private static IEnumerable<(string Name, string Why)> Reasons(ExploredCluster cluster)
    {
        var events = cluster.Trace!.Steps.SelectMany(step => step.Events).ToList();
        var decided = cluster.Snapshots.Where(known => known?.Decision is not null)
            .Select(known => $"{known!.AgentId} decided {known.Decision!.Value}.").ToList();
        var drawn = events.Where(one => one.Kind == ProtocolEventKind.Drew).Select(one => one.Value).Distinct().Order();
        yield return (PropertyNames.Agreement, decided.Count == 0 ? "No agent has decided." : string.Join(" ", decided));
        yield return (PropertyNames.Validity,
            decided.Count == 0 ? "No agent has decided." : $"Drawn values: {string.Join(", ", drawn)}. The decision is one of them.");
        yield return (PropertyNames.Integrity, "No decision has changed.");
        yield return (PropertyNames.OneProposal, "Each agent has proposed at most one value in each round.");
        yield return (PropertyNames.OneVote, "Each agent has voted at most once in each round.");
        yield return (PropertyNames.LearnersSilent, "Only members have proposed and voted.");
    }
}
