namespace Consensus.Protocol;

/// <summary>
/// The response to a message. Run and floor apply to it as to a message. It carries the responder's current proposal, vote
/// or decision in the run.
/// </summary>
public sealed record Response(string Status = "")
{
    /// <summary>Why a message was ignored or refused; null where it was not.</summary>
    public string? Reason { get; init; }

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

    /// <summary>The highest run that the responder has ever seen.</summary>
    public RunId? Floor { get; init; }

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
}

/// <summary>Values of <see cref="Response.Status"/>.</summary>
public static class ResponseStatus
{
    /// <summary>Accepted.</summary>
    public const string Ok = "ok";

    /// <summary>A final decision was accepted.</summary>
    public const string Ack = "ack";

    /// <summary>State was cleared, or this responds to a handshake.</summary>
    public const string Reset = "reset";

    /// <summary>The round was entered.</summary>
    public const string Started = "started";

    /// <summary>The round had been entered before.</summary>
    public const string AlreadyStarted = "already-started";

    /// <summary>Nothing was changed, for the reason given.</summary>
    public const string Ignored = "ignored";

    /// <summary>The message cannot come from a correct agent; nothing was changed.</summary>
    public const string Refused = "refused";
}

/// <summary>Values of <see cref="Response.Reason"/>.</summary>
public static class ResponseReason
{
    /// <summary>A new round that is over.</summary>
    public const string StaleRound = "stale-round";

    /// <summary>The responder has decided already.</summary>
    public const string AlreadyDecided = "already-decided";

    /// <summary>A message for another round, or a bare message during a described run.</summary>
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
