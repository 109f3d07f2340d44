using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Mutants;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Consensus.Tests.Protocol;

/// <summary>
/// What holds whatever happens. The seeds are fixed, so that a build fails for its change and not by chance; leave out
/// <c>Replay</c> to look for more.
/// </summary>
[Properties(Arbitrary = [typeof(Schedules)], QuietOnSuccess = true)]
[Trait(Category.Name, Category.Proof)]
public sealed class ScheduleProperties
{
    private const string Seed = "1983,81";

    // Agreement, validity, integrity, one proposal and one vote a round, and the silence of learners.
    [Property(MaxTest = 3000, Replay = Seed)]
    public void No_loss_repetition_delay_restart_or_reset_breaks_a_promise(Schedule schedule)
    {
        var cluster = new ScheduledCluster(schedule);
        foreach (var move in schedule.Moves)
        {
            cluster.Move(move);
            Assert.True(cluster.Violation is null, cluster.Violation?.Explanation);
        }
    }

    [Property(MaxTest = 300, Replay = Seed)]
    public void Once_the_network_heals_another_run_is_decided_by_all(Schedule schedule)
    {
        var cluster = new ScheduledCluster(schedule);
        foreach (var move in schedule.Moves)
        {
            cluster.Move(move);
        }

        cluster.Start(schedule.Seed % schedule.Agents);
        Assert.True(cluster.ComeToRest(), "The agents talk for ever.");
        Assert.True(cluster.Violation is null, cluster.Violation?.Explanation);
        var decisions = cluster.Machines.Select(
            machine => (machine.CurrentDecision?.Run, machine.CurrentDecision?.Value)).Distinct().ToList();
        var (run, value) = Assert.Single(decisions);
        Assert.NotNull(value);
        Assert.Equal(cluster.Machines.Max(machine => machine.HighestSeenRun), run);
    }

    [Property(MaxTest = 300, Replay = Seed)]
    public void A_decision_stays_until_a_newer_run_or_a_reset(Schedule schedule)
    {
        var held = new Dictionary<AgentStateMachine, Decision>(ReferenceEqualityComparer.Instance);
        Play(schedule, (machine, input, _) =>
        {
            if (held.TryGetValue(machine, out var before)
                && input is not MessageReceived { Message: Reset } && machine.CurrentDecision != before)
            {
                // A bare run, which has no name, ends with a described one.
                Assert.True(machine.CurrentRun is { } run && (before.Run is null || run.Id > before.Run),
                    $"{before} became {machine.CurrentDecision}.");
            }

            held.Remove(machine);
            if (machine.CurrentDecision is { } decision)
            {
                held.Add(machine, decision);
            }
        });
    }

    [Property(MaxTest = 300, Replay = Seed)]
    public void Highest_seen_runs_never_sink_and_rounds_of_a_run_never_fall(Schedule schedule)
    {
        var held = new Dictionary<AgentStateMachine, (RunId HighestSeenRun, RunId? Run, int Round)>(ReferenceEqualityComparer.Instance);
        Play(schedule, (machine, _, effects) =>
        {
            var now = (machine.HighestSeenRun, machine.CurrentRun?.Id, machine.CurrentDecision is null ? machine.CurrentRound : 0);
            if (held.TryGetValue(machine, out var before))
            {
                // An initiator that no quorum joined rolls back.
                var inVain = before.HighestSeenRun.Initiator == machine.Id
                    && effects.Any(effect => effect is StartEnded { Outcome: not RunStarted });
                Assert.True(inVain || now.HighestSeenRun >= before.HighestSeenRun,
                    $"{machine.Id}'s floor fell from {before.HighestSeenRun} to {now.HighestSeenRun}.");
                Assert.False(now.Id is not null && now.Id == before.Run && now.Item3 != 0 && now.Item3 < before.Round,
                    $"{machine.Id} went from round {before.Round} back to {now.Item3}.");
            }

            held[machine] = now;
        });
    }

    [Property(MaxTest = 300, Replay = Seed)]
    public void Every_message_is_answered_exactly_once_and_nothing_else_is(Schedule schedule) =>
        Play(schedule, (_, input, effects) => Assert.Equal(input is MessageReceived ? 1 : 0, effects.Count(effect => effect is Reply)));

    [Property(MaxTest = 200, Replay = Seed)]
    public void The_same_schedule_makes_the_same_history(Schedule schedule) => Assert.Equal(Log(schedule), Log(schedule));

    [Property(MaxTest = 60, Replay = Seed)]
    public void A_copy_takes_the_same_step_and_leaves_the_original_alone(Schedule schedule)
    {
        // Seeded, because copies share the source of free draws.
        var copies = new Dictionary<AgentStateMachine, AgentStateMachine>(ReferenceEqualityComparer.Instance);
        Play(schedule with { SeededDraws = true }, (machine, input, effects) =>
        {
            // Bare runs draw freely whatever the seed.
            if (copies.TryGetValue(machine, out var copy)
                && input is not MessageReceived { Message: NewRound { Run: null } } && machine.CurrentRun is not null)
            {
                var before = ObjectGraph.Describe(machine);
                Assert.Equal(TextOf(effects), TextOf(copy.Step(input)));
                Assert.Equal(before, ObjectGraph.Describe(copy));
                Assert.Equal(before, ObjectGraph.Describe(machine));
            }

            copies[machine] = machine.Clone();
        });
    }

    // The model checker catches every mutant. Here one of each kind shows that the schedules of the first property can break one.
    [Theory]
    [InlineData("short-vote-quorum")]
    [InlineData("old-final-accepted")]
    [InlineData("forgotten-floor")]
    public void The_same_schedules_catch_a_mutant_of_each_kind(string mutant)
    {
        var schedules = Gen.Sample(Schedules.Schedule().Generator, 1000, new Rnd(1983, 81), 50)
            .Concat(Enumerable.Range(0, 20).SelectMany(i => Gen.Sample(Schedules.Schedule().Generator, 1000, new Rnd((ulong)i, 81), 50)));
        Assert.Contains(schedules, schedule => Breaks(schedule, Mutant.Find(mutant).Factory));
    }

    private static bool Breaks(Schedule schedule, StateMachineFactory make)
    {
        var cluster = new ScheduledCluster(schedule, make);
        return schedule.Moves.Any(move =>
        {
            cluster.Move(move);
            return cluster.Violation is not null;
        });
    }

    private static void Play(Schedule schedule, Action<AgentStateMachine, Input, IReadOnlyList<Effect>> watch)
    {
        var cluster = new ScheduledCluster(schedule) { Watch = watch };
        foreach (var move in schedule.Moves)
        {
            cluster.Move(move);
        }
    }

    private static List<string> Log(Schedule schedule)
    {
        var log = new List<string>();
        Play(schedule, (machine, input, effects) => log.Add($"{machine.Id}: {input} -> {TextOf(effects)}"));
        return log;
    }

    private static string TextOf(IReadOnlyList<Effect> effects) => string.Join("; ", effects);
}
