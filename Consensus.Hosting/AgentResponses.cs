using System.Globalization;

namespace Consensus.Hosting;

/// <summary>The part of <c>GET /state</c> that the dashboard shows.</summary>
internal sealed record AgentState(
    string AgentId, int Round, int Attempts, string? Run = null, string? Stalled = null, AgentDecision? Decision = null,
        bool Isolated = false,
    bool Learner = false, RunOptions? Descriptor = null, string? TraceUrl = null, IReadOnlyDictionary<string, int?>? Votes = null,
    int? ConsensusValue = null, int? ConsensusRound = null)
{
    /// <summary>Stands for the run of agents whose messages name none.</summary>
    public const string AnonymousRun = "bare";

    /// <summary>The same with a name for a run that has none.</summary>
    public AgentState WithAnonymousRun() => Run is not null || Round == 0 ? this : this with
    {
        Run = AnonymousRun,
        Decision = ConsensusValue is { } value ? new AgentDecision(value, ConsensusRound ?? Round) : null,
    };
}

/// <summary>A decision that an agent holds.</summary>
internal sealed record AgentDecision(int Value, int Round);

/// <summary>The options of a run, as its descriptor names them.</summary>
internal sealed record RunOptions(
    string? Rule = null, int Values = 0, string? Draw = null, int WindowMs = 0, string? Spread = null, long? Seed = null)
{
    /// <summary>One line, such as <c>rule ratified, draw fresh, values 3, window 200 ms, spread direct, no seed</c>.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"rule {Rule}, draw {Draw}, values {Values}, window {WindowMs} ms, spread {Spread ?? "direct"}, "
            + $"{(Seed is { } seed ? $"seed {seed}" : "no seed")}");
}

/// <summary>One run of <c>GET /timeline/runs</c>.</summary>
internal sealed record AgentRunSummary(string Run, string Rule, int Rounds, int Sent, double? DurationMs = null, int? Value = null);

/// <summary>The response to <c>GET /timeline/runs</c>, newest run first.</summary>
internal sealed record AgentRunHistory(IReadOnlyList<AgentRunSummary>? Runs);

/// <summary>The response to <c>POST /run?wait=SECONDS</c>.</summary>
internal sealed record AgentRunResponse(string? Run = null, AgentRunOutcome? Outcome = null);

/// <summary>The response to <c>GET /consensus</c>.</summary>
internal sealed record AgentConsensus(bool Reached);

/// <summary>How the run stood when the wait ended.</summary>
internal sealed record AgentRunOutcome(bool Reached, string? Run = null, string? Reason = null, bool Superseded = false);

/// <summary>An agent refused or failed a request. The message names the cause and what to change.</summary>
internal sealed class AgentException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether something answers on the agent's port, or at least takes the call.</summary>
    public bool IsAnswer { get; init; }

    /// <summary>Whether the agent does not know the request.</summary>
    public bool IsUnknownPath { get; init; }
}
