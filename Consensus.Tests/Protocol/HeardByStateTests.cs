using Consensus.Agent.Protocol;

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
        var proposals = machine.Step(new Elapsed(Consensus.Agent.Protocol.Timer.Poll)).OfType<Send>().Select(send => send.Message).OfType<Proposal>().ToList();
        Assert.Equal(2, proposals.Count);
        Assert.All(proposals, proposal => Assert.Equal(1, proposal.Round));
    }
}
