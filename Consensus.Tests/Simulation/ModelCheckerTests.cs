using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.ModelChecking;
using Consensus.Simulation.Mutants;

namespace Consensus.Tests.Simulation;

[Trait(Category.Name, Category.Proof)]
public sealed class ModelCheckerTests
{
    private static readonly ModelCheckerOptions FaultFree = new(Crashes: 0, Resets: 0);

    [Fact]
    public void Every_property_holds_in_every_state_of_two_rounds_with_a_crash_and_a_reset()
    {
        var report = new ModelChecker(new ModelCheckerOptions()).Run();
        Assert.Null(report.Broken);
        Assert.True(report.Holds, string.Join('\n', report.Lines()));
        Assert.Equal(["adopts", "catches up", "decides in round 1", "decides in round 2", "learns"],
            report.Reachability.Select(reached => reached.Name).Order());
    }

    [Fact]
    public void Every_property_holds_where_restarted_agents_restore_what_they_persisted()
    {
        var report = new ModelChecker(new ModelCheckerOptions(Durable: true), partialOrderReduction: true).Run();
        Assert.True(report.Holds, string.Join('\n', report.Lines()));
        Assert.Contains(report.Reachability, reached => reached is { Name: "restores a decision", Seen: true });
    }

    [Fact]
    public void No_agent_gets_a_boot_twice()
    {
        for (var directions = 0; directions < 8; directions++)
        {
            var boots = new List<char> { TransitionTable.FirstBoot };
            for (var restart = 0; restart < 3; restart++)
            {
                var isLater = (directions >> restart) % 2 == 1;
                var boot = TransitionTable.NextBoot(boots[^1], isLater ? 1 : -1);
                Assert.All(boots, earlier => Assert.Equal(isLater, boot > earlier));
                Assert.DoesNotContain(boot, boots);
                boots.Add(boot);
            }
        }
    }

    [Theory]
    [InlineData("decision-not-restored")]
    [InlineData("silent-learners")]
    [InlineData("restarted-member")]
    public void A_mutant_that_restores_wrongly_is_caught(string mutant)
    {
        var bounds = FaultFree with { Rounds = 1, Crashes = 1, Durable = true };
        AssertCaught(mutant, new ModelChecker(bounds, Mutant.Find(mutant).Factory, symmetry: false, partialOrderReduction: true).Run());
    }

    [Theory]
    [InlineData(1, 2, 1, 1, false)]
    [InlineData(1, 2, 1, 1, true)]
    [InlineData(2, 1, 0, 0, false)]
    public void Every_property_holds_where_the_initiator_relays(int initiators, int rounds, int crashes, int resets, bool durable)
    {
        var bounds = new ModelCheckerOptions(
            Initiators: initiators, Rounds: rounds, Crashes: crashes, Resets: resets, Durable: durable, Spread: Spread.Relay);
        AssertHolds(bounds, partialOrderReduction: true);
    }

    [Fact]
    public void A_relay_that_passes_on_a_vote_that_its_author_never_sent_is_caught()
    {
        var bounds = FaultFree with { Spread = Spread.Relay };
        AssertCaught("forging-relay",
            new ModelChecker(bounds, Mutant.Find("forging-relay").Factory, symmetry: false, partialOrderReduction: true).Run());
    }

    // ProofStepTests hunt every mutant. Here one of each kind shows that a violation is found where messages are relayed.
    [Theory]
    [InlineData("short-vote-quorum", 2, 0, 0, 1)]
    [InlineData("restarted-member", 1, 1, 0, 1)]
    [InlineData("old-final-accepted", 1, 0, 0, 2)]
    [InlineData("clearing-handshake", 1, 0, 0, 1)]
    public void A_mutant_of_each_kind_is_caught_where_the_initiator_relays_too(
        string mutant, int rounds, int crashes, int resets, int starts)
    {
        var bounds = new ModelCheckerOptions(Rounds: rounds, Crashes: crashes, Resets: resets, Starts: starts, Spread: Spread.Relay);
        Assert.NotNull(new ModelChecker(bounds, Mutant.Find(mutant).Factory, symmetry: false, partialOrderReduction: true).Run().Broken);
    }

