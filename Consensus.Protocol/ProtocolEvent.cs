using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>An event of the protocol. Logs, traces, metrics, the timeline and the safety checker read these.</summary>
/// <param name="Kind">What kind of event.</param>
/// <param name="Run">The run; none for bare rounds.</param>
/// <param name="Round">The round.</param>
/// <param name="Value">The value drawn, proposed, voted for or decided; 0 for none.</param>
/// <param name="Attempt">How many values this agent has drawn in the run so far.</param>
/// <param name="Other">Another agent concerned, if any.</param>
public sealed record ProtocolEvent(
    ProtocolEventKind Kind, RunId Run, int Round, int Value = 0, int Attempt = 0, string? Other = null) : Effect
{
    /// <summary>Whether only those who look at its round ask for it. Others end or begin more than a round.</summary>
    public bool IsOfOneRound => EntersRound || Kind == ProtocolEventKind.Voted;

    /// <summary>Whether the agent enters a round by it.</summary>
    public bool EntersRound => Kind is ProtocolEventKind.Drew or ProtocolEventKind.CaughtUp or ProtocolEventKind.Adopted;
}

/// <summary>Kinds of <see cref="ProtocolEvent"/>.</summary>
public enum ProtocolEventKind : byte
{
    /// <summary>Joined a run as a member.</summary>
    Joined,

    /// <summary>Joined a run as a learner.</summary>
    JoinedAsLearner,

    /// <summary>Entered a round with a value drawn here.</summary>
    Drew,

    /// <summary>Entered a later round with the value of the proposal that introduced it.</summary>
    [JsonStringEnumMemberName("copied")]
    CaughtUp,

    /// <summary>Entered a round with a value that some agent voted for in the round before.</summary>
    Adopted,

    /// <summary>Voted; value 0: for none.</summary>
    Voted,

    /// <summary>Decided on a quorum of votes (ratified) or a majority of proposals (classic).</summary>
    Decided,

    /// <summary>Took the decision of another agent.</summary>
    Learned,

    /// <summary>Was reset.</summary>
    WasReset,

    /// <summary>Another agent sent two different messages in one round.</summary>
    [JsonStringEnumMemberName("contradicted")]
    Equivocated,

    /// <summary>Another agent has decided another value.</summary>
    [JsonStringEnumMemberName("disagreed")]
    AgreementViolated,

    /// <summary>A new process goes on with a persisted run; round and value 0: undecided.</summary>
    Restored,
}
