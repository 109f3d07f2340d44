using Consensus.Protocol;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Consensus.Tests.Protocol;

[Trait(Category.Name, Category.Fast)]
public sealed class ClusterSizeTests
{
    private const string Seed = "1983,81";

    public static FsCheck.Arbitrary<int> Sizes() => Gen.Choose(1, ProtocolLimits.MaxAgents).ToArbitrary();

    [Property(MaxTest = 300, Replay = Seed, Arbitrary = [typeof(ClusterSizeTests)])]
    public void Two_quorums_share_an_agent_and_a_smaller_number_would_not_do(int agents)
    {
        var quorum = QuorumOf(agents);
        Assert.InRange(quorum, 1, agents);
        Assert.True(2 * quorum > agents, $"Two quorums of {quorum} need not meet among {agents}.");
        Assert.True(2 * (quorum - 1) <= agents, $"{quorum - 1} of {agents} would be enough.");
    }

    [Theory]
    [InlineData(1, 3, DrawStrategy.Fresh)]
    [InlineData(1, 3, DrawStrategy.Plurality)]
    [InlineData(2, 3, DrawStrategy.Fresh)]
    [InlineData(2, 3, DrawStrategy.Plurality)]
    [InlineData(4, 3, DrawStrategy.Fresh)]
    [InlineData(4, 10_000, DrawStrategy.Plurality)]
    [InlineData(101, 3, DrawStrategy.Plurality)]
    [InlineData(101, 10_000, DrawStrategy.Plurality)]
    public void A_cluster_of_any_size_decides(int agents, int values, DrawStrategy draw)
    {
        var cluster = new ScheduledCluster(new Schedule(agents, values, draw, Seed: 7, SeededDraws: false, Moves: []));
        cluster.Start(agents - 1);
        Assert.True(cluster.ComeToRest(), "The agents talk for ever.");
        Assert.Null(cluster.Violation);
        var (run, value) = Assert.Single(
            cluster.Machines.Select(machine => (machine.CurrentDecision?.Run, machine.CurrentDecision?.Value)).Distinct());
        Assert.Equal(1, run?.Number);
        Assert.InRange(value!.Value, 1, values);
    }

    [Fact]
    public void A_cluster_beyond_the_limit_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => QuorumOf(ProtocolLimits.MaxAgents + 1));

    private static int QuorumOf(int agents) =>
        new AgentStateMachine("agent1", "b1", [.. Enumerable.Range(2, agents - 1).Select(i => $"agent{i}")], new SeededRandom(1)).Quorum;
}
