using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

[Trait(Category.Name, Category.Fast)]
public sealed class ClassicPaceTests
{
    [Theory]
    [InlineData(0, ProtocolTiming.MinClassicWindowMs)]
    [InlineData(200, 200)]
    public void After_many_rounds_a_classic_one_lasts_a_while_even_where_its_run_has_no_window(int windowMs, int lasts)
    {
        var run = new RunDescriptor(new RunId(1, "agent2", "b2"), 3, 1, Rule.Classic, 1_000_000_000,
            DrawStrategy.Fresh, windowMs, new Dictionary<string, string> { ["agent1"] = "b1", ["agent2"] = "b2" });
        var machine = new AgentStateMachine("agent1", "b1", ["http://agent2", "http://agent3"], new SeededRandom(1));
        IReadOnlyList<Effect> effects = machine.Step(new MessageReceived(new NewRound(1, run)));
        for (var round = 2; round < ProtocolTiming.UnpacedClassicRounds + 5; round++)
        {
            Assert.Equal(round - 1 <= ProtocolTiming.UnpacedClassicRounds ? windowMs : lasts,
                Assert.Single(effects.OfType<SetTimer>(), arm => arm.Timer == Timer.Window).DelayMs);
            effects = machine.Step(new TimerFired(Timer.Window));
            Assert.Contains(effects, effect => effect is ProtocolEvent { Kind: ProtocolEventKind.Drew } drew && drew.Round == round);
        }
    }
}
