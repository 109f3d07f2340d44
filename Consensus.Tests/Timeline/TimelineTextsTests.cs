using Consensus.Protocol;
using Consensus.Timeline;

namespace Consensus.Tests.Timeline;

/// <summary>Every event and message of a merged timeline comes with its text.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class TimelineTextsTests
{
    private static readonly RunId Run = new(7, "agent1", "x");

    [Fact]
    public void Every_kind_of_event_inside_an_agent_has_a_text_of_its_own()
    {
        var kinds = Enum.GetValues<TimelineEventKind>()
            .Where(kind => kind < TimelineEventKind.Sent).Select(kind => kind.WireName()).ToList();
        var timeline = TimelineTexts.AddTo(
            Empty with { Events = [.. kinds.Select(kind => new LaneEvent(0, 0, kind, 3, 2, null, 4, "agent5"))] });
        Assert.Equal(kinds.Count, timeline.Events.Select(e => timeline.Texts![e.Text!.Value]).Distinct().Count());
        Assert.Equal("draws 2 for round 3, attempt 4", timeline.Texts![timeline.Events[2].Text!.Value]);
    }

    [Fact]
    public void A_message_says_which_number_is_its_round_and_which_is_its_value()
    {
        MessageArrow[] messages =
        [
            new("new_round", 0, 1, 0, Round: 1, Value: 2),
            new("proposal", 0, 1, 0, Round: 1, Value: 2), new("vote", 0, 1, 0, Round: 1, Proposal: 2),
            new("final", 0, 1, 0, Round: 1, Value: 2, Piggybacked: new NewInformation("vote", 1, 2, 3)),
            new("state", 0, 1, 0), new("proposal", 1, 0, 0, Round: 1, Value: 2),
        ];
        var timeline = TimelineTexts.AddTo(Empty with { Messages = messages });
        Assert.Equal(
            [
                "new round 1, proposing 2", "proposal of 2 in round 1",
                "vote for none in round 1, having proposed 2", "final of 2, decided in round 1",
                "vote for 2 in round 1, having proposed 3", "state query",
            ],
            timeline.Texts!);
        Assert.Equal(timeline.Messages[1].Text, timeline.Messages[5].Text);
        Assert.Equal(4, timeline.Messages[3].Piggybacked!.Text);
    }

    [Fact]
    public void A_message_that_was_ignored_or_refused_says_so_and_why()
    {
        var rejected = from status in new[] { ResponseStatus.Ignored, ResponseStatus.Refused }
                       from reason in Enum.GetValues<ResponseReason>()
                       select new MessageArrow(
                           "proposal", 0, 1, 0, Round: 1, Value: 2, Status: status.WireName(), Reason: reason.WireName());
        var timeline = TimelineTexts.AddTo(Empty with { Messages = [.. rejected] });
        var outcomes = timeline.Messages.Select(message => (message.Status, Text: timeline.Texts![message.Outcome!.Value])).ToList();
        Assert.All(outcomes, outcome => Assert.StartsWith(outcome.Status + ": ", outcome.Text, StringComparison.Ordinal));
        Assert.Equal(outcomes.Count, outcomes.Distinct().Count());
        Assert.Null(Assert.Single(TimelineTexts.AddTo(Empty with { Messages = [new("vote", 0, 1, 0)] }).Messages).Outcome);
    }

    private static ClusterTimeline Empty => new(Run.ToString(), 3, 2, 0, [], [], [], [], [], []);
}
