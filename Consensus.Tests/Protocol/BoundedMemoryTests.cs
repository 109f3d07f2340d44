using Consensus.Protocol;

namespace Consensus.Tests.Protocol;

/// <summary>A machine holds the current round and nothing older, however long a run takes.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class BoundedMemoryTests
{
    private static readonly RunDescriptor Run = new(
        new RunId(1, "agent1", "b1"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200,
        new Dictionary<string, string> { ["agent1"] = "b1", ["agent2"] = "b2", ["agent3"] = "b3" });

    [Theory]
    [InlineData(Rule.Ratified)]
    [InlineData(Rule.Classic)]
    public void Ten_thousand_rounds_hold_no_more_than_ten(Rule rule)
    {
        var run = Run with { Rule = rule };
        var machine = new AgentStateMachine("agent1", "b1", ["agent2", "agent3"], new SeededRandom(1));
        machine.Step(new MessageReceived(new NewRound(1, run)));
        var few = 0;
        for (var round = 1; round <= 10_000; round++)
        {
            Pass(machine, run, round);
            Assert.Equal(round + 1, machine.CurrentRound);
            if (round == 10)
            {
                few = Held(machine);
            }
        }

        Assert.Equal(few, Held(machine));
    }

    [Fact]
    public void A_thousand_runs_hold_no_more_than_two()
    {
        var machine = new AgentStateMachine("agent1", "b1", ["agent2", "agent3"], new SeededRandom(1));
        var few = 0;
        for (var number = 1; number <= 1_000; number++)
        {
            machine.Step(new MessageReceived(new Final(2, 1, Run with { Id = Run.Id with { Number = number } }, "agent2")));
            Assert.Equal(number, machine.CurrentDecision?.Run?.Number);
            if (number == 2)
            {
                few = Held(machine);
            }
        }

        Assert.Equal(few, Held(machine));
    }

    // The others always differ from agent1 and from each other, and nobody votes for anything.
    private static void Pass(AgentStateMachine machine, RunDescriptor run, int round)
    {
        var mine = machine.Snapshot().MyValue!.Value;
        var (second, third) = (1 + (mine % 3), 1 + ((mine + 1) % 3));
        machine.Step(new MessageReceived(new Proposal("agent2", second, round, run)));
        machine.Step(new MessageReceived(new Proposal("agent3", third, round, run)));
        if (run.Rule == Rule.Classic)
        {
            machine.Step(new TimerFired(Consensus.Protocol.Timer.Window));
            return;
        }

        machine.Step(new MessageReceived(new Vote("agent2", null, second, round, run)));
        machine.Step(new MessageReceived(new Vote("agent3", null, third, round, run)));
    }

    private static int Held(AgentStateMachine machine)
    {
        // The effects of the last step are handed out, not held.
        machine.Step(new MessageReceived(new StateQuery()));
        return ObjectGraph.SizeOf(machine);
    }
}
