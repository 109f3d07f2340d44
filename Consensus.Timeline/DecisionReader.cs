using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>What supports the decisions of a run, and which messages completed them.</summary>
internal sealed class DecisionReader
{
    private readonly Dictionary<(string AgentId, long AtUs), string> _supports = [];
    private readonly HashSet<TimelineEvent> _completing = new(ReferenceEqualityComparer.Instance);
    private readonly int _agents;

    /// <param name="timelines">What the agents recorded.</param>
    /// <param name="agents">How many agents the cluster has.</param>
    public DecisionReader(IEnumerable<AgentTimeline> timelines, int agents)
    {
        _agents = agents;
        foreach (var timeline in timelines)
        {
            ReadSupports(timeline);
            ReadMessages(timeline.Events!);
        }
    }

    /// <summary>Which votes support a decision, or which proposals under the classic rule; null: no decision, or not known.</summary>
    public string? SupportOf(AgentTimeline timeline, TimelineEvent e) =>
        IsDecision(e) ? _supports.GetValueOrDefault((timeline.AgentId, e.AtUs)) : null;

    /// <summary>True where this receipt completed a decision, else null.</summary>
    public bool? AreCompletedBy(TimelineEvent? receipt) => receipt is not null && _completing.Contains(receipt) ? true : null;

    private static bool IsDecision(TimelineEvent e) => e.KnownKind == TimelineEventKind.Decided;

    private void ReadSupports(AgentTimeline timeline)
    {
        StateChange? state = null;
        foreach (var change in timeline.States ?? [])
        {
            state = state?.Then(change) ?? change;
            if (change.Decision is not { } decision)
            {
                continue;
            }

            var votes = timeline.Descriptor?.Rule == Rule.Ratified;
            var agents = ((votes ? state.Votes : state.Proposals) ?? new Dictionary<string, int>())
                .Where(one => one.Value == decision.Value).Select(one => one.Key)
                .Order(Comparer<string>.Create(LaneResolver.CompareNaturally)).ToList();
            _supports[(timeline.AgentId, change.AtUs)] = EventFormatter.Support(_agents, votes, agents);
        }
    }

    /// <summary>All events of a step have one time. An agent records a receipt before the step's decision or after it.</summary>
    private void ReadMessages(IReadOnlyList<TimelineEvent> events)
    {
        for (var i = 0; i < events.Count; i++)
        {
            if (IsDecision(events[i]) && (ReceiptFrom(events, i, -1) ?? ReceiptFrom(events, i, 1)) is { } receipt)
            {
                _completing.Add(receipt);
            }
        }
    }

    private static TimelineEvent? ReceiptFrom(IReadOnlyList<TimelineEvent> events, int decision, int direction)
    {
        for (var i = decision + direction; i >= 0 && i < events.Count && events[i].AtUs == events[decision].AtUs; i += direction)
        {
            if (events[i].KnownKind is TimelineEventKind.Received or TimelineEventKind.Answered)
            {
                return events[i];
            }
        }

        return null;
    }
}
