using System.Text.Json;
using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>Names of enum members in the timeline's JSON.</summary>
internal static class TimelineNames
{
    /// <summary>By the number of <see cref="TimelineEventKind"/>.</summary>
    public static string[] OfEventKinds { get; } =
        [.. Enum.GetValues<TimelineEventKind>().Select(kind => kind <= TimelineEventKind.Restored ? ((ProtocolEventKind)kind).WireName() : SnakeCase(kind))];

    /// <summary>The kind of an event that the protocol reports.</summary>
    public static TimelineEventKind KindOf(ProtocolEventKind kind) => (TimelineEventKind)kind;

    /// <summary>By the number of <see cref="MessageKind"/>.</summary>
    public static string[] OfMessageKinds { get; } = [.. Enum.GetValues<MessageKind>().Select(SnakeCase)];

    private static string SnakeCase<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
