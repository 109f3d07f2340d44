using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Agent.Http;
using Consensus.Agent.Peers;
using Consensus.Protocol;

namespace Consensus.Agent.Api;

/// <summary>One agent of the cluster, as the serving agent sees it.</summary>
/// <param name="Address">Its address as the serving agent is configured with it.</param>
/// <param name="Up">Whether it responds.</param>
/// <param name="AgentId">Its id; absent where it does not respond.</param>
/// <param name="State">Its state, where it responds.</param>
/// <param name="Isolated">True where <c>/faults</c> cuts it off from its peers; absent elsewhere.</param>
/// <param name="Health">Its health as it sees it, where it responds.</param>
internal sealed record ClusterAgent(
    string Address, bool Up, string? AgentId = null, StateResponse? State = null, bool? Isolated = null, HealthResponse? Health = null)
{
    /// <summary>The agent at <paramref name="address"/> by its response; null where it gave none.</summary>
    public static ClusterAgent From(string address, StateResponse? state) =>
        new(address, state is not null, state?.AgentId,
            state is null ? null : state with { Health = null }, state?.Isolated, state?.Health);
}

/// <summary>The response to <c>GET /cluster</c>: the serving agent first.</summary>
internal sealed record ClusterResponse(IReadOnlyList<ClusterAgent> Agents);

/// <summary>
/// The whole cluster through one agent: a browser or a command line needs no address but that agent's, and no
/// cross-origin set-up.
/// </summary>
internal static class ClusterApi
{
    /// <summary>Maps <c>GET /cluster</c> and <c>GET /cluster/{index}/consensus</c>.</summary>
    public static RouteGroupBuilder MapClusterApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/cluster").WithTags("Cluster");
        group.MapGet("", ClusterAsync).LimitConcurrency(ConcurrencyPolicy.FanOut).WithSummary("Every agent's state, through this one");
        group.MapGet("/{index:int:min(1)}/consensus", PeerConsensusAsync)
            .LimitConcurrency(ConcurrencyPolicy.LongPolls).WithSummary("A peer's decision, through this agent");
        return group;
    }

    private static async Task<IResult> ClusterAsync(
        AgentService agent, AgentHealth health, AgentOptions options,
        FaultInjector faults, AgentApiClient cluster, CancellationToken cancellation)
    {
        var own = health.ReadAsync(cancellation);
        var agents = await AgentsAsync(agent, options, faults, cluster, "/state?health=true", cancellation);
        return TypedResults.Json(
            new ClusterResponse([agents[0] with { Health = await own }, .. agents.Skip(1)]), AgentJson.Default.ClusterResponse);
    }

    /// <summary>Every agent as the serving agent sees it, itself first, then its peers in their order.</summary>
    internal static async Task<IReadOnlyList<ClusterAgent>> AgentsAsync(
        AgentService agent, AgentOptions options, FaultInjector faults,
        AgentApiClient cluster, string statePath, CancellationToken cancellation)
    {
        var peers = await cluster.GetAllAsync(options.Peers, statePath, AgentJson.Default.StateResponse, cancellation);
        var (snapshot, traceparent) = agent.TracedSnapshot();
        var own = StateResponse.From(snapshot, traceparent, options.Dashboard) with { Isolated = faults.IsIsolated };
        return [ClusterAgent.From("/", own), .. peers.Select((state, i) => ClusterAgent.From(options.Peers[i].OriginalString, state))];
    }

    /// <summary>For a path that names a peer by its number, and a number that is too high.</summary>
    internal static IResult NoSuchPeer(AgentOptions options) => RequestBody.Problem(404, $"There are {options.Peers.Count} peers.");

    /// <summary>For what was passed on to a peer in vain.</summary>
    internal static IResult DoesNotRespond(Uri peer) => RequestBody.Problem(502, $"{peer.OriginalString} does not answer.");

    private static async Task<IResult> PeerConsensusAsync(
        int index, HttpContext context, AgentOptions options, AgentApiClient cluster, CancellationToken cancellation,
        string? wait = null, string? run = null)
    {
        if (index > options.Peers.Count)
        {
            return NoSuchPeer(options);
        }

        // A peer's refusal would look as if it did not respond.
        if ((QueryParameters.ReadWait(wait, out _) ?? QueryParameters.ReadRun(run, out _)) is { } wrong)
        {
            return wrong;
        }

        var query = !HeadRequests.IsHead(context) ? context.Request.QueryString
            : run is null ? QueryString.Empty : QueryString.Create("run", run);
        var response = await cluster.GetAsync(
            options.Peers[index - 1], "/consensus" + query, AgentJson.Default.ConsensusResponse, cancellation,
            TimeSpan.FromSeconds(QueryParameters.MaxWaitSeconds + 1));
        return response is null
            ? DoesNotRespond(options.Peers[index - 1])
            : TypedResults.Json(response, AgentJson.Default.ConsensusResponse, statusCode: response.Reached ? 200 : 202);
    }
}
