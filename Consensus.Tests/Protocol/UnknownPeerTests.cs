using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

[Trait(Category.Name, Category.Fast)]
public sealed class UnknownPeerTests
{
    private static readonly RunDescriptor Run = new(
        new RunId(1, "agent1", "a"), 3, 1, Rule.Ratified, 100, DrawStrategy.Fresh, 200,
        new Dictionary<string, string> { ["agent1"] = "a", ["agent2"] = "b", ["agent3"] = "c" });

    private readonly AgentStateMachine _machine = new("agent2", "b", ["http://agent1", "http://agent3"], new SeededRandom(1));

    [Fact]
    public void A_peer_that_was_not_up_at_the_start_is_asked_who_it_is_when_a_run_is_joined()
    {
        _machine.Step(new RequestFailed(0, new StateQuery()));
        _machine.Step(new RequestFailed(1, new StateQuery()));
        var asked = _machine.Step(new MessageReceived(new NewRound(1, Run, "agent1", 100))).OfType<Send>()
            .Where(send => send.Message is StateQuery);
        Assert.Equal([0, 1], asked.Select(send => send.Peer));
    }

    [Fact]
    public void No_window_is_held_open_for_a_member_that_is_down_and_was_never_met()
    {
        _machine.Step(new ResponseReceived(0, new StateQuery(), new Response(ResponseStatus.Ok) { AgentId = "agent1", Boot = "a" }));
        _machine.Step(new RequestFailed(1, new StateQuery()));
        var effects = _machine.Step(new MessageReceived(new NewRound(1, Run, "agent1", 100)));
        Assert.DoesNotContain(effects, effect => effect is SetTimer { Timer: Timer.Window });
        Assert.Contains(effects, effect => effect is ProtocolEvent { Kind: ProtocolEventKind.Voted, Value: 0 });
    }
}