    [Fact]
    public void Two_initiators_at_once_break_nothing_in_any_state_of_one_round() =>
        AssertHolds(FaultFree with { Initiators = 2, Rounds = 1 }, partialOrderReduction: true);

    [Fact]
    public void Plurality_draws_break_nothing_in_any_state_of_two_rounds() => AssertHolds(FaultFree with { Draw = DrawStrategy.Plurality });

    /// <summary>By mutant: the rounds, crashes, resets and starts that show its violation.</summary>
    public static TheoryData<string, int, int, int, int> Hunts => new()
    {
        { "no-adoption", 2, 0, 0, 1 },
        { "decision-on-one-vote", 2, 0, 0, 1 },
        { "short-proposal-quorum", 2, 0, 0, 1 },
        { "short-vote-quorum", 2, 0, 0, 1 },
        { "restarted-member", 1, 1, 0, 1 },
        { "forgotten-floor", 1, 0, 1, 1 },
        { "old-final-accepted", 1, 0, 0, 2 },
        { "run-id-without-boot", 1, 1, 0, 2 },
        { "own-floor-not-raised", 1, 0, 0, 2 },
        { "clearing-handshake", 1, 0, 0, 1 },
    };

    [Fact]
    public void Every_mutant_is_hunted() => Assert.Equal(
        Mutant.All.Select(mutant => mutant.Name).Order(),
        Hunts.Select(hunt => (string)hunt[0]).Concat(
            ["draw-on-catch-up", "cluster-sizes-not-compared", "decision-not-restored", "silent-learners", "forging-relay"]).Order());

    [Theory]
    [InlineData(1, 2, 1, 1, false)]
    [InlineData(1, 2, 1, 1, true)]
    [InlineData(3, 1, 0, 0, false)]
    public void Every_property_holds_where_one_agent_counts_one_agent_less(
        int initiators, int rounds, int crashes, int resets, bool durable)
    {
        var bounds = new ModelCheckerOptions(
            Initiators: initiators, Rounds: rounds, Crashes: crashes, Resets: resets, Durable: durable, MisconfiguredAgents: 1);
        var report = new ModelChecker(bounds, partialOrderReduction: true).Run();
        Assert.True(report.Holds, string.Join('\n', report.Lines()));
        Assert.Contains(report.Reachability, reached => reached is { Name: "refuses a start for cluster sizes", Seen: true });
    }

    [Fact]
    public void A_mutant_that_compares_no_cluster_sizes_is_caught()
    {
        var report = new ModelChecker(
            FaultFree with { Rounds = 1, MisconfiguredAgents = 1 }, Mutant.Find("cluster-sizes-not-compared").Factory).Run();
        AssertCaught("cluster-sizes-not-compared", report);
    }

