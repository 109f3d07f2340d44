using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Exploration;
using Consensus.Simulation.Seeded;
using Consensus.Timeline;

namespace Consensus.Tests.Timeline;

/// <summary>The states in timelines of simulated and explored runs.</summary>
[Trait(Category.Name, Category.Fast)]
public class SimulatedStatesTests
{
    [Theory]
    [InlineData(1, Spread.Direct)]
    [InlineData(2, Spread.Relay)]
    [InlineData(3, Spread.Direct)]
    public void The_changes_of_a_run_with_faults_add_up_to_the_state_of_each_core(long seed, Spread spread)
    {
        var options = new SimulationOptions(
            5, Drop: Probability.Of(0.1m), Crash: Probability.Of(0.03m), Reset: Probability.Of(0.01m), Spread: spread);
        var trace = new SimulationTrace(keepsStates: true);
        var simulator = new Simulator(options);
        simulator.Run(seed, trace);
        var timeline = SimulatedTimeline.Of(trace, 5, "", []);
        Assert.Contains(timeline.States!, state => state.Down == true);
        foreach (var agent in simulator.Agents)
        {
            var (expected, found) = (agent.Machine!.Snapshot(), StateOf(timeline, agent.Index));
            Assert.Equal(expected.Run?.Id.ToString(), found.Run);
            Assert.Equal((expected.Round, expected.Phase), (found.Round ?? 0, found.Phase ?? Phase.Waiting));
            Assert.Equal((expected.MyValue, expected.Attempts), (found.Value, found.Attempts ?? 0));
            Assert.Equal((expected.Learner, expected.Decision?.Value, expected.Stalled),
                (found.Learner ?? false, found.Decision?.Value, found.Stalled));
            Assert.Equal(expected.Proposals.Select(one => (one.Key, one.Value)), Named(found.Proposals));
            Assert.Equal(expected.Votes.Select(one => (one.Key, one.Value ?? 0)), Named(found.Votes));
        }
    }

    [Fact]
    public void The_response_that_makes_an_agent_a_learner_shows_its_run()
    {
        var learned = Explore("s1.1-d1.1-c2-u2-d4-r4");
        var query = Assert.Single(learned.Messages, message => message.Piggybacked?.Kind == "state");
        Assert.Equal(("state", 1, 0), (query.Kind, query.From, query.To));
        Assert.Equal("run 1.agent1.a1", learned.Texts![query.Piggybacked!.Text!.Value]);
    }

    [Fact]
    public void A_decision_names_its_votes_and_the_message_or_response_that_completed_it()
    {
        var ratified = Explore("s1.2-d1.2-r1");
        Assert.Equal("2 of 3 votes: agent1, agent2", Assert.Single(ratified.Events, e => e.Kind == "decided").Support);
        Assert.Equal((0, 1),
            Assert.Single(ratified.Messages, message => message.ResponseCompletes == true) is var asked ? (asked.From, asked.To) : default);
        Assert.DoesNotContain(ratified.Messages, message => message.Completes == true);

        var classic = Explore("s1.1-d1.1", Rule.Classic);
        Assert.Equal("2 of 3 proposals: agent1, agent2", Assert.Single(classic.Events, e => e.Kind == "decided").Support);
        Assert.Equal("new_round", Assert.Single(classic.Messages, message => message.Completes == true).Kind);
    }

    [Fact]
    public void A_second_run_leaves_the_first_one_drawn_and_its_decisions_held_until_their_agents_join()
    {
        var timeline = Explore("s1.2-d1.2-r1-s3.1");
        Assert.Equal("1.agent3.c1", timeline.Run);
        Assert.Equal("1.agent1.a1", Assert.Single(timeline.Events, e => e.Kind == "decided").Run);
        Assert.Contains(timeline.Messages, message => message.Run == "1.agent1.a1" && message.Kind == "vote");
        Assert.Equal((2, "1.agent1.a1"), (StateOf(timeline, 0).Decision?.Value, StateOf(timeline, 0).Run));
        Assert.Equal("Run 1.agent3.c1: Undecided in round 1.", timeline.Verdict!.Text);

        var joining = timeline.Messages.First(message => message is { Run: null, From: 2, To: 0 });
        var joined = Explore($"s1.2-d1.2-r1-s3.1-d{joining.Id}.3");
        Assert.Equal((null, 3, "1.agent3.c1"), (StateOf(joined, 0).Decision, StateOf(joined, 0).Value, StateOf(joined, 0).Run));
    }

    [Fact]
    public void The_sentence_of_a_counterexample_names_the_agents_in_the_order_in_which_they_decided()
    {
        var options = new SimulationOptions(
            Rule: Rule.Classic, WindowMs: 20, Drop: Probability.Of(0.1m), Pause: Probability.Of(0.02m), Latency: Latency.Tail);
        for (var seed = 1; seed <= 400; seed += 100)
        {
            var found = Counterexample.Find(options, seed, 3_000, violations: 1)!;
            var decided = found.Trace.Steps.SelectMany(
                step => step.Events.Where(e => e.Kind == ProtocolEventKind.Decided).Select(e => (step, e))).ToList();
            var second = decided.First(one => one.e.Value != decided[0].e.Value);
            Assert.StartsWith(
                $"agent{decided[0].step.Agent + 1} received a majority for {decided[0].e.Value} in round {decided[0].e.Round} and decided.",
                found.Sentence(), StringComparison.Ordinal);
            Assert.Contains(
                $" later, agent{second.step.Agent + 1} received a majority for {second.e.Value} in round {second.e.Round}.",
                found.Sentence(), StringComparison.Ordinal);
        }
    }

    private static ClusterTimeline Explore(string path, Rule rule = Rule.Ratified)
    {
        var cluster = new ExploredCluster(new ExplorationOptions(Rule: rule), ExplorationStep.ParsePath(path), keepsStates: true);
        return SimulatedTimeline.Of(cluster.Trace!, 3, "", []);
    }

    private static LaneState StateOf(ClusterTimeline timeline, int lane)
    {
        var state = new LaneState(0, lane);
        foreach (var next in timeline.States!.Where(state => state.Lane == lane))
        {
            var known = next.Fresh == true ? new LaneState(0, lane) : state;
            state = new LaneState(
                next.AtMs, lane, Down: next.Down, Run: next.Run ?? known.Run,
                Round: next.Round ?? known.Round, Phase: next.Phase ?? known.Phase,
                Value: next.Value ?? known.Value, Attempts: next.Attempts ?? known.Attempts, Learner: next.Learner ?? known.Learner,
                Decision: next.Decision ?? known.Decision, Stalled: next.Stalled ?? known.Stalled,
                Proposals: Union(known.Proposals, next.Proposals), Votes: Union(known.Votes, next.Votes));
        }

        return state;
    }

    private static Dictionary<int, int> Union(IReadOnlyDictionary<int, int>? known, IReadOnlyDictionary<int, int>? added) =>
        new([.. known ?? new Dictionary<int, int>(), .. added ?? new Dictionary<int, int>()]);

    private static IEnumerable<(string, int)> Named(IReadOnlyDictionary<int, int>? values) =>
        (values ?? new Dictionary<int, int>()).OrderBy(one => one.Key).Select(one => (AgentIds.IdOf(one.Key), one.Value));
}
