using System.Text.Json.Serialization;
using Consensus.Agent.Hosting;
using Consensus.Protocol;

namespace Consensus.Agent.Api;

/// <summary>The response to <c>POST /run</c>.</summary>
/// <param name="Status"><c>triggered</c>.</param>
/// <param name="Round">The start round.</param>
/// <param name="Rule">The rule that the run follows; classic where an original agent is among the peers.</param>
/// <param name="Missing">The peers that did not respond.</param>
/// <param name="Run">The run; absent where original agents made it a bare one.</param>
/// <param name="Members">Who takes part: agent id to boot.</param>
/// <param name="Outcome">With <c>wait</c>: how it stood when the wait ended.</param>
/// <param name="Ignored">Fields of the body that no agent knows, and that changed nothing; absent where there are none.</param>
internal sealed record RunResponse(
    string Status, int Round, Rule Rule, IReadOnlyList<string> Missing,
    RunId? Run = null, IReadOnlyDictionary<string, string>? Members = null, ConsensusResponse? Outcome = null,
    IReadOnlyList<string>? Ignored = null);

/// <summary>The body of <c>POST /reset</c>, optional.</summary>
/// <param name="Handshake">True: the agent only identifies itself, and clears nothing.</param>
internal sealed record ResetBody(bool Handshake = false);

/// <summary>The response to <c>GET /consensus</c>.</summary>
/// <param name="Reached">Whether this agent holds a decision.</param>
/// <param name="Round">The round of the decision, or the current one.</param>
/// <param name="Value">The decided value.</param>
/// <param name="Attempts">Values drawn by this agent in the run.</param>
/// <param name="Run">The current run.</param>
/// <param name="Stalled">True where too few members are left to decide.</param>
/// <param name="Reason">Who is missing and why.</param>
/// <param name="Superseded">
/// True where the requested run is no longer the current one; absent where this agent does not know it yet.
/// </param>
internal sealed record ConsensusResponse(
    bool Reached, int Round, int? Value = null, int? Attempts = null, RunId? Run = null,
    bool? Stalled = null, string? Reason = null, bool? Superseded = null)
{
    /// <summary>The response to a client that waits for <paramref name="asked"/>.</summary>
    public static ConsensusResponse From(AgentSnapshot snapshot, RunId? asked = null)
    {
        var isAsked = asked is null || snapshot.Run?.Id == asked;
        return snapshot.Decision is { } decision && isAsked
            ? new ConsensusResponse(true, decision.Round, decision.Value, snapshot.Attempts, snapshot.Run?.Id)
            : new ConsensusResponse(
                false, snapshot.Round, null, null, snapshot.Run?.Id, snapshot.Stalled is null ? null : true,
                snapshot.Stalled, !isAsked && asked <= snapshot.HighestSeenRun ? true : null);
    }
}

/// <summary>
/// The response to <c>GET /state</c>: the original's fields, and what a peer needs to catch up. <c>Agents</c> is how many agents
/// this one counts, itself included. <c>Isolated</c> is true where <c>/faults</c> cuts the agent off from all peers, and absent
/// elsewhere. <c>TraceUrl</c> leads to the run's trace in the dashboard, where <c>DASHBOARD</c> names one.
/// </summary>
internal sealed record StateResponse(
    string AgentId,
    int Round,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? MyValue,
    IReadOnlyDictionary<string, int> Proposals,
    int Attempts,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? ConsensusValue,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? ConsensusRound,
    string Phase,
    IReadOnlyDictionary<string, int?> Votes,
    string Boot,
    [property: JsonPropertyName("floor")] RunId? HighestSeenRun = null,
    bool? Learner = null,
    string? Stalled = null,
    RunId? Run = null,
    Decision? Decision = null,
    RunDescriptor? Descriptor = null,
    string? Traceparent = null,
    string? TraceUrl = null,
    int? Agents = null,
    bool? Isolated = null,
    HealthResponse? Health = null)
{
    /// <summary>The state in <paramref name="snapshot"/>, and the trace parent of its run.</summary>
    public static StateResponse From(AgentSnapshot snapshot, string? traceparent = null, Uri? dashboard = null)
    {
        var forPeers = snapshot.StateResponse;
        traceparent = forPeers.Run is null ? null : traceparent;
        return new(
            snapshot.AgentId,
            snapshot.Round,
            snapshot.MyValue,
            snapshot.Proposals,
            snapshot.Attempts,
            snapshot.Decision?.Value,
            snapshot.Decision?.Round,
            snapshot.Phase.WireName(),
            snapshot.Votes,
            snapshot.Boot,
            forPeers.HighestSeenRun,
            forPeers.Learner,
            snapshot.Stalled,
            forPeers.Run,
            forPeers.Decision,
            forPeers.Descriptor,
            traceparent,
            dashboard is null ? null : TraceUrlOf(traceparent, dashboard),
            forPeers.Agents);
    }

    private static string? TraceUrlOf(string? traceparent, Uri dashboard) =>
        traceparent?.Split('-') is [_, var trace, ..] ? new Uri(dashboard, $"/traces/detail/{trace}").ToString() : null;
}
