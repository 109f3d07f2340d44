using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>Kinds of <see cref="Message"/>.</summary>
public enum MessageKind : byte
{
    /// <summary>No message.</summary>
    None,

    /// <summary><see cref="Protocol.Handshake"/>.</summary>
    Handshake,

    /// <summary><see cref="Protocol.Reset"/>.</summary>
    Reset,

    /// <summary><see cref="Protocol.NewRound"/>.</summary>
    NewRound,

    /// <summary><see cref="Protocol.Proposal"/>.</summary>
    Proposal,

    /// <summary><see cref="Protocol.Vote"/>.</summary>
    Vote,

    /// <summary><see cref="Protocol.Final"/>.</summary>
    Final,

    /// <summary><see cref="Protocol.StateQuery"/>.</summary>
    [JsonStringEnumMemberName("state")]
    StateQuery,
}

/// <summary>What a message says, or what a response repeats of its sender: numbers only.</summary>
/// <param name="Kind">The kind of message.</param>
/// <param name="Round">The round; 0: none.</param>
/// <param name="Value">The value proposed, voted for or decided; 0: none.</param>
/// <param name="Proposed">Of a vote: the proposal that it repeats; else 0.</param>
public readonly record struct MessageContent(MessageKind Kind, int Round = 0, int Value = 0, int Proposed = 0)
{
    /// <summary>The value that the sender proposes in the round, or repeats; 0: none.</summary>
    public int Proposal => Kind switch
    {
        MessageKind.NewRound or MessageKind.Proposal => Value,
        MessageKind.Vote => Proposed,
        _ => 0,
    };
}

/// <summary>A message between agents. Each record is also the JSON body of the call it is named after.</summary>
/// <param name="Run">The run it belongs to; null in a bare message, which follows the original contract.</param>
public abstract record Message(RunDescriptor? Run)
{
    /// <summary>
    /// What the initiator of a run passes on with its own proposal or vote; null for nothing (<see cref="Spread.Relay"/>).
    /// </summary>
    [JsonPropertyName("heard")]
    public RelayedMessages? Relayed { get; init; }

    /// <summary>The kind of message.</summary>
    [JsonIgnore]
    public MessageKind Kind => Content.Kind;

    /// <summary>What the message says, as numbers.</summary>
    [JsonIgnore]
    public MessageContent Content => this switch
    {
        Handshake => new(MessageKind.Handshake),
        Reset => new(MessageKind.Reset),
        NewRound newRound => new(MessageKind.NewRound, newRound.Round, newRound.Value ?? 0),
        Proposal proposal => new(MessageKind.Proposal, proposal.Round, proposal.Value),
        Vote vote => new(MessageKind.Vote, vote.Round, vote.Value ?? 0, vote.Proposed),
        Final final => new(MessageKind.Final, final.Round, final.Value),
        StateQuery => new(MessageKind.StateQuery),
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
