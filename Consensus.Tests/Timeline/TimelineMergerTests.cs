using Consensus.Timeline;

namespace Consensus.Tests.Timeline;

[Trait(Category.Name, Category.Fast)]
public class TimelineMergerTests
{
    private static readonly TimeSpan[] Right = [TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero];
    private static readonly TimeSpan[] Skewed = [TimeSpan.Zero, TimeSpan.FromSeconds(-7.3), TimeSpan.FromSeconds(4)];

    [Fact]
    public void Every_message_that_was_sent_is_one_arrow()
    {
        var cluster = new RecordedCluster(Right);
        cluster.Run();
        var merged = cluster.Merged();
        Assert.Equal(cluster.Sent, merged.Messages.Count);
        Assert.All(merged.Messages, arrow => Assert.True(arrow is { From: >= 0, To: >= 0, Received: not null, Estimated: false }));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void No_receipt_lies_before_its_send_though_clocks_differ_by_seconds(int serving)
    {
        var cluster = new RecordedCluster(Skewed);
        cluster.Run();
        var merged = cluster.Merged(serving);
        Assert.All(merged.Messages, arrow =>
        {
            Assert.InRange(arrow.Received!.Value, arrow.Sent, arrow.Sent + 50);
            Assert.InRange(arrow.Answered!.Value, arrow.Received.Value, arrow.Sent + 50);
        });
        for (var lane = 0; lane < 3; lane++)
        {
            Assert.Equal((Skewed[lane] - Skewed[serving]).TotalMilliseconds, merged.Lanes[lane].OffsetMs, 5.0);
        }
    }

    [Fact]
    public void Clocks_that_agree_are_not_corrected()
    {
        var cluster = new RecordedCluster(Right);
        cluster.Run();
        Assert.All(cluster.Merged().Lanes, lane => Assert.Equal(0, lane.OffsetMs));
    }

    [Fact]
    public void A_lost_message_has_no_receipt_and_makes_its_agent_unresponsive()
    {
        var cluster = new RecordedCluster(Right) { Loses = (_, to) => to == 2 };
        cluster.Run();
        var merged = cluster.Merged();
        var lost = merged.Messages.Where(arrow => arrow.Received is null).ToList();
        Assert.NotEmpty(lost);
        Assert.All(lost, arrow => Assert.True(arrow is { To: 2, LostAt: not null }));
        Assert.Contains(merged.Unresponsive, period => period is { Lane: 2, To: null });
        Assert.Equal("absent", merged.Lanes[2].Role);
    }

    [Fact]
    public void An_agent_that_no_agent_reaches_has_a_lane_named_by_its_address()
    {
        var cluster = new RecordedCluster(Right) { Loses = (_, to) => to == 2 };
        cluster.Run();
        var merged = TimelineMerger.Merge("x", [new("/", cluster.Timelines[0].Read()),
            new("http://10.0.0.1:5000", cluster.Timelines[1].Read()), new("http://10.0.0.2:5000", null)], []);
        Assert.Equal(["10.0.0.2:5000", "agent1", "agent2"], merged.Lanes.Select(lane => lane.AgentId));
        Assert.Equal([false, true, true], merged.Lanes.Select(lane => lane.Up));
        Assert.All(merged.Messages.Where(arrow => arrow.Received is null), arrow => Assert.Equal(0, arrow.To));
    }

    [Fact]
    public void An_agent_that_took_part_and_is_no_peer_any_more_is_former()
    {
        var cluster = new RecordedCluster(Right);
        cluster.Run();
        var merged = TimelineMerger.Merge(
            "x", [new("/", cluster.Timelines[0].Read()), new("http://10.0.0.1:5000", cluster.Timelines[1].Read())], []);
        Assert.Equal(["agent1 member", "agent2 member", "agent3 former"], merged.Lanes.Select(lane => $"{lane.AgentId} {lane.Role}"));
    }

    [Fact]
    public void What_only_the_receiver_recorded_is_drawn_from_an_estimated_send()
    {
        var cluster = new RecordedCluster(Right);
        cluster.Run();
        var forgot = cluster.Timelines[1].Read() with { Boot = "another", Events = [], Rounds = [] };
        var merged = TimelineMerger.Merge("x", [new("/", cluster.Timelines[0].Read()),
            new("http://10.0.0.1:5000", forgot), new("http://10.0.0.2:5000", cluster.Timelines[2].Read())], []);
        var estimated = merged.Messages.Where(arrow => arrow.Estimated).ToList();
        Assert.Contains(estimated, arrow => arrow.From == 1);
        Assert.Contains(estimated, arrow => arrow.To == 1);
        Assert.All(estimated, arrow => Assert.True(arrow.Received >= arrow.Sent));
    }

    [Fact]
    public void A_response_is_new_information_only_when_first_received()
    {
        var cluster = new RecordedCluster(Right);
        cluster.Run();
        var merged = cluster.Merged();
        var carried = merged.Messages.Where(arrow => arrow.Piggybacked is not null)
            .Select(arrow => (arrow.From, arrow.To, arrow.Piggybacked)).ToList();
        Assert.NotEmpty(carried);
        Assert.Equal(carried.Count, carried.Distinct().Count());
    }

    [Fact]
    public void Equal_decisions_agree()
    {
        var cluster = new RecordedCluster(Right);
        cluster.Run();
        var merged = cluster.Merged();
        Assert.True(merged.Agree);
        Assert.Single(merged.Lanes.Select(lane => lane.Value).Distinct());
    }

    [Theory]
    [InlineData(12, 0)]
    [InlineData(13, 5)]
    [InlineData(1000, 992)]
    public void Only_a_long_run_is_folded(int rounds, int folded)
    {
        var (shown, hidden) = RoundFolding.Fold(1, rounds, []);
        Assert.Equal(folded, hidden.Sum(range => range.To - range.From + 1));
        Assert.Equal(1, shown[0].From);
        Assert.Equal(int.MaxValue, shown[^1].To);
    }

    [Fact]
    public void Requested_rounds_are_not_folded()
    {
        var (shown, hidden) = RoundFolding.Fold(1, 100, [new(3, 10), new(50, 59)]);
        Assert.Equal([new(1, 10), new(50, 59), new(95, int.MaxValue)], shown);
        Assert.Equal([new(11, 49), new(60, 94)], hidden);
    }

    [Fact]
    public void Agents_are_in_natural_order() =>
        Assert.Equal(["agent2", "agent10", "b"],
            new[] { "b", "agent10", "agent2" }.Order(Comparer<string>.Create(LaneResolver.CompareNaturally)));
}
