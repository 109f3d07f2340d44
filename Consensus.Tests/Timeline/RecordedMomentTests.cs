using Consensus.Protocol;
using Consensus.Simulation.Exploration;
using Consensus.Timeline;

namespace Consensus.Tests.Timeline;

/// <summary>Any moment of a recorded run can be explored: every state, and every call in flight.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class RecordedMomentTests
{
    [Theory]
    [InlineData(3, 0)]
    [InlineData(3, 1)]
    [InlineData(5, 1)]
    public void A_moment_of_a_run_has_the_states_and_the_calls_in_flight_of_its_agents(int agents, int runsBefore)
    {
        for (var calls = 1; calls <= 12 * agents; calls += 2)
        {
            var cluster = ClusterAfter(agents, runsBefore, calls);
            if (RunOf(cluster) is not { } run)
            {
                continue;
            }

            var explored = new ExploredCluster(OptionsOf(cluster, run), [], keepsStates: true);
            Assert.Empty(explored.Violations);
            Assert.Equal(cluster.Agents.Select(agent => Describe(agent.Machine!.Snapshot())),
                explored.Snapshots.Select(known => Describe(known!)));
            Assert.Equal(
                cluster.Calls.Where(call => call.Message.Run?.Id == run.Id)
                    .Select(call => $"{call.From.Id} {call.To.Id} {call.Message}").Order(),
                explored.Trace!.Calls.Where(call => call is { RespondedAt: null, FailedAt: null } && call.Message.Run?.Id == run.Id)
                    .Select(call => $"{explored.Agents[call.From].Id} {explored.Agents[call.To].Id} {call.Message}").Order());
        }
    }

    [Fact]
    public void A_moment_before_the_run_has_an_id_shows_the_handshake_in_flight()
    {
        var cluster = ClusterAfter(agents: 3, runsBefore: 0, calls: int.MaxValue);
        var timeline = cluster.Merged();
        Assert.Equal("handshake", timeline.Messages[0].Kind);
        var run = timeline.Descriptor!;
        var moment = new RecordedMoment(run, timeline.StartUs, [
            .. cluster.Agents.Select(agent => new RecordedPart(
                agent.Id, cluster.Timelines[agent.Index].ReadRecording(run.Id.ToString()), OffsetUs: 40_000 * agent.Index)),
        ]);
        var explored = new ExploredCluster(new ExplorationOptions(3, run.Rule, run.Values, From: moment), [], keepsStates: true);
        Assert.Equal(["d1", "d2"], explored.NextSteps().Select(next => next.Step.ToString()).Where(step => step[0] == 'd'));
        Assert.Equal(["handshake", "handshake"], SimulatedTimeline.Of(explored.Trace!, 3, "", []).Messages.Select(message => message.Kind));
    }

    [Fact]
    public void A_path_goes_on_from_a_moment_to_a_decision()
    {
        var cluster = ClusterAfter(agents: 3, runsBefore: 1, calls: 2);
        var options = OptionsOf(cluster, RunOf(cluster)!);
        var path = new List<ExplorationStep>();
        while (!new ExploredCluster(options, path).Snapshots.All(known => known!.Decision is not null))
        {
            path.Add(new ExploredCluster(options, path).NextSteps()
                .Select(next => next.Step)
                .First(step => step.Kind is ExplorationStepKind.Deliver or ExplorationStepKind.Respond or ExplorationStepKind.Window));
            Assert.True(path.Count < ExplorationOptions.MaxSteps);
        }

        Assert.Empty(new ExploredCluster(options, path).Violations);
    }

    [Fact]
    public void A_decision_that_an_agent_holds_from_the_run_before_violates_nothing()
    {
        for (var calls = 1; calls <= 24; calls++)
        {
            // The second run begins with a handshake, since agent3 did not answer in the first.
            var cluster = new RecordedCluster(TimeSpan.Zero, TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(80))
            {
                Loses = (_, to) => to == 2,
            };
            cluster.Run();
            cluster.Loses = (_, _) => false;
            cluster.Run(calls: calls);
            Assert.Empty(new ExploredCluster(OptionsOf(cluster, RunOf(cluster)!), []).Violations);
        }
    }

    [Fact]
    public void An_agent_that_is_down_can_be_restarted()
    {
        var cluster = ClusterAfter(agents: 3, runsBefore: 1, calls: 4);
        var options = OptionsOf(cluster, RunOf(cluster)!, without: 2);
        var explored = new ExploredCluster(options, []);
        Assert.Null(explored.Snapshots.Last());
        Assert.Contains(explored.NextSteps(), next => next.Step.ToString() == "u3");
        Assert.NotNull(new ExploredCluster(options, ExplorationStep.ParsePath("u3")).Snapshots.Last());
    }

    private static RecordedCluster ClusterAfter(int agents, int runsBefore, int calls)
    {
        var cluster = new RecordedCluster([.. Enumerable.Range(0, agents).Select(agent => TimeSpan.FromMilliseconds(40 * agent))]);
        for (var run = 0; run < runsBefore; run++)
        {
            cluster.Run();
        }

        cluster.Run(calls: calls);
        return cluster;
    }

    private static RunDescriptor? RunOf(RecordedCluster cluster) =>
        cluster.Agents.Select(agent => agent.Machine!.CurrentRun).OfType<RunDescriptor>().MaxBy(run => run.Id);

    private static ExplorationOptions OptionsOf(RecordedCluster cluster, RunDescriptor run, int without = -1) =>
        new(cluster.Agents.Count, run.Rule, run.Values, Spread: run.Spread, From: new RecordedMoment(run, long.MaxValue, [
            .. cluster.Agents.Select(agent => new RecordedPart(
                agent.Id, agent.Index == without ? null : cluster.Timelines[agent.Index].ReadRecording(null),
                OffsetUs: 40_000 * agent.Index)),
        ]));

    private static string Describe(AgentSnapshot known) =>
        $"{known.AgentId} {known.Run?.Id} {known.Round} {known.Phase} {known.MyValue} "
        + $"{known.Decision} {string.Join(' ', known.Proposals)} {string.Join(' ', known.Votes)}";
}
