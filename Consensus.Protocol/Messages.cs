using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>A message between agents. Each record is also the JSON body of the call it is named after.</summary>
/// <param name="Run">The run it belongs to; null in a bare message, which follows the original contract.</param>
public abstract record Message(RunDescriptor? Run)
{
    /// <summary>What the initiator of a run passes on with its own proposal or vote; null for nothing (<see cref="Spread.Relay"/>).</summary>
    [JsonPropertyName("heard")]
    public RelayedMessages? Relayed { get; init; }

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

/// <summary>
/// Copies of proposals and votes that their authors sent to the initiator of a run. A copy counts as the message itself.
/// </summary>
/// <param name="Votes">Votes by round: those that ended the last round, then those of the sender's round. Null for none.</param>
/// <param name="Proposals">Proposals of the sender's round whose authors' votes are not known yet. Null for none.</param>
public sealed record RelayedMessages(IReadOnlyList<Vote>? Votes = null, IReadOnlyList<Proposal>? Proposals = null)
{
    /// <summary>All of them, the votes first.</summary>
    [JsonIgnore]
    public IEnumerable<Message> All => (Votes ?? []).Concat<Message>(Proposals ?? []);

    /// <summary>How many there are.</summary>
    [JsonIgnore]
    public int Count => (Votes?.Count ?? 0) + (Proposals?.Count ?? 0);

    /// <summary>All of them, as text.</summary>
    public override string ToString() => string.Join("; ", All);
}

/// <summary><c>POST /final</c>: the sender has decided.</summary>
public sealed record Final(int Value, int Round, RunDescriptor? Run = null, string? AgentId = null) : Message(Run);

/// <summary><c>GET /state</c>: queries the receiver's run and decision.</summary>
public sealed record StateQuery() : Message((RunDescriptor?)null);

/// <summary>A decision: the value, the round in which this agent decided or learned it, and the run.</summary>
public sealed record Decision(int Value, int Round, RunId? Run = null);
