using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Tests.Protocol;

/// <summary>Relayed messages: what they cost, and that nothing depends on the relay.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class RelayTests
{
    private const int Seeds = 40;
    private static readonly RunRequest Relayed = new(Draw: DrawStrategy.Plurality, Spread: Spread.Relay);
    private static readonly RunDescriptor Run = new(
        new RunId(1, "agent1", "b1"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200,
        new Dictionary<string, string> { ["agent1"] = "b1", ["agent2"] = "b2", ["agent3"] = "b3" }, Spread: Spread.Relay);

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(9)]
    [InlineData(31)]
    public void A_decision_in_one_round_costs_at_most_three_requests_for_each_peer(int agents)
    {
        var decidedInOneRound = 0;
        for (var seed = 1; seed <= Seeds && decidedInOneRound < 5; seed++)
        {
            var cluster = new TimedCluster(agents, seed);
            cluster.Decide(Relayed with { Values = 2 });
            Assert.Null(cluster.Violation);
            Assert.InRange(cluster.Requests, 2 * (agents - 1), ((2 * cluster.Rounds) + 1) * (agents - 1));
            decidedInOneRound += cluster.Rounds == 1 ? 1 : 0;
        }

        Assert.Equal(5, decidedInOneRound);
    }

    [Fact]
    public void Three_agents_need_5_6_requests_in_the_mean_over_draws_and_rounds()
    {
        var requests = Enumerable.Range(1, 500).Select(seed =>
        {
            var cluster = new TimedCluster(3, seed);
            cluster.Decide(new RunRequest(Spread: Spread.Relay));
            return cluster.Requests;
        });
        Assert.InRange(requests.Average(), 4, 5.6);
    }

    [Fact]
    public void Agents_that_hold_the_decision_ask_the_relay_once_whether_all_hold_it()
    {
        var cluster = new TimedCluster(9, 1);
        cluster.Decide(Relayed);
        cluster.GoOn(100);
        var before = cluster.Requests;
        cluster.GoOn(60_000);
        Assert.Equal(8, cluster.Requests - before);
    }

    // The model checker found this with two initiators: a relay that is reset before it sent the decision to all sends it no more.
    [Fact]
    public void A_decision_reaches_every_agent_where_the_relay_is_reset_before_it_sent_it_to_all()
    {
        var agent3 = NewAgent3();
        agent3.Step(new ResponseReceived(0, new StateQuery(), new Response(ResponseStatus.Ok) { AgentId = "agent1", Boot = "b1" }));
        agent3.Step(new MessageReceived(new Final(1, 1, Run, "agent1")));
        var asked = Assert.Single(Fire().OfType<Send>());
        Assert.Equal(0, asked.Peer);
        agent3.Step(new ResponseReceived(0, asked.Message,
            new Response(ResponseStatus.Ignored)
            {
                AgentId = "agent1", Boot = "b1", Reason = ResponseReason.StaleRun, HighestSeenRun = Run.Id,
            }));
        Assert.Equal([1], Fire().OfType<Send>().Select(send => send.Peer));

        IEnumerable<Effect> Fire() => [.. agent3.Step(new TimerFired(Consensus.Protocol.Timer.Dissemination))];
    }

    [Theory]
    [InlineData(3, InitiatorFault.Crash)]
    [InlineData(3, InitiatorFault.CutOff)]
    [InlineData(3, InitiatorFault.Slow)]
    [InlineData(4, InitiatorFault.CutOff)]
    [InlineData(5, InitiatorFault.Crash)]
    [InlineData(9, InitiatorFault.Crash)]
    [InlineData(9, InitiatorFault.CutOff)]
    [InlineData(9, InitiatorFault.Slow)]
    public void An_initiator_that_fails_after_any_step_delays_the_others_by_a_hold_and_two_windows_a_round(int agents, InitiatorFault fault)
    {
        for (var step = 2; step <= 2 * agents; step++)
        {
            var cluster = new TimedCluster(agents, seed: step, fault, step);
            var took = cluster.Decide(Relayed);
            Assert.Null(cluster.Violation);
            Assert.Single(cluster.Live.Select(agent => agent.Machine!.CurrentDecision!.Value).Distinct());

            // The messages of a phase take a few ms, or 300 ms there and back where they are slow.
            var phase = fault == InitiatorFault.Slow ? 310 : 10;
            Assert.True(took <= cluster.Rounds * ((2 * (ProtocolTiming.HoldMs(agents) + phase)) + (2 * ProtocolTiming.DefaultWindowMs)),
                $"{agents} agents, {fault} after step {step}: {took} ms in {cluster.Rounds} rounds.");
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void A_crashed_agent_costs_no_window(int agents)
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var cluster = new TimedCluster(agents, seed, crashedAgent: true);
            cluster.Decide(Relayed);
            cluster = new TimedCluster(agents, seed, crashedAgent: true);
            Assert.InRange(cluster.Decide(Relayed), 0, cluster.Rounds * 10);
        }
    }

    [Fact]
    public void A_relayed_copy_counts_as_the_message_itself()
    {
        var (straight, relayed) = (NewAgent3(), NewAgent3());
        Vote[] votes = [new("agent2", null, 2, 1)];
        straight.Step(new MessageReceived(votes[0] with { Run = Run }));
        foreach (var agent in new[] { straight, relayed })
        {
            var copies = agent == relayed ? new RelayedMessages(votes) : null;
            agent.Step(new MessageReceived(new Vote("agent1", null, 1, 1, Run) { Relayed = copies }));
        }

        Assert.Equal(KeyOf(straight), KeyOf(relayed));
        Assert.Equal((2, 3), (relayed.CurrentRound, relayed.Snapshot().MyValue));
    }

    [Fact]
    public void The_votes_of_the_last_round_end_it_before_the_next_round_is_entered()
    {
        var agent3 = NewAgent3();
        agent3.Step(new MessageReceived(new Vote("agent1", null, 1, 1, Run)));
        Assert.Equal((1, Phase.Voting), (agent3.CurrentRound, agent3.Snapshot().Phase));
        var next = new Proposal("agent1", 1, 2, Run) { Relayed = new([new("agent1", null, 1, 1), new("agent2", null, 2, 1)]) };
        var effects = agent3.Step(new MessageReceived(next)).ToList();
        Assert.Contains(effects, effect => effect is ProtocolEvent { Kind: ProtocolEventKind.Drew, Round: 2 });
        Assert.DoesNotContain(effects, effect => effect is ProtocolEvent { Kind: ProtocolEventKind.CaughtUp });
    }

    [Fact]
    public void Only_the_initiator_relays()
    {
        var agent3 = NewAgent3();
        agent3.Step(new MessageReceived(new Proposal("agent2", 2, 1, Run) { Relayed = new([new("agent1", null, 1, 1)]) }));
        Assert.False(agent3.Snapshot().Votes.ContainsKey("agent1"));
    }

    [Fact]
    public void A_copy_that_contradicts_its_author_is_refused_and_recorded()
    {
        var agent3 = NewAgent3();
        agent3.Step(new MessageReceived(new Proposal("agent2", 2, 1, Run)));
        var effects = agent3.Step(
            new MessageReceived(new Proposal("agent1", 1, 1, Run) { Relayed = new(null, [new("agent2", 3, 1)]) })).ToList();
        Assert.Contains(effects, effect => effect is ProtocolEvent { Kind: ProtocolEventKind.Equivocated, Other: "agent2" });
        Assert.Equal(2, agent3.Snapshot().Proposals["agent2"]);
    }

    [Theory]
    [InlineData(3, null, null, Spread.Direct)]
    [InlineData(4, null, null, Spread.Relay)]
    [InlineData(3, null, Spread.Relay, Spread.Relay)]
    [InlineData(4, null, Spread.Direct, Spread.Direct)]
    [InlineData(4, Rule.Classic, Spread.Relay, Spread.Direct)]
    public void Up_to_three_agents_send_to_each_other_and_more_relay_unless_the_caller_says_otherwise(
        int agents, Rule? rule, Spread? asked, Spread expected)
    {
        var cluster = new TimedCluster(agents, 1);
        cluster.Decide(new RunRequest(Rule: rule, Values: 1, Spread: asked));
        Assert.Equal(expected, cluster.Agents[0].Machine!.CurrentRun!.Spread);
    }

    /// <summary>Agent1 proposes 1 and agent3 draws 3.</summary>
    private static AgentStateMachine NewAgent3()
    {
        var machine = new AgentStateMachine("agent3", "b3", ["agent1", "agent2"], new HighestValue());
        machine.Step(new MessageReceived(new NewRound(1, Run, "agent1", 1)));
        return machine;
    }

    private sealed class HighestValue : IRandomSource
    {
        public int Next(int exclusiveMax) => exclusiveMax - 1;
    }

    private static byte[] KeyOf(AgentStateMachine machine)
    {
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer);
        machine.EncodeFingerprint(writer, mayStart: false, peerKnowledge: false);
        return buffer.ToArray();
    }
}
