using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>A message between agents. Each record is also the JSON body of the call it is named after.</summary>
/// <param name="Run">The run it belongs to; null in a bare message, which follows the original contract.</param>
public abstract record Message(RunDescriptor? Run)
{
    /// <summary>The kind of message, for people.</summary>
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
        _ => throw new InvalidOperationException($"{GetType().Name} has no kind."),
    };

    /// <summary>The sending agent, where the message names it.</summary>
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

/// <summary><c>POST /reset</c> with <c>handshake</c>: queries id, boot, floor and cluster size. Clears nothing.</summary>
public sealed record Handshake() : Message((RunDescriptor?)null);

/// <summary><c>POST /reset</c>: clears the run, keeps the floor.</summary>
public sealed record Reset() : Message((RunDescriptor?)null);

/// <summary><c>POST /new_round</c>: starts a round. It may carry the sender's proposal.</summary>
public sealed record NewRound(int Round, RunDescriptor? Run = null, string? AgentId = null, int? Value = null) : Message(Run);

/// <summary><c>POST /proposal</c>: the sender proposes a value in a round.</summary>
public sealed record Proposal(string AgentId, int Value, int Round, RunDescriptor? Run = null) : Message(Run);

/// <summary>
/// <c>POST /vote</c>: the sender votes for the value that a quorum proposed, or for none. The vote repeats the sender's
/// proposal, so nothing is lost when it overtakes the proposal.
/// </summary>
/// <param name="AgentId">The voting agent.</param>
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

/// <summary><c>GET /state</c>: queries the receiver's run and decision.</summary>
public sealed record StateQuery() : Message((RunDescriptor?)null);

/// <summary>A decision: the value, the round in which this agent decided or learned it, and the run.</summary>
public sealed record Decision(int Value, int Round, RunId? Run = null);
