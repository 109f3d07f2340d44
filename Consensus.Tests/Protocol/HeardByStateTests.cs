using Consensus.Protocol;

namespace Consensus.Tests.Protocol;

public sealed class HeardByStateTests
{
    [Fact]
    public void A_member_that_heard_of_a_run_by_state_alone_draws_at_the_next_poll()
    {
        var run = new RunDescriptor(new RunId(1, "agent1", "a"), 3, 1, Rule.Ratified, 3, Draw.Fresh, 200,
            new Dictionary<string, string> { ["agent1"] = "a", ["agent2"] = "b", ["agent3"] = "c" });
        var machine = new Machine("agent2", "b", ["agent1", "agent3"], new SeededRandom(1));
        machine.Step(new Answered(0, new StateQuery(), new Answer(Status.Ok) { AgentId = "agent1", Boot = "a", Floor = run.Id, Run = run.Id, Descriptor = run }));
        Assert.Equal(Phase.Waiting, machine.View().Phase);

        // The initiator may have been reset since, and its first messages lost: nobody else would begin.
        var proposals = machine.Step(new Elapsed(Consensus.Protocol.Timer.Poll)).OfType<Send>().Select(send => send.Message).OfType<Proposal>().ToList();
        Assert.Equal(2, proposals.Count);
        Assert.All(proposals, proposal => Assert.Equal(1, proposal.Round));
    }

    [Fact]
    public void A_new_process_asks_all_peers_once_more_as_words_of_its_last_one_may_have_been_under_way()
    {
        // agent1 decided, told agent2 and died; its next process asked agent2 before that word arrived. agent2 then takes it
        // from agent1 that agent1 knows, and tells it nothing.
        var machine = new Machine("agent1", "later", ["agent2", "agent3"], new SeededRandom(1));
        List<int> Asked(Input input) => [.. machine.Step(input).OfType<Send>().Where(send => send.Message is StateQuery).Select(send => send.Peer)];
        void Tell(int peer) => machine.Step(new Answered(peer, new StateQuery(), new Answer(Status.Ok) { AgentId = $"agent{peer + 2}", Boot = "b" }));
        Assert.Equal([0, 1], Asked(new Booted()));
        Tell(0);
        Tell(1);
        Assert.Equal([0, 1], Asked(new Elapsed(Consensus.Protocol.Timer.Poll)));
        Tell(0);
        Assert.Equal([1], Asked(new Elapsed(Consensus.Protocol.Timer.Poll)));
        Tell(1);
        Assert.Empty(Asked(new Elapsed(Consensus.Protocol.Timer.Poll)));
    }
}
