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
/// <param name="Status">The response's status.</param>
/// <param name="Reason">The response's reason.</param>
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
    ResponseStatus Status,
    ResponseReason? Reason)
{
    /// <summary>The event as the API shows it.</summary>
    public TimelineEvent ToEvent(NameTable names) => new(
        Id, At, Kind.WireName(),
        Message == MessageKind.None ? null : Message.WireName(),
        MessageId == 0 ? null : MessageId,
        names[Other], names[Boot],
        Round == 0 ? null : Round, Value == 0 ? null : Value,
        Message == MessageKind.Vote ? Extra : null,
        Kind is TimelineEventKind.Drew or TimelineEventKind.CaughtUp or TimelineEventKind.Adopted ? Extra : null,
        Status == ResponseStatus.Unknown ? null : Status.WireName(), Reason?.WireName());

    /// <summary>True where both messages have the same content, whatever their sender and time.</summary>
    public bool IsRepetitionOf(in RecordedEvent other) =>
        Message == other.Message && Round == other.Round && Value == other.Value && Extra == other.Extra;
}
