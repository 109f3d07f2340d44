using System.Diagnostics;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Agent.Http;
using Consensus.Agent.Peers;
using Consensus.Protocol;
using Microsoft.AspNetCore.Mvc;

namespace Consensus.Agent.Api;

/// <summary>What people and clients ask an agent.</summary>
internal static class ConsensusApi
{
    /// <summary>Maps <c>POST /run</c>, <c>GET /consensus</c> and <c>GET /state</c>.</summary>
    public static RouteGroupBuilder MapConsensusApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("").WithTags("Consensus");
        group.MapPost("/run", RunAsync)
            .AcceptsJson<RunRequest>(isOptional: true).Produces<RunResponse>().Produces<RunResponse>(202)
            .ProducesProblem(400).ProducesProblem(409).ProducesProblem(429).ProducesProblem(503)
            .RequireRateLimiting(RateLimitPolicies.Runs)
            .WithSummary("Starts a run on every agent; with wait=SECONDS, answers with the decision");
        group.MapGet("/consensus", ConsensusAsync).LimitConcurrency(ConcurrencyPolicy.LongPolls)
            .WithSummary("The decision: 200 once there is one, else 202; with wait=SECONDS, as soon as there is one");
        ClusterKeyFilter.GuardAgents(
            group.MapGet("/state", StateAsync).Produces<StateResponse>()
                .WithSummary("What this agent holds of the current run; with health=true, its health too"));
        return group;
    }

    private static async Task<IResult> RunAsync(
        HttpContext context, AgentService agent, AgentOptions options, PeerClient peers, FaultInjector faults, AgentApiClient cluster,
        [FromQuery(Name = "wait")] string? seconds = null)
    {
        if (QueryParameters.ReadWait(seconds, out var wait) is { } wrongWait)
        {
            return wrongWait;
        }

        List<string> ignored = [];
        var (body, problem) = await RequestBody.ReadAsync(context, AgentJson.Default.RunRequest, optional: true, ignored);
        if (problem is not null)
        {
            return problem;
        }

        body ??= new RunRequest();
        if (RunOption.Check(body) is { } wrong)
        {
            return RequestBody.Problem(400, wrong, ResponseReason.OutOfRange.WireName());
        }

        var request = body.Or(options.Defaults);
        _ = ActivityContext.TryParse(context.Request.Headers.TraceParent, null, isRemote: true, out var caller);
        return await agent.StartAsync(request, caller) switch
        {
            RunStarted started => await StartedAsync(context, agent, request, started, wait, ignored),
            QuorumUnreachable few => TooFew(
                few, await ClusterApi.AgentsAsync(agent, options, faults, cluster, "/state", context.RequestAborted), peers),
            DuplicateAgentId same => RequestBody.Problem(
                409, $"Two agents call themselves {same.AgentId}; nothing was started. Give each agent an AGENT_ID of its own.",
                "duplicate-agent-id"),
            ClusterSizeMismatch mismatch => RequestBody.Problem(409, Describe(mismatch), ResponseReason.ClusterSize.WireName()),
            OriginalPeer original => RequestBody.Problem(
                409, $"{original.Peer} speaks only the original contract, which knows no ratified rule; "
                    + "nothing was started. Ask for the classic rule, or leave the rule out.",
                "original-peer"),
            _ => RequestBody.Problem(
                503, "Too many runs wait to be started; nothing was started. Try again in a second.", "start-queue-full"),
        };
    }

    /// <summary>Says why agents did not respond: who is isolated must be reconnected, and only who is down must be brought up.</summary>
    private static IResult TooFew(QuorumUnreachable few, IReadOnlyList<ClusterAgent> agents, PeerClient peers)
    {
        var isolated = agents.Where(agent => agent.Isolated == true).Select(agent => agent.AgentId!).Order(StringComparer.Ordinal).ToList();
        var up = agents.Where(agent => agent.Up)
            .SelectMany(agent => new[] { agent.AgentId!, agent.Address }).ToHashSet(StringComparer.Ordinal);
        var unreachable = peers.Unreachable.Where(peer => few.Missing.Contains(peer.Peer)).ToList();
        var down = few.Missing.Where(agent => !up.Contains(agent) && !unreachable.Exists(peer => peer.Peer == agent)).ToList();
        var cutOff = few.Missing.Where(agent => up.Contains(agent)).ToList();
        var detail = "Too few agents answered to start a run; nothing was started."
            + (isolated.Count == 0 ? "" : $" {string.Join(", ", isolated)} "
                + $"{(isolated.Count == 1 ? "is isolated: reconnect it." : "are isolated: reconnect them.")}")
            + string.Concat(unreachable.Select(peer => $" {peer.Peer} cannot be called. {peer.Reason}."))
            + (down.Count == 0 ? "" : $" Bring up {string.Join(", ", down)} and try again.")
            + (isolated.Count == 0 && cutOff.Count > 0
                ? $" {string.Join(", ", cutOff)} did not answer in time, and {(cutOff.Count == 1 ? "is" : "are")} up: try again." : "")
            + (peers.KeyRefused ? " Some agent refused this one's CLUSTER_KEY: it must be the same for all." : "");
        return RequestBody.Problem(503, detail, "too-few-agents", few.Missing, isolated);
    }

    private static string Describe(ClusterSizeMismatch mismatch)
    {
        var sizes = mismatch.Sizes.Select((size, index) => $"{size.Key} counts {size.Value}{(index == 0 ? " agents" : "")}");
        return $"{string.Join(", ", sizes)}; nothing was started. Name all other agents in PEERS of each agent.";
    }

    private static async Task<IResult> StartedAsync(
        HttpContext context, AgentService agent, RunRequest request, RunStarted started, TimeSpan? wait, List<string> ignored)
    {
        var run = started.Run;
        var response = new RunResponse("triggered", request.Round ?? RunRequest.DefaultRound,
            run?.Rule ?? Rule.Classic, started.Missing, run?.Id, run?.Members, Ignored: ignored.Count > 0 ? ignored : null);
        if (wait is null)
        {
            return TypedResults.Json(response, AgentJson.Default.RunResponse);
        }

        var outcome = ConsensusResponse.From(await agent.WaitAsync(run?.Id, wait.Value, context.RequestAborted), run?.Id);
        return TypedResults.Json(response with { Outcome = outcome },
            AgentJson.Default.RunResponse, statusCode: outcome.Reached ? 200 : 202);
    }

    private static async Task<IResult> ConsensusAsync(
        HttpContext context, AgentService agent, [FromQuery(Name = "wait")] string? seconds = null,
        [FromQuery(Name = "run")] string? named = null)
    {
        RunId? run = null;
        if ((QueryParameters.ReadWait(seconds, out var wait) ?? QueryParameters.ReadRun(named, out run)) is { } wrong)
        {
            return wrong;
        }

        var snapshot = wait is null || HeadRequests.IsHead(context)
            ? agent.Snapshot() : await agent.WaitAsync(run, wait.Value, context.RequestAborted);
        var response = ConsensusResponse.From(snapshot, run);
        return TypedResults.Json(response, AgentJson.Default.ConsensusResponse, statusCode: response.Reached ? 200 : 202);
    }

    private static async Task<IResult> StateAsync(
        HttpContext context, AgentService agent, AgentOptions options, FaultInjector faults, PeerClient peers, AgentHealth health,
        [FromQuery(Name = "health")] string? named = null)
    {
        if (QueryParameters.ReadFlag("health", named, out var withHealth) is { } wrong)
        {
            return wrong;
        }

        // People see the state of an isolated agent; its peers do not.
        var arrived = FaultsApi.SenderOf(context) is null || (await FaultsApi.ApplyFaultsAsync(context, faults)).Arrived;
        if (!arrived)
        {
            return Results.Empty;
        }

        peers.OnMessageFrom(context.Request.Headers[MessageId.Header]);
        var (snapshot, traceparent) = agent.TracedSnapshot();
        var state = StateResponse.From(snapshot, traceparent, options.Dashboard) with { Isolated = faults.IsIsolated };
        return TypedResults.Json(
            withHealth ? state with { Health = await health.ReadAsync(context.RequestAborted) } : state, AgentJson.Default.StateResponse);
    }
}