    [Fact]
    public void A_mutant_that_draws_to_catch_up_is_caught_in_three_rounds_and_not_in_two()
    {
        var bounds = FaultFree with { Rounds = 3 };
        Assert.Null(new ModelChecker(bounds with { Rounds = 2 }, Mutant.Find("draw-on-catch-up").Factory).Run().Broken);
        Assert.Equal(PropertyNames.Agreement,
            new ModelChecker(bounds, Mutant.Find("draw-on-catch-up").Factory, partialOrderReduction: true).Run().Broken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_classic_rule_disagrees_in_eight_steps(bool reduced)
    {
        var report = new ModelChecker(FaultFree with { Rule = Rule.Classic }, partialOrderReduction: reduced).Run();
        Assert.Equal(PropertyNames.Agreement, report.Broken);
        Assert.False(report.Holds);
        Assert.Equal(8, report.Path!.Count);
        Assert.Contains("decides", report.Path[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reachability_property_that_is_never_reached_fails_the_check()
    {
        // Both agents see the same proposals, so a round without a decision has no vote to adopt.
        var report = new ModelChecker(new ModelCheckerOptions(Agents: 2, Rounds: 3)).Run();
        Assert.Null(report.Broken);
        Assert.Equal("adopts", Assert.Single(report.Reachability, reached => !reached.Seen).Name);
        Assert.False(report.Holds);
    }

    [Fact]
    public void Bounds_with_too_many_states_are_refused_and_not_cut_short()
    {
        var refused = Assert.Throws<BoundsTooLargeException>(() => new ModelChecker(new ModelCheckerOptions(Agents: 5, Rounds: 1)).Run());
        Assert.Contains("choose", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Symmetry_reduction_leaves_out_only_permuted_states()
    {
        var bounds = new ModelCheckerOptions(Rounds: 1);
        var all = new ModelChecker(bounds, symmetry: false).Run();
        var some = new ModelChecker(bounds).Run();
        Assert.Equal(4, some.Symmetries);
        Assert.Equal(all.Depth, some.Depth);
        Assert.Equal(all.Broken, some.Broken);
        Assert.Equal(all.AgentStates, some.AgentStates);
        Assert.Equal(all.States, some.StatesOfAllOrbits);
    }

    [Theory]
    [InlineData(0, 0, 1, false)]
    [InlineData(1, 1, 1, false)]
    [InlineData(1, 1, 1, true)]
    [InlineData(0, 0, 2, false)]
    public void Partial_order_reduction_leaves_out_only_states_that_invisible_steps_lead_to(
        int crashes, int resets, int rounds, bool durable)
    {
        var bounds = new ModelCheckerOptions(Rounds: rounds, Crashes: crashes, Resets: resets, Durable: durable);
        // Walks start from the states left out as well, so they go through the same combinations of machines.
        var all = new ModelChecker(bounds, symmetry: false).Run();
        var some = new ModelChecker(bounds, symmetry: false, partialOrderReduction: true).Run();
        Assert.True(some.Holds, string.Join('\n', some.Lines()));
        Assert.Equal((all.MachineStates, all.Walked), (some.MachineStates, some.Walked));
        Assert.Equal(all.Reachability, some.Reachability);
        Assert.True(some.States < all.States / 2, $"{some.States} of {all.States}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_check_visits_the_same_states_every_time(bool reduced)
    {
        var bounds = new ModelCheckerOptions(Rounds: 1, Resets: 0);
        var first = new ModelChecker(bounds, partialOrderReduction: reduced).Run();
        var second = new ModelChecker(bounds, partialOrderReduction: reduced).Run();
        Assert.Equal((first.States, first.Transitions, first.Depth, first.AgentStates),
            (second.States, second.Transitions, second.Depth, second.AgentStates));
    }

    [Fact]
    public void Bounds_out_of_range_are_refused_with_the_option_to_change()
    {
        Assert.Equal("--rounds is 9; it must be from 1 to 5.", new ModelCheckerOptions(Rounds: 9).Error());
        Assert.Equal("--initiators is 4; it must be from 1 to 3.", new ModelCheckerOptions(Initiators: 4).Error());
        Assert.Null(new ModelCheckerOptions().Error());
    }

    // The reduced check finds a violation, and a full check then finds the shortest path.
    internal static void AssertCaught(string mutant, ModelCheckerReport report)
    {
        Assert.True(Mutant.Find(mutant).Property == report.Broken, $"{mutant}: {string.Join('\n', report.Lines())}");
        Assert.Equal(report.Depth, report.Path!.Count);
    }

    private static void AssertHolds(ModelCheckerOptions bounds, bool partialOrderReduction = false)
    {
        var report = new ModelChecker(bounds, partialOrderReduction: partialOrderReduction).Run();
        Assert.True(report.Holds, string.Join('\n', report.Lines()));
    }
}
