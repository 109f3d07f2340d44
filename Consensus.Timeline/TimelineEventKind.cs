using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>The kind of an event of the timeline: what the protocol reports, by the same number, and what goes between agents.</summary>
public enum TimelineEventKind : byte
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
