using Consensus.Agent.Protocol;

namespace Consensus.Tests.Protocol;

/// <summary>Runs that somebody announced in an agent's name before the agent named one so itself.</summary>
public sealed class ForgedRunTests
{
    [Fact]
    public void A_run_whose_name_a_peer_has_already_left_is_started_over_above_it()
    {
        var machine = new Machine("agent1", "a", ["agent2", "agent3"], new SeededRandom(7));
        machine.Step(new Answered(0, new StateQuery(), new Answer(Status.Ok) { AgentId = "agent2", Boot = "b" }));
        machine.Step(new Answered(1, new StateQuery(), new Answer(Status.Ok) { AgentId = "agent3", Boot = "c" }));
        var first = machine.Step(new Start(1, new RunRequest())).OfType<Send>().ToList();
        var run = first[0].Message.Run!.Id;
        var stale = new Answer(Status.Ignored) { AgentId = "agent3", Boot = "c", Floor = run, Reason = Reason.StaleRun };
        var then = machine.Step(new Answered(1, first[1].Message, stale)).OfType<Send>();
        Assert.All(then, send => Assert.IsType<Handshake>(send.Message));
        Assert.Equal(2, then.Count());
    }
}
