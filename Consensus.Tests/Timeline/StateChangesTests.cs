using System.Text.Json;
using Consensus.Protocol;
using Consensus.Timeline;

namespace Consensus.Tests.Timeline;

[Trait(Category.Name, Category.Fast)]
public class StateChangesTests
{
    private static readonly RunDescriptor Run = new(
        new RunId(1, "a", "x"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200, new Dictionary<string, string>());

    private static readonly AgentSnapshot Idle = new(
        "a", "x", default, null, false, 0, Phase.Waiting, null, new Dictionary<string, int>(),
        new Dictionary<string, int?>(), 0, null, null, 3);

    private static readonly AgentSnapshot Voting = Idle with
    {
        Run = Run,
        Round = 1,
        Phase = Phase.Voting,
        MyValue = 2,
        Attempts = 1,
        Proposals = new Dictionary<string, int> { ["a"] = 2, ["b"] = 2 },
        Votes = new Dictionary<string, int?> { ["a"] = 2 },
    };

    [Fact]
    public void What_did_not_change_is_absent()
    {
        Assert.Null(StateChanges.Between(Voting, Voting with { HighestSeenRun = new RunId(7, "b", "y") }, 5));
        var decided = Voting with
        {
            Phase = Phase.Decided,
            Decision = new Decision(2, 1),
            Votes = new Dictionary<string, int?> { ["a"] = 2, ["b"] = 2, ["c"] = null },
        };
        var change = StateChanges.Between(Voting, decided, 5)!;
        Assert.Equal(new StateChange(5, Phase: Phase.Decided, Decision: new StateDecision(2, 1)), change with { Votes = null });
        Assert.Equal(new Dictionary<string, int> { ["b"] = 2, ["c"] = 0 }, change.Votes);
        Assert.Equal(
            """[{"at_us":5,"phase":"decided","decision":{"value":2,"round":1},"votes":{"b":2,"c":0}}]""",
            JsonSerializer.SerializeToElement(new AgentTimeline("a", "x", States: [change]), TimelineJson.Default.AgentTimeline)
                .GetProperty("states").GetRawText());
    }

    [Fact]
    public void Where_anything_is_gone_the_change_is_the_whole_state()
    {
        AgentSnapshot[] others =
        [
            Idle, Voting with { Boot = "y" }, Voting with { Run = Run with { Id = new RunId(2, "b", "z") } },
            Voting with { Attempts = 0 }, Voting with { MyValue = null },
            Voting with { Round = 2, Proposals = new Dictionary<string, int> { ["a"] = 3 }, Votes = new Dictionary<string, int?>() },
            Voting with { Votes = new Dictionary<string, int?>() },
            Voting with { Proposals = new Dictionary<string, int> { ["a"] = 2, ["b"] = 1 } },
        ];
        foreach (var other in others)
        {
            var change = StateChanges.Between(Voting, other, 5)!;
            var whole = StateChanges.Between(null, other, 5)!;
            Assert.True(change.Fresh);
            Assert.Equal(whole with { Proposals = null, Votes = null }, change with { Proposals = null, Votes = null });
            Assert.Equal(other.Proposals, change.Proposals ?? new Dictionary<string, int>());
        }

        Assert.Equal(new StateChange(5, true), StateChanges.Between(Voting, Idle, 5));
    }
}
