using Consensus.Protocol;

namespace Consensus.Tests.Protocol;

[Trait(Category.Name, Category.Fast)]
public sealed class RunKnownByStateOnlyTests
{
    [Fact]
    public void A_member_that_heard_of_a_run_by_state_alone_draws_at_the_next_poll()
    {
        var run = new RunDescriptor(new RunId(1, "agent1", "a"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200,
            new Dictionary<string, string> { ["agent1"] = "a", ["agent2"] = "b", ["agent3"] = "c" });
        var machine = new AgentStateMachine("agent2", "b", ["agent1", "agent3"], new SeededRandom(1));
        machine.Step(new ResponseReceived(0, new StateQuery(),
            new Response(ResponseStatus.Ok) { AgentId = "agent1", Boot = "a", HighestSeenRun = run.Id, Run = run.Id, Descriptor = run }));
        Assert.Equal(Phase.Waiting, machine.Snapshot().Phase);

        // The initiator may have been reset since, and its first messages lost: nobody else would begin.
        var proposals = machine.Step(new TimerFired(Consensus.Protocol.Timer.Poll)).OfType<Send>()
            .Select(send => send.Message).OfType<Proposal>().ToList();
        Assert.Equal(2, proposals.Count);
        Assert.All(proposals, proposal => Assert.Equal(1, proposal.Round));
    }

    [Fact]
    public void A_new_process_asks_all_peers_once_more_as_words_of_its_last_one_may_have_been_under_way()
    {
        // agent1 decided, sent the decision to agent2 and crashed. Its next process queried agent2 before the decision arrived.
        // agent2 then assumes that agent1 knows the decision, and sends it nothing.
        var machine = new AgentStateMachine("agent1", "later", ["agent2", "agent3"], new SeededRandom(1));
        List<int> Asked(Input input) =>
            [.. machine.Step(input).OfType<Send>().Where(send => send.Message is StateQuery).Select(send => send.Peer)];
        void Respond(int peer) => machine.Step(
            new ResponseReceived(peer, new StateQuery(), new Response(ResponseStatus.Ok) { AgentId = $"agent{peer + 2}", Boot = "b" }));
        Assert.Equal([0, 1], Asked(new Started()));
        Respond(0);
        Respond(1);
        Assert.Equal([0, 1], Asked(new TimerFired(Consensus.Protocol.Timer.Poll)));
        Respond(0);
        Assert.Equal([1], Asked(new TimerFired(Consensus.Protocol.Timer.Poll)));
        Respond(1);
        Assert.Empty(Asked(new TimerFired(Consensus.Protocol.Timer.Poll)));
    }
}
