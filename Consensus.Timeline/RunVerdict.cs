using System.Globalization;
using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Timeline;

/// <summary>The result of a run in words.</summary>
/// <param name="Tone"><c>good</c>, <c>open</c>, <c>bad</c>, or <c>none</c> where there is no run.</param>
/// <param name="Text">The result in a sentence or two.</param>
/// <param name="Figures">How many messages there were; absent where there is no run.</param>
public sealed record RunVerdict(string Tone, string Text, string? Figures = null)
{
    private static readonly Dictionary<string, string> Violations = new()
    {
        [PropertyNames.Agreement] = "Agreement is violated", [PropertyNames.Validity] = "Validity is violated",
        [PropertyNames.Integrity] = "Integrity is violated", [PropertyNames.Durability] = "A decision is lost",
        [PropertyNames.Termination] = "Termination is violated", [PropertyNames.OneProposal] = "An agent proposes twice in one round",
        [PropertyNames.OneVote] = "An agent votes twice in one round", [PropertyNames.LearnersSilent] = "A learner takes part",
        [PropertyNames.ClusterSize] = "Cluster sizes differ",
    };

    /// <summary>Adds its verdict to a timeline that is complete otherwise.</summary>
    public static ClusterTimeline AddTo(ClusterTimeline timeline) => timeline with { Verdict = Of(timeline) };

    private static RunVerdict Of(ClusterTimeline timeline)
    {
        if (timeline.Run is null && timeline.Messages.Count == 0)
        {
            return new("none", "No run yet. Start one.");
        }

        var decided = timeline.Lanes.Where(lane => lane.Value is not null).ToList();

        // After a restart, the events that led to a decision are no longer recorded.
        var recovered = decided.Count > 0
            && !timeline.Events.Any(e => e.KnownKind is TimelineEventKind.Decided or TimelineEventKind.Learned);
        var figures = FiguresOf(timeline, recovered);
        if (timeline.Violation is { } violation)
        {
            return new("bad", $"{Violations.GetValueOrDefault(violation.Property, violation.Property)}: {violation.Explanation}", figures);
        }

        // In a picture of several runs the sentence says which one it is about.
        var run = timeline.Events.Any(e => e.Run is not null) ? $"Run {timeline.Run}: " : "";
        if (timeline.Agree == false)
        {
            var decisions = EventFormatter.List([.. decided.Select(lane => $"{lane.AgentId} decided {lane.Value}")]);
            return new("bad", $"{run}{decisions}: they disagree.", figures);
        }

        return decided.Count == 0 ? new("open", $"{run}Undecided in round {Math.Max(1, timeline.LastRound)}.", figures)
            : Agreed(timeline, run, decided, recovered, figures);
    }

    private static RunVerdict Agreed(ClusterTimeline timeline, string run, List<Lane> decided, bool recovered, string figures)
    {
        var rounds = decided.Min(lane => lane.Round ?? 0) - (timeline.Descriptor?.StartRound ?? 1) + 1;
        var undecided = timeline.Lanes.Where(lane => lane.Value is null && lane.Role != "former").Select(lane => lane.AgentId).ToList();
        var agents = undecided.Count == 0 && decided.Count > 3 ? $"All {decided.Count} agents"
            : EventFormatter.List([.. decided.Select(lane => lane.AgentId)]);
        var verb = decided.Count == 1 ? "decided" : "agreed on";
        var time = timeline.DurationMs is { } ms ? $" in {EventFormatter.Of(TimeSpan.FromMilliseconds(ms))}" : "";
        var before = recovered && timeline.Events.Any(e => e.KnownKind == TimelineEventKind.Restored) ? ", before the restart" : "";
        var rest = undecided.Count == 0
            ? "" : $" {EventFormatter.List(undecided)} {(undecided.Count == 1 ? "has" : "have")} no decision yet.";
        return new(
            rest.Length == 0 ? "good" : "open",
            $"{run}{agents} {verb} {decided[0].Value} after {Count(rounds, "round")}{time}{before}.{rest}", figures);
    }

    private static string FiguresOf(ClusterTimeline timeline, bool recovered)
    {
        // A reset by a person, which comes from no agent, is no message of the run.
        var messages = timeline.Messages
            .Where(message => message.From >= 0
                || (message is { Received: not null, To: >= 0 } && message.Kind != MessageKind.Reset.WireName()))
            .ToList();
        var lost = messages.Count(message => message is { Received: null, LostAt: not null });
        var present = timeline.Lanes.Where(lane => lane.Role != "former").Select(lane => lane.AgentId).ToHashSet();
        var left = timeline.Descriptor?.Members.Keys.Count(id => !present.Contains(id)) ?? 0;
        return Count(messages.Count, "message") + (recovered ? " since the restart" : "") + (lost == 0 ? "" : $", {lost:N0} lost")
            + (timeline.Folded.Count == 0 ? "" : " shown") + (left == 0 ? "" : $", {left} of its agents left the cluster");
    }

    private static string Count(int count, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");
}
