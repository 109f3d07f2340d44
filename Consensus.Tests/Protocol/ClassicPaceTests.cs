using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

public sealed class ClassicPaceTests
{
    [Theory]
    [InlineData(0, Machine.MinClassicWindowMs)]
    [InlineData(200, 200)]
    public void After_many_rounds_a_classic_one_lasts_a_while_even_where_its_run_has_no_window(int windowMs, int lasts)
    {
        var run = new RunDescriptor(new RunId(1, "agent2", "b2"), 3, 1, Rule.Classic, 1_000_000_000, Draw.Fresh, windowMs, new Dictionary<string, string> { ["agent1"] = "b1", ["agent2"] = "b2" });
        var machine = new Machine("agent1", "b1", ["http://agent2", "http://agent3"], new SeededRandom(1));
        IReadOnlyList<Effect> effects = machine.Step(new Received(new NewRound(1, run)));
        for (var round = 2; round < Machine.ManyClassicRounds + 5; round++)
        {
            Assert.Equal(round - 1 <= Machine.ManyClassicRounds ? windowMs : lasts, Assert.Single(effects.OfType<Arm>(), arm => arm.Timer == Timer.Window).DelayMs);
            effects = machine.Step(new Elapsed(Timer.Window));
            Assert.Contains(effects, effect => effect is Happened { Kind: Happening.Drew } drew && drew.Round == round);
        }
    }
}
