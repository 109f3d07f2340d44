using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>What agents say to each other. Each record is also the JSON body of the call it is named after.</summary>
/// <param name="Run">The run it belongs to; null in a bare message, which follows the original contract.</param>
public abstract record Message(RunDescriptor? Run)
{
    /// <summary>The word for what it is.</summary>
    [JsonIgnore]
    public string Kind => this switch
    {
        Handshake => "handshake",
        Reset => "reset",
        NewRound => "new_round",
        Proposal => "proposal",
        Vote => "vote",
        Final => "final",
        StateQuery => "state",
        _ => throw new InvalidOperationException($"No word for {GetType().Name}."),
    };

    /// <summary>The agent that says it, where the message tells.</summary>
    [JsonIgnore]
    public string? Sender => this switch
    {
        Proposal proposal => proposal.AgentId,
        Vote vote => vote.AgentId,
        NewRound newRound => newRound.AgentId,
        Final final => final.AgentId,
        _ => null,
    };
}

/// <summary><c>POST /reset</c> with <c>handshake</c>: asks who is there. Clears nothing.</summary>
public sealed record Handshake() : Message((RunDescriptor?)null);

/// <summary><c>POST /reset</c>: clears the run, keeps the floor.</summary>
public sealed record Reset() : Message((RunDescriptor?)null);

/// <summary><c>POST /new_round</c>: starts a round. The sender's own proposal may ride along.</summary>
public sealed record NewRound(int Round, RunDescriptor? Run = null, string? AgentId = null, int? Value = null) : Message(Run);

/// <summary><c>POST /proposal</c>: the sender proposes a value in a round.</summary>
public sealed record Proposal(string AgentId, int Value, int Round, RunDescriptor? Run = null) : Message(Run);

/// <summary>
/// <c>POST /vote</c>: the sender votes for the value it saw a quorum propose, or for none. It repeats the sender's
/// proposal, so a vote that overtakes it loses nothing.
/// </summary>
/// <param name="AgentId">Who votes.</param>
/// <param name="Value">The value voted for; null where no value had a quorum.</param>
/// <param name="Proposed">What the sender proposed in this round.</param>
/// <param name="Round">The round.</param>
/// <param name="Run">The run; never null between agents.</param>
public sealed record Vote(
    string AgentId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? Value,
    [property: JsonPropertyName("proposal")] int Proposed,
    int Round,
    RunDescriptor? Run = null) : Message(Run);

/// <summary><c>POST /final</c>: the sender has decided.</summary>
public sealed record Final(int Value, int Round, RunDescriptor? Run = null, string? AgentId = null) : Message(Run);

/// <summary><c>GET /state</c>: asks for the receiver's run and decision.</summary>
public sealed record StateQuery() : Message((RunDescriptor?)null);

/// <summary>A decision: the value, the round in which this agent decided or was told, and the run.</summary>
public sealed record Decision(int Value, int Round, RunId? Run = null);

/// <summary>
/// The answer to a message, and itself a message: it obeys run and floor, and carries what the answering agent
/// currently proposes, votes or has decided in the run.
/// </summary>
public sealed record Response(string Status = "")
{
    /// <summary>Why a message was ignored or refused; null where it was not.</summary>
    public string? Reason { get; init; }

    /// <summary>The round named in answers to <see cref="NewRound"/>.</summary>
    public int? Round { get; init; }

    /// <summary>The answering agent's round, in answers that ignore a message.</summary>
    public int? CurrentRound { get; init; }

    /// <summary>The answering agent; null from an original agent.</summary>
    public string? AgentId { get; init; }

    /// <summary>The answering agent's boot; null from an original agent.</summary>
    public string? Boot { get; init; }

    /// <summary>How many agents the answering agent counts, itself included; null from an original agent.</summary>
    public int? Agents { get; init; }

    /// <summary>The highest run the answering agent ever saw.</summary>
    public RunId? Floor { get; init; }

    /// <summary>The answering agent's current run.</summary>
    public RunId? Run { get; init; }

    /// <summary>True where the answering agent takes no part in the run and waits for its decision.</summary>
    public bool? Learner { get; init; }

    /// <summary>The answering agent's current proposal in <see cref="Run"/>.</summary>
    public Proposal? Proposal { get; init; }

    /// <summary>The answering agent's current vote in <see cref="Run"/>.</summary>
    public Vote? Vote { get; init; }

    /// <summary>The answering agent's decision in <see cref="Run"/>.</summary>
    public Decision? Decision { get; init; }

    /// <summary>The whole run, in answers to <see cref="StateQuery"/> only.</summary>
    public RunDescriptor? Descriptor { get; init; }

    /// <summary>Where the run stands in a trace (W3C Trace Context), beside <see cref="Descriptor"/>. No rule reads it.</summary>
    public string? Traceparent { get; init; }
}

/// <summary>The words of <see cref="Response.Status"/>.</summary>
public static class ResponseStatus
{
    /// <summary>Taken.</summary>
    public const string Ok = "ok";

    /// <summary>A final decision was taken.</summary>
    public const string Ack = "ack";

    /// <summary>State was cleared, or a handshake answered.</summary>
    public const string Reset = "reset";

    /// <summary>The round was entered.</summary>
    public const string Started = "started";

    /// <summary>The round had been entered before.</summary>
    public const string AlreadyStarted = "already-started";

    /// <summary>Nothing was changed; the reason says why.</summary>
    public const string Ignored = "ignored";

    /// <summary>The message cannot come from a correct agent; nothing was changed.</summary>
    public const string Refused = "refused";
}

/// <summary>The words of <see cref="Response.Reason"/>.</summary>
public static class ResponseReason
{
    /// <summary>A new round that lies behind.</summary>
    public const string StaleRound = "stale-round";

    /// <summary>A decision is there already.</summary>
    public const string AlreadyDecided = "already-decided";

    /// <summary>A message for another round, or a bare one while a described run is on.</summary>
    public const string RoundMismatch = "round-mismatch";

    /// <summary>A message of a run at or under the floor.</summary>
    public const string StaleRun = "stale-run";

    /// <summary>The sender is not among the run's members.</summary>
    public const string NotAMember = "not-a-member";

    /// <summary>A second, different proposal or vote of one agent in one round.</summary>
    public const string Contradiction = "contradiction";

    /// <summary>A decision that differs from this agent's own: agreement is violated.</summary>
    public const string Disagreement = "disagreement";

    /// <summary>A learner counts another number of agents than the run does.</summary>
    public const string ClusterSize = "cluster-size";

    /// <summary>A value or round outside the run's range.</summary>
    public const string OutOfRange = "out-of-range";
}
