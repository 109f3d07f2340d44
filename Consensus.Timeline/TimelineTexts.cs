using System.Runtime.InteropServices;
using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>
/// The texts of a merged timeline, by <see cref="EventFormatter"/>. Most messages of a run say the same, so each text is sent once
/// and named by its number: with 31 agents the texts themselves would make the timeline a third longer.
/// </summary>
internal sealed class TimelineTexts
{
    private readonly List<string> _texts = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Kind, int Round, int? Value, int? Proposal), int> _contents = [];
    private readonly Dictionary<(string? Status, string? Reason), int> _outcomes = [];

    /// <summary>Adds the texts to a timeline.</summary>
    public static ClusterTimeline AddTo(ClusterTimeline timeline)
    {
        var texts = new TimelineTexts();
        _ = RunId.TryParse(timeline.Run, out var run);
        return timeline with
        {
            Events = [.. timeline.Events.Select(e => e with { Text = texts.NumberOf(TextOf(e, run)) })],
            Messages = [.. timeline.Messages.Select(message => texts.WithTexts(message, timeline.Run))],
            Texts = texts._texts,
        };
    }

    private static string? TextOf(LaneEvent e, RunId run) => e.KnownKind == TimelineEventKind.Booted ? EventFormatter.Booted
        : WireNames.Parse<ProtocolEventKind>(e.Kind) is { } kind
            ? EventFormatter.Of(new ProtocolEvent(kind, run, e.Round, e.Value ?? 0, e.Attempt ?? 0, e.Other))
            : null;

    private MessageArrow WithTexts(MessageArrow message, string? run) => message with
    {
        Text = ContentOf(message.Kind, message.Round, message.Value, message.Proposal),
        Outcome = message.Status is null && message.Reason is null ? null : OutcomeOf(message.Status, message.Reason),
        Piggybacked = message.Piggybacked is { } carried ? carried with { Text = ContentOf(carried, run) } : null,
    };

    private int? ContentOf(NewInformation carried, string? run) => carried.Kind == MessageKind.StateQuery.WireName()
        ? NumberOf($"run {carried.Run ?? run}")
        : ContentOf(carried.Kind, carried.Round, carried.Value, carried.Proposal);

    private int? ContentOf(string kind, int round, int? value, int? proposal)
    {
        ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(_contents, (kind, round, value, proposal), out var known);
        if (!known)
        {
            var content = new MessageContent(WireNames.Parse<MessageKind>(kind).GetValueOrDefault(), round, value ?? 0, proposal ?? 0);
            number = NumberOf(EventFormatter.Of(content))!.Value;
        }

        return number;
    }

    private int OutcomeOf(string? status, string? reason)
    {
        ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(_outcomes, (status, reason), out var known);
        if (!known)
        {
            ResponseReason? why = reason is null ? null : WireNames.Parse<ResponseReason>(reason).GetValueOrDefault();
            number = NumberOf(EventFormatter.Outcome(WireNames.Parse<ResponseStatus>(status).GetValueOrDefault(), why))!.Value;
        }

        return number;
    }

    private int? NumberOf(string? text)
    {
        if (text is null)
        {
            return null;
        }

        ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(_numbers, text, out var known);
        if (!known)
        {
            number = _texts.Count;
            _texts.Add(text);
        }

        return number;
    }
}
