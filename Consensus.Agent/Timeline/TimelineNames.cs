using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>Names of event kinds in the timeline's JSON.</summary>
internal static class TimelineNames
{
    /// <summary>The kind's name: the protocol's for what it reports.</summary>
    public static string WireName(this TimelineEventKind kind) =>
        kind < TimelineEventKind.Booted ? ((ProtocolEventKind)kind).WireName() : kind.WireName<TimelineEventKind>();
}
