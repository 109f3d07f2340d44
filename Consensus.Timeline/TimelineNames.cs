using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>Names of event kinds in the timeline's JSON.</summary>
internal static class TimelineNames
{
    /// <summary>The kind's name: the protocol's for what it reports.</summary>
    public static string WireName(this TimelineEventKind kind) =>
        kind < TimelineEventKind.Booted ? ((ProtocolEventKind)kind).WireName() : kind.WireName<TimelineEventKind>();

    /// <summary>The kind with this name; null: one that this version does not know.</summary>
    public static TimelineEventKind? KindOf(string name) => WireNames.Parse<ProtocolEventKind>(name) is { } reported
        ? (TimelineEventKind)reported : WireNames.Parse<TimelineEventKind>(name);
}
