using System.Runtime.InteropServices;
using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>The kind of a recorded event: what the protocol reports, by the same number, and what the recorder adds.</summary>
internal enum TimelineEventKind : byte
{
    Joined = (byte)ProtocolEventKind.Joined,
    JoinedAsLearner = (byte)ProtocolEventKind.JoinedAsLearner,
    Drew = (byte)ProtocolEventKind.Drew,
    CaughtUp = (byte)ProtocolEventKind.CaughtUp,
    Adopted = (byte)ProtocolEventKind.Adopted,
    Voted = (byte)ProtocolEventKind.Voted,
    Decided = (byte)ProtocolEventKind.Decided,
    Learned = (byte)ProtocolEventKind.Learned,
    WasReset = (byte)ProtocolEventKind.WasReset,
    Equivocated = (byte)ProtocolEventKind.Equivocated,
    AgreementViolated = (byte)ProtocolEventKind.AgreementViolated,

    /// <summary>The process resumes a run that an earlier process persisted.</summary>
    Restored = (byte)ProtocolEventKind.Restored,

    /// <summary>The process started.</summary>
    Booted = Restored + 1,
    Sent,
    Received,

    /// <summary>A peer responded; the event holds what the response carries.</summary>
    Answered,

    /// <summary>A peer did not respond.</summary>
    Lost,
}

/// <summary>Kinds of messages; the names, in snake case, are those of the API.</summary>
internal enum MessageKind : byte
{
    None,
    Handshake,
    Reset,
    NewRound,
    Proposal,
    Vote,
    Final,
    State,
}

/// <summary>One recorded event: numbers only, so that thousands of them are one array. 48 bytes.</summary>
/// <param name="Id">Counts up by one in each process.</param>
/// <param name="At">µs since 1970, by this agent's clock.</param>
/// <param name="MessageId">The sender's number of the message; 0 where it gave none.</param>
/// <param name="Round">0 for none.</param>
/// <param name="Value">0 for none; of a vote: for no value.</param>
/// <param name="Extra">The proposal that a vote repeats; the attempt of a draw; else 0.</param>
/// <param name="Other">The other agent, as its number in the <see cref="NameTable"/>; 0 for none.</param>
/// <param name="Boot">The other agent's boot, likewise.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Message">The message's kind; of a response: the kind of what it carries.</param>
/// <param name="Status">The response's status, by <see cref="TextIndex"/>.</param>
/// <param name="Reason">The response's reason, likewise.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RecordedEvent(
    long Id,
    long At,
    long MessageId,
    int Round,
    int Value,
    int Extra,
    short Other,
    short Boot,
    TimelineEventKind Kind,
    MessageKind Message,
    byte Status,
    byte Reason)
{
    private static readonly string?[] Texts =
    [
        null, Protocol.ResponseStatus.Ok, Protocol.ResponseStatus.Ack, Protocol.ResponseStatus.Reset, Protocol.ResponseStatus.Started, Protocol.ResponseStatus.AlreadyStarted,
        Protocol.ResponseStatus.Ignored, Protocol.ResponseStatus.Refused, Protocol.ResponseReason.StaleRound, Protocol.ResponseReason.AlreadyDecided,
        Protocol.ResponseReason.RoundMismatch, Protocol.ResponseReason.StaleRun, Protocol.ResponseReason.NotAMember, Protocol.ResponseReason.Contradiction,
        Protocol.ResponseReason.Disagreement, Protocol.ResponseReason.OutOfRange,
    ];

    /// <summary>The event as the API shows it.</summary>
    public TimelineEvent ToEvent(NameTable names) => new(
        Id, At, TimelineNames.OfEventKinds[(int)Kind],
        Message == MessageKind.None ? null : TimelineNames.OfMessageKinds[(int)Message],
        MessageId == 0 ? null : MessageId,
        names[Other], names[Boot],
        Round == 0 ? null : Round, Value == 0 ? null : Value,
        Message == MessageKind.Vote ? Extra : null,
        Kind is TimelineEventKind.Drew or TimelineEventKind.CaughtUp or TimelineEventKind.Adopted ? Extra : null,
        TextOf(Status), TextOf(Reason));

    /// <summary>The number of a status or reason; 0: the protocol has no such text.</summary>
    public static byte TextIndex(string? text) => text is null ? (byte)0 : (byte)Math.Max(0, Array.IndexOf(Texts, text));

    /// <summary>The text with this number.</summary>
    public static string? TextOf(byte index) => Texts[index];

    /// <summary>True where both messages have the same content, whatever their sender and time.</summary>
    public bool IsRepetitionOf(in RecordedEvent other) =>
        Message == other.Message && Round == other.Round && Value == other.Value && Extra == other.Extra;

    /// <summary>The parts of a message that are drawn.</summary>
    public static (MessageKind Kind, int Round, int Value, int Extra) Describe(Message message) => message switch
    {
        Handshake => (MessageKind.Handshake, 0, 0, 0),
        Reset => (MessageKind.Reset, 0, 0, 0),
        NewRound m => (MessageKind.NewRound, m.Round, m.Value ?? 0, 0),
        Proposal m => (MessageKind.Proposal, m.Round, m.Value, 0),
        Vote m => (MessageKind.Vote, m.Round, m.Value ?? 0, m.Proposed),
        Final m => (MessageKind.Final, m.Round, m.Value, 0),
        _ => (MessageKind.State, 0, 0, 0),
    };

    /// <summary>What a response carries beside its status: a decision, a vote or a proposal.</summary>
    public static (MessageKind Kind, int Round, int Value, int Extra) NewInformation(Response response) => response switch
    {
        { Decision: { } decision } => (MessageKind.Final, decision.Round, decision.Value, 0),
        { Vote: { } vote } => (MessageKind.Vote, vote.Round, vote.Value ?? 0, vote.Proposed),
        { Proposal: { } proposal } => (MessageKind.Proposal, proposal.Round, proposal.Value, 0),
        _ => (MessageKind.None, 0, 0, 0),
    };
}
