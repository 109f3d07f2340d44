using Consensus.Protocol;
using Consensus.Simulation.ModelChecking;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Simulation;

/// <summary>
/// A relay's message carries copies of others. Handling it equals handling the copies one by one, as their authors sent them.
/// </summary>
[Trait(Category.Name, Category.Proof)]
public sealed class ComposedMessageTests
{
    // CONSENSUS_COMPOSED=true takes the bounds of `check --spread relay`: 1,001,362 comparisons.
    private static readonly int Faults = Environment.GetEnvironmentVariable("CONSENSUS_COMPOSED") == "true" ? 1 : 0;

    [Fact]
    public void A_composed_message_equals_its_parts_in_every_machine_that_the_model_checker_reaches()
    {
        var checker = new ModelChecker(new ModelCheckerOptions(Crashes: Faults, Resets: Faults, Spread: Spread.Relay));
        Assert.True(checker.Run().Holds);
        var (compared, changed) = (0, 0);
        foreach (var message in checker.Transitions.Composed.Values)
        {
            foreach (var machine in checker.Transitions.Machines.Where(machine => machine.Id != message.Sender))
            {
                var draws = checker.Transitions.Random;
                draws.Begin();
                do
                {
                    var (composed, parts) = (machine.Clone(), machine.Clone());
                    var before = Fact(machine, []);
                    var whole = Fact(composed, [.. composed.Step(new MessageReceived(message))]);
                    int[] choices = [.. draws.Choices];
                    draws.Begin(choices);
                    Assert.Equal(whole, Fact(parts, StepByStep(parts, message)));
                    draws.Begin(choices);
                    machine.Clone().Step(new MessageReceived(message));
                    compared++;
                    changed += before == whole ? 0 : 1;
                }
                while (draws.Advance());
            }
        }

        Assert.True(compared > 1_000 && changed > 100, $"{compared} compared, {changed} with an effect");
    }

    /// <summary>The copies of earlier rounds, the ends of those rounds' windows, the other copies, and the relay's own message.</summary>
    private static List<Effect> StepByStep(AgentStateMachine machine, Message message)
    {
        var effects = new List<Effect>();
        var round = message is Vote vote ? vote.Round : ((Proposal)message).Round;
        void Take(Input input) => effects.AddRange(machine.Step(input));
        void Receive(Message copy) => Take(new MessageReceived(copy with { Run = message.Run }));
        var copies = message.Relayed!.All.Where(copy => copy.Sender != machine.Id)
            .ToLookup(copy => copy is Vote earlier && earlier.Round < round);
        foreach (var copy in copies[true])
        {
            Receive(copy);
        }

        while (machine.CurrentRun?.Id == message.Run!.Id
            && machine.Snapshot() is { Phase: Phase.Proposing or Phase.Voting } now && now.Round < round)
        {
            Take(new TimerFired(Timer.Window));
            if (machine.Snapshot() is var after && after.Round == now.Round && after.Phase == now.Phase)
            {
                break;
            }
        }

        foreach (var copy in copies[false])
        {
            Receive(copy);
        }

        Receive(message with { Relayed = null });
        return effects;
    }

    /// <summary>What the agent did and what it now knows of the run.</summary>
    private static string Fact(AgentStateMachine machine, IEnumerable<Effect> effects)
    {
        var now = machine.Snapshot();
        return string.Join('\n',
        [
            .. effects.OfType<ProtocolEvent>().Select(happened => $"{happened}"),
            $"{now.Phase} {now.Round} {now.MyValue} {now.Decision} {now.Learner} {machine.CurrentRun?.Id} {machine.HighestSeenRun}",
            .. now.Proposals.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} proposed {one.Value}"),
            .. now.Votes.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} voted {one.Value}"),
        ]);
    }
}
