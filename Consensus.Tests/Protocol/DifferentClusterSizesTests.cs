using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>Agents whose PEERS differ in length: what one machine sends and does. Transcripts show several at once.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class DifferentClusterSizesTests
{
    private readonly AgentStateMachine _machine = new("agent1", "a", ["agent2", "agent3"], new SeededRandom(7));

    [Theory]
    [InlineData(typeof(Handshake))]
    [InlineData(typeof(Reset))]
    [InlineData(typeof(StateQuery))]
    public void A_response_that_introduces_an_agent_holds_its_cluster_size(Type message) =>
        Assert.Equal(3, ReplyTo((Message)Activator.CreateInstance(message)!).Agents);

    [Fact]
    public void An_agent_that_counts_fewer_than_the_run_is_a_learner_and_names_the_cause()
    {
        var answer = ReplyTo(new NewRound(1, RunOf(4), "agent2", 1));
        Assert.Equal((true, ResponseReason.ClusterSize, 3), (answer.Learner, answer.Reason, answer.Agents));
        Assert.Null(ReplyTo(new NewRound(1, RunOf(3, number: 2), "agent2", 1)).Learner);
    }

    [Fact]
    public void A_restarted_learner_that_counts_as_many_as_the_run_gives_no_reason()
    {
        var answer = ReplyTo(new NewRound(1, RunOf(3, boot: "before"), "agent2", 1));
        Assert.Equal((true, null, 3), (answer.Learner, answer.Reason, answer.Agents));
    }

    [Fact]
    public void A_peer_known_to_count_differently_is_asked_by_a_handshake()
    {
        Meet(agents2: 3, agents3: 2);
        Assert.All(Start(), message => Assert.IsType<Handshake>(message));
    }

    [Fact]
    public void A_peer_that_has_not_said_how_many_it_counts_is_asked_by_a_handshake_and_does_not_stop_the_run()
    {
        Meet(agents2: 3, agents3: null);
        var handshakes = Start();
        Assert.All(handshakes, message => Assert.IsType<Handshake>(message));
        _machine.Step(new ResponseReceived(0, handshakes[0], Known("agent2", 3)));
        Assert.All(Sent(_machine.Step(new ResponseReceived(1, handshakes[1], Known("agent3", null)))),
            message => Assert.IsType<NewRound>(message));
    }

    [Fact]
    public void A_start_is_refused_before_the_last_agent_has_answered_only_when_the_wait_is_over()
    {
        var handshakes = Start();
        _machine.Step(new ResponseReceived(0, handshakes[0], Known("agent2", 2)));
        var outcome = Assert.Single(_machine.Step(new TimerFired(Timer.Start)).OfType<StartEnded>()).Outcome;
        Assert.Equal(new Dictionary<string, int> { ["agent1"] = 3, ["agent2"] = 2 }, Assert.IsType<ClusterSizeMismatch>(outcome).Sizes);
        Assert.Null(_machine.CurrentRun);
        Assert.True(_machine.HighestSeenRun.IsNone);
    }

    [Fact]
    public void A_start_without_a_handshake_that_too_few_can_join_for_their_size_is_refused_and_undone()
    {
        Meet(agents2: 3, agents3: 3);
        var first = Start();
        Assert.All(first, message => Assert.IsType<NewRound>(message));

        // agent2 died, and agent3 came back with fewer peers.
        var learner = Known("agent3", 2) with
        {
            Status = ResponseStatus.Ok,
            Learner = true,
            Reason = ResponseReason.ClusterSize,
            Run = first[0].Run!.Id,
        };
        _machine.Step(new ResponseReceived(1, first[1], learner));
        var handshakes = Sent(_machine.Step(new RequestFailed(0, first[0])));
        Assert.All(handshakes, message => Assert.IsType<Handshake>(message));
        _machine.Step(new ResponseReceived(1, handshakes[1], Known("agent3", 2)));
        var ended = _machine.Step(new RequestFailed(0, handshakes[0])).OfType<StartEnded>();
        Assert.IsType<ClusterSizeMismatch>(Assert.Single(ended).Outcome);
        Assert.Null(_machine.CurrentRun);
    }

    [Fact]
    public void A_run_without_a_handshake_goes_on_where_enough_others_count_alike()
    {
        Meet(agents2: 3, agents3: 3);
        var first = Start();
        _machine.Step(new ResponseReceived(1, first[1], Known("agent3", 2) with
        {
            Status = ResponseStatus.Ok,
            Learner = true,
            Reason = ResponseReason.ClusterSize,
            Run = first[0].Run!.Id,
        }));
        var started = Known("agent2", 3) with { Status = ResponseStatus.Started, Run = first[0].Run!.Id };
        var ended = _machine.Step(new ResponseReceived(0, first[0], started)).OfType<StartEnded>();
        Assert.IsType<RunStarted>(Assert.Single(ended).Outcome);
    }

    [Fact]
    public void A_silent_peer_known_to_count_differently_is_no_member_of_the_run()
    {
        Meet(agents2: 3, agents3: 2);
        var handshakes = Start();
        _machine.Step(new ResponseReceived(0, handshakes[0], Known("agent2", 3)));
        var first = Sent(_machine.Step(new RequestFailed(1, handshakes[1]))).OfType<NewRound>().First();
        Assert.Equal(["agent1", "agent2"], first.Run!.Members.Keys.Order());
    }

    [Fact]
    public void A_stall_names_the_agent_that_counts_differently()
    {
        var run = RunOf(3);
        ReplyTo(new NewRound(1, run, "agent2", 1));
        _machine.Step(new ResponseReceived(0, new StateQuery(), Known("agent2", 5)));
        Assert.Null(_machine.Stalled());
        _machine.Step(new ResponseReceived(1, new StateQuery(), Known("agent3", 3) with { Boot = "later" }));
        Assert.Equal("agent2 counts 5 agents, the run 3; agent3 restarted: name all others in PEERS of each agent, then POST /run again",
            _machine.Stalled());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(200)]
    [InlineData(60_000)]
    public void A_start_waits_as_long_whatever_the_window_of_its_run(int windowMs)
    {
        var handshakes = Start(windowMs);
        var waits = _machine.Step(new ResponseReceived(0, handshakes[0], Known("agent2", 3))).OfType<SetTimer>()
            .Where(arm => arm.Timer == Timer.Start);
        Assert.Equal(200, Assert.Single(waits).DelayMs);
        var first = Sent(_machine.Step(new ResponseReceived(1, handshakes[1], Known("agent3", 3))));
        waits = _machine.Step(new ResponseReceived(0, first[0], Known("agent2", 3))).OfType<SetTimer>()
            .Where(arm => arm.Timer == Timer.Start);
        Assert.Equal(200, Assert.Single(waits).DelayMs);
    }

    [Theory]
    [InlineData(0, 50)]
    [InlineData(200, 200)]
    [InlineData(60_000, 2_000)]
    public void A_message_is_first_sent_again_after_the_window_but_not_at_once_nor_after_more_than_two_seconds(int windowMs, int pauseMs)
    {
        var effects = _machine.Step(new MessageReceived(new NewRound(1, RunOf(3) with { WindowMs = windowMs }, "agent2", 1)));
        Assert.Equal(pauseMs, effects.OfType<SetTimer>().First(arm => arm.Timer == Timer.Retransmit).DelayMs);
    }

    private static RunDescriptor RunOf(int n, long number = 1, string boot = "a") => new(
        new RunId(number, "agent2", "b"), n, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200,
        new Dictionary<string, string> { ["agent1"] = boot, ["agent2"] = "b", ["agent3"] = "b" });

    private static Response Known(string id, int? agents) => new(ResponseStatus.Reset) { AgentId = id, Boot = "b", Agents = agents };

    private void Meet(int? agents2, int? agents3)
    {
        _machine.Step(new ResponseReceived(0, new StateQuery(), Known("agent2", agents2)));
        _machine.Step(new ResponseReceived(1, new StateQuery(), Known("agent3", agents3)));
    }

    private Response ReplyTo(Message message) => Assert.Single(_machine.Step(new MessageReceived(message)).OfType<Reply>()).Response;

    private List<Message> Start(int windowMs = 200) => Sent(_machine.Step(new StartRun(1, new RunRequest(WindowMs: windowMs))));

    private static List<Message> Sent(IReadOnlyList<Effect> effects) => [.. effects.OfType<Send>().Select(send => send.Message)];
}
