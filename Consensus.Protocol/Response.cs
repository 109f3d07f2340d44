using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>
/// The response to a message. Run and floor apply to it as to a message. It carries the responder's current proposal, vote
/// or decision in the run.
/// </summary>
public sealed record Response(ResponseStatus Status = ResponseStatus.Unknown)
{
    /// <summary>Why a message was ignored or refused; null where it was not.</summary>
    public ResponseReason? Reason { get; init; }

    /// <summary>The round named in responses to <see cref="NewRound"/>.</summary>
    public int? Round { get; init; }

    /// <summary>The responder's round, in responses that ignore a message.</summary>
    public int? CurrentRound { get; init; }

    /// <summary>The responder; null from an original agent.</summary>
    public string? AgentId { get; init; }

    /// <summary>The responder's boot; null from an original agent.</summary>
    public string? Boot { get; init; }

    /// <summary>How many agents the responder counts, itself included; null from an original agent.</summary>
    public int? Agents { get; init; }

    /// <summary>The highest run that the responder has ever seen: its floor.</summary>
    [JsonPropertyName("floor")]
    public RunId? HighestSeenRun { get; init; }

    /// <summary>The responder's current run.</summary>
    public RunId? Run { get; init; }

    /// <summary>True where the responder is a learner in the run.</summary>
    public bool? Learner { get; init; }

    /// <summary>The responder's current proposal in <see cref="Run"/>.</summary>
    public Proposal? Proposal { get; init; }

    /// <summary>The responder's current vote in <see cref="Run"/>.</summary>
    public Vote? Vote { get; init; }

    /// <summary>The responder's decision in <see cref="Run"/>.</summary>
    public Decision? Decision { get; init; }

    /// <summary>
    /// True where the responder knows that every agent holds <see cref="Decision"/>, or has left the run. Only where messages
    /// are relayed: the others leave the decision to the relay, as long as it makes sure of all.
    /// </summary>
    public bool? Disseminated { get; init; }

    /// <summary>The whole run, in responses to <see cref="StateQuery"/> only.</summary>
    public RunDescriptor? Descriptor { get; init; }

    /// <summary>The run's position in a trace (W3C Trace Context), beside <see cref="Descriptor"/>. No rule reads it.</summary>
    public string? Traceparent { get; init; }

    /// <summary>What it carries of its sender, as the message that it stands for: a decision, else a vote, else a proposal.</summary>
    [JsonIgnore]
    public MessageContent Carried => this switch
    {
        { Decision: { } decision } => new(MessageKind.Final, decision.Round, decision.Value),
        { Vote: { } vote } => vote.Content,
        { Proposal: { } proposal } => proposal.Content,
        _ => default,
    };
}

/// <summary>Values of <see cref="Response.Status"/>.</summary>
[JsonConverter(typeof(LenientEnumNameConverter<ResponseStatus>))]
public enum ResponseStatus : byte
{
    /// <summary>None, or one that this version does not know.</summary>
    Unknown,

    /// <summary>Accepted.</summary>
    Ok,

    /// <summary>A final decision was accepted.</summary>
    Ack,

    /// <summary>State was cleared, or this responds to a handshake.</summary>
    Reset,

    /// <summary>The round was entered.</summary>
    Started,

    /// <summary>The round had been entered before.</summary>
    [JsonStringEnumMemberName("already-started")]
    AlreadyStarted,

    /// <summary>Nothing was changed, for the reason given.</summary>
    Ignored,

    /// <summary>The message cannot come from a correct agent; nothing was changed.</summary>
    Refused,
}

/// <summary>Values of <see cref="Response.Reason"/>.</summary>
[JsonConverter(typeof(LenientEnumNameConverter<ResponseReason>))]
public enum ResponseReason : byte
{
    /// <summary>One that this version does not know.</summary>
    Unknown,

    /// <summary>A new round that is over.</summary>
    [JsonStringEnumMemberName("stale-round")]
    StaleRound,

    /// <summary>The responder has decided already.</summary>
    [JsonStringEnumMemberName("already-decided")]
    AlreadyDecided,

    /// <summary>A message for another round, or a bare message during a described run.</summary>
    [JsonStringEnumMemberName("round-mismatch")]
    RoundMismatch,

    /// <summary>A message of a run at or under the floor.</summary>
    [JsonStringEnumMemberName("stale-run")]
    StaleRun,

    /// <summary>The sender is not among the run's members.</summary>
    [JsonStringEnumMemberName("not-a-member")]
    NotAMember,

    /// <summary>A second, different proposal or vote of one agent in one round.</summary>
    Contradiction,

    /// <summary>A decision that differs from this agent's own: agreement is violated.</summary>
    Disagreement,

    /// <summary>A learner counts another number of agents than the run does.</summary>
    [JsonStringEnumMemberName("cluster-size")]
    ClusterSize,

    /// <summary>A value or round outside the run's range.</summary>
    [JsonStringEnumMemberName("out-of-range")]
    OutOfRange,
}
