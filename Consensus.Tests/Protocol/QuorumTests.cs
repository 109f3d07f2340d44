using Consensus.Protocol;

namespace Consensus.Tests.Protocol;

[Trait(Category.Name, Category.Fast)]
public sealed class QuorumTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(4, 3)]
    [InlineData(101, 51)]
    public void A_quorum_is_more_than_half_of_the_whole_cluster(int agents, int quorum)
    {
        var peers = Enumerable.Range(2, agents - 1).Select(i => $"agent{i}").ToList();
        Assert.Equal(quorum, new AgentStateMachine("agent1", "b1", peers, new SeededRandom(1)).Quorum);
    }
}
