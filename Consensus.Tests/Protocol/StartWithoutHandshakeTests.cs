using Consensus.Protocol;

namespace Consensus.Tests.Protocol;

/// <summary>Runs that begin without a handshake, and how few messages a decision takes.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class StartWithoutHandshakeTests
{
    private const int MostMessages = 18;

    private readonly AgentStateMachine _machine = new("agent1", "a", ["agent2", "agent3"], new SeededRandom(7));

    [Fact]
    public void A_peer_that_was_replaced_by_an_original_agent_makes_the_run_a_bare_classic_one()
    {
        Meet();
        var first = Start();
        Assert.All(first, message => Assert.IsType<NewRound>(message));

        // The original starts the round and names no agent id. The start falls back to a handshake, which finds the original.
        _machine.Step(new ResponseReceived(0, first[0], new Response(ResponseStatus.Started) { Round = 1 }));
        var then = Sent(_machine.Step(new ResponseReceived(1, first[1], Known("agent3"))));
        Assert.All(then, message => Assert.IsType<Handshake>(message));
        _machine.Step(new ResponseReceived(0, then[0], new Response(ResponseStatus.Reset)));
        Assert.IsType<Reset>(Assert.Single(Sent(_machine.Step(new ResponseReceived(1, then[1], Known("agent3"))))));
    }

    [Fact]
    public void A_peer_that_fell_silent_is_asked_by_a_handshake()
    {
        Meet();
        _machine.Step(new RequestFailed(1, new StateQuery()));
        Assert.All(Start(), message => Assert.IsType<Handshake>(message));
    }

    [Fact]
    public void Two_peers_with_one_id_are_asked_by_a_handshake()
    {
        Meet("agent2", "agent2");
        Assert.All(Start(), message => Assert.IsType<Handshake>(message));
    }

    [Fact]
    public void A_run_whose_name_a_peer_has_already_left_is_started_over_above_it()
    {
        // The peer received a run with this id before agent1 created it, or was reset since.
        Meet();
        var first = Start();
        var stale = Known("agent3") with
        {
            Status = ResponseStatus.Ignored,
            Reason = ResponseReason.StaleRun,
            HighestSeenRun = first[1].Run!.Id,
        };
        var then = Sent(_machine.Step(new ResponseReceived(1, first[1], stale)));
        Assert.All(then, message => Assert.IsType<Handshake>(message));
        Assert.Equal(2, then.Count);
    }

    [Fact]
    public void A_run_that_only_a_minority_can_decide_since_its_peers_restarted_is_started_over_by_a_handshake()
    {
        Meet();
        var first = Start();
        _machine.Step(new ResponseReceived(0, first[0], Restarted("agent2", first[0])));
        var handshakes = Sent(_machine.Step(new ResponseReceived(1, first[1], Restarted("agent3", first[1]))));
        Assert.All(handshakes, message => Assert.IsType<Handshake>(message));
        _machine.Step(new ResponseReceived(0, handshakes[0], Known("agent2") with { Boot = "later", HighestSeenRun = first[0].Run!.Id }));
        var second = Sent(
            _machine.Step(new ResponseReceived(
                1, handshakes[1], Known("agent3") with { Boot = "later", HighestSeenRun = first[0].Run!.Id })));
        Assert.All(second, message =>
            Assert.Equal(["a", "later", "later"], message.Run!.Members.OrderBy(member => member.Key).Select(member => member.Value)));
        Assert.True(second[0].Run!.Id > first[0].Run!.Id);
        Assert.Null(_machine.Stalled());
    }

    [Fact]
    public void A_run_goes_on_where_one_of_three_restarted()
    {
        Meet();
        var first = Start();
        _machine.Step(new ResponseReceived(0, first[0], Restarted("agent2", first[0])));
        var started = Known("agent3") with { Status = ResponseStatus.Started, Run = first[1].Run!.Id };
        var ended = _machine.Step(new ResponseReceived(1, first[1], started)).OfType<StartEnded>();
        Assert.IsType<RunStarted>(Assert.Single(ended).Outcome);
        Assert.Equal(first[0].Run!.Id, _machine.CurrentRun!.Id);
    }

    [Fact]
    public void A_peer_that_refuses_a_decision_is_not_told_it_again_at_once()
    {
        // The peer received a run with this id that has more values.
        Meet();
        var first = Start();
        var (run, value) = (first[0].Run!, ((NewRound)first[0]).Value!.Value);
        _machine.Step(new MessageReceived(new Vote("agent2", value, value, 1, run)));
        var final = Assert.IsType<Final>(
            Assert.Single(Sent(_machine.Step(new ResponseReceived(1, first[1], Known("agent3") with { Run = run.Id })))));
        var refused = Known("agent3") with
        {
            Status = ResponseStatus.Refused,
            Reason = ResponseReason.Disagreement,
            Run = run.Id,
            Decision = new Decision(9, 1, run.Id),
        };
        Assert.Empty(Sent(_machine.Step(new ResponseReceived(1, final, refused))));
    }

    [Fact]
    public void A_decision_in_one_round_takes_few_messages_in_whatever_order_they_arrive()
    {
        var max = 0;
        for (var seed = 1; seed <= 500; seed++)
        {
            var random = new SeededRandom((ulong)seed);
            var messages = 0;
            var rounds = 1;
            var cluster = new ScheduledCluster(new Schedule(3, 3, DrawStrategy.Fresh, seed, false, []))
            {
                Watch = (machine, _, effects) =>
                {
                    messages += effects.Count(effect => effect is Send { Message: not StateQuery });
                    rounds = Math.Max(rounds, machine.CurrentRound);
                },
            };
            cluster.Start(seed % 3);
            for (var move = 0; move < 60; move++)
            {
                cluster.Move(ScheduledCluster.Move(0, random.Next(1000)));
            }

            Assert.True(cluster.ComeToRest());
            Assert.All(cluster.Machines, machine => Assert.NotNull(machine.CurrentDecision));
            max = Math.Max(max, rounds == 1 ? messages : 0);
        }

        Assert.InRange(max, 6, MostMessages);
    }

    private static Response Known(string id) => new(ResponseStatus.Reset) { AgentId = id, Boot = "b", Agents = 3 };

    private static Response Restarted(string id, Message message) =>
        Known(id) with { Status = ResponseStatus.Ok, Boot = "later", Learner = true, Run = message.Run!.Id };

    private void Meet(string second = "agent2", string third = "agent3")
    {
        _machine.Step(new ResponseReceived(0, new StateQuery(), Known(second)));
        _machine.Step(new ResponseReceived(1, new StateQuery(), Known(third)));
    }

    private List<Message> Start() => Sent(_machine.Step(new StartRun(1, new RunRequest())));

    private static List<Message> Sent(IReadOnlyList<Effect> effects) => [.. effects.OfType<Send>().Select(send => send.Message)];
}
