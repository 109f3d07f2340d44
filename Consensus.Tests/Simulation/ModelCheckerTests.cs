using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.ModelChecking;

namespace Consensus.Tests.Simulation;

public sealed class ModelCheckerTests
{
    private static readonly ModelCheckerOptions Quiet = new(Crashes: 0, Resets: 0);

    [Fact]
    public void Every_promise_holds_in_every_state_of_two_rounds_with_a_crash_and_a_reset()
    {
        var report = new ModelChecker(new ModelCheckerOptions()).Run();
        Assert.Null(report.Broken);
        Assert.True(report.Holds, string.Join('\n', report.Lines()));
        Assert.Equal(["adopts", "copies", "decides in round 1", "decides in round 2", "learns"], report.Reachability.Select(sometimes => sometimes.Name).Order());
    }

    [Fact]
    public void Every_promise_holds_where_restarted_agents_are_given_back_what_they_kept()
    {
        var report = new ModelChecker(new ModelCheckerOptions(Durable: true)).Run();
        Assert.True(report.Holds, string.Join('\n', report.Lines()));
        Assert.Contains(report.Reachability, sometimes => sometimes is { Name: "restores a decision", Seen: true });
    }

    [Theory]
    [InlineData("RestoredWithoutItsDecision", PropertyNames.Durability)]
    [InlineData("RestartedTakesPart", PropertyNames.OneProposal)]
    [InlineData("SilentLearners", PropertyNames.Termination)]
    public void A_version_that_keeps_or_restores_wrongly_is_caught(string version, string property)
    {
        var bounds = Quiet with { Rounds = 1, Crashes = 1, Durable = true };
        // Found by turns, and then on a shortest path.
        var report = new ModelChecker(bounds, Mutants.Restoring[version].Invoke, symmetry: false, byTurns: true).Run();
        Assert.True(property == report.Broken, string.Join('\n', report.Lines()));
    }

    [Fact]
    public void Two_initiators_at_once_break_nothing_in_any_state_of_one_round() => AssertHolds(Quiet with { Initiators = 2, Rounds = 1 }, byTurns: true);

    [Fact]
    public void Plurality_draws_break_nothing_in_any_state_of_two_rounds() => AssertHolds(Quiet with { Draw = DrawStrategy.Plurality });

    [Theory]
    [InlineData("NoAdoption", PropertyNames.Agreement, 2, 0, 0, 1)]
    [InlineData("DecidesOnOneVote", PropertyNames.Agreement, 2, 0, 0, 1)]
    [InlineData("ProposalQuorumShort", PropertyNames.Agreement, 2, 0, 0, 1)]
    [InlineData("VoteQuorumShort", PropertyNames.Agreement, 2, 0, 0, 1)]
    [InlineData("RestartedTakesPart", PropertyNames.OneProposal, 1, 1, 0, 1)]
    [InlineData("ResetForgetsTheFloor", PropertyNames.OneProposal, 1, 0, 1, 1)]
    [InlineData("OldFinalAccepted", PropertyNames.Validity, 1, 0, 0, 2)]
    [InlineData("RunIdWithoutBoot", PropertyNames.OneProposal, 1, 1, 0, 2)]
    [InlineData("OwnFloorNotRaised", PropertyNames.OneProposal, 1, 0, 0, 2)]
    [InlineData("ClearingHandshake", PropertyNames.Termination, 1, 0, 0, 1)]
    public void A_broken_version_is_caught(string version, string property, int rounds, int crashes, int resets, int starts)
    {
        var bounds = new ModelCheckerOptions(Rounds: rounds, Crashes: crashes, Resets: resets, Starts: starts);
        // Found by turns, and then on a shortest path.
        var report = new ModelChecker(bounds, Mutants.All[version].Invoke, symmetry: false, byTurns: true).Run();
        Assert.True(report.Broken is not null, version + " was not caught: " + string.Join('\n', report.Lines()));
        Assert.True(property == report.Broken, string.Join('\n', report.Lines()));
        Assert.Equal(report.Depth, report.Path!.Count);
    }

    [Theory]
    [InlineData(1, 2, 1, 1, false)]
    [InlineData(1, 2, 1, 1, true)]
    [InlineData(3, 1, 0, 0, false)]
    public void Every_promise_holds_where_one_agent_counts_one_agent_less(int initiators, int rounds, int crashes, int resets, bool durable)
    {
        var bounds = new ModelCheckerOptions(Initiators: initiators, Rounds: rounds, Crashes: crashes, Resets: resets, Durable: durable, ShortPeers: 1);
        var report = new ModelChecker(bounds, byTurns: true).Run();
        Assert.True(report.Holds, string.Join('\n', report.Lines()));
        Assert.Contains(report.Reachability, sometimes => sometimes is { Name: "refuses a start for cluster sizes", Seen: true });
    }

    [Fact]
    public void A_version_that_compares_no_cluster_sizes_is_caught()
    {
        var report = new ModelChecker(Quiet with { Rounds = 1, ShortPeers = 1 }, Mutants.StartsWithAnySize.Invoke).Run();
        Assert.True(report.Broken == PropertyNames.ClusterSize, string.Join('\n', report.Lines()));
    }

    [Fact]
    public void Catching_up_by_a_draw_is_caught_but_needs_three_rounds()
    {
        var bounds = Quiet with { Rounds = 3 };
        Assert.Null(new ModelChecker(bounds with { Rounds = 2 }, Mutants.All["CatchUpByDraw"].Invoke).Run().Broken);
        Assert.Equal(PropertyNames.Agreement, new ModelChecker(bounds, Mutants.All["CatchUpByDraw"].Invoke, byTurns: true).Run().Broken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_classic_rule_disagrees_in_eight_steps(bool byTurns)
    {
        var report = new ModelChecker(Quiet with { Rule = Rule.Classic }, byTurns: byTurns).Run();
        Assert.Equal(PropertyNames.Agreement, report.Broken);
        Assert.False(report.Holds);
        Assert.Equal(8, report.Path!.Count);
        Assert.Contains("DECIDES", report.Path[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_never_exercised_fails_the_check()
    {
        // Two agents need each other: both see the same proposals, so a round without a decision leaves nothing to adopt.
        var report = new ModelChecker(new ModelCheckerOptions(Agents: 2, Rounds: 3)).Run();
        Assert.Null(report.Broken);
        Assert.Equal("adopts", Assert.Single(report.Reachability, sometimes => !sometimes.Seen).Name);
        Assert.False(report.Holds);
    }

    [Fact]
    public void Bounds_with_too_many_states_are_refused_and_not_cut_short()
    {
        var refused = Assert.Throws<BoundsTooLargeException>(() => new ModelChecker(new ModelCheckerOptions(Agents: 5, Rounds: 1)).Run());
        Assert.Contains("choose", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Symmetry_leaves_out_only_states_that_differ_in_names()
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
    public void Turns_leave_out_only_states_that_quiet_steps_lead_to(int crashes, int resets, int rounds, bool durable)
    {
        // Continuations start from the states left out as well, so they go through the same combinations of machines.
        var bounds = new ModelCheckerOptions(Rounds: rounds, Crashes: crashes, Resets: resets, Durable: durable);
        var all = new ModelChecker(bounds, symmetry: false).Run();
        var some = new ModelChecker(bounds, symmetry: false, byTurns: true).Run();
        Assert.True(some.Holds, string.Join('\n', some.Lines()));
        Assert.Equal((all.MachineStates, all.Continued), (some.MachineStates, some.Continued));
        Assert.Equal(all.Reachability, some.Reachability);
        Assert.True(some.States < all.States / 2, $"{some.States} by turns of {all.States}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_exploration_is_the_same_every_time(bool byTurns)
    {
        var bounds = new ModelCheckerOptions(Rounds: 1);
        var (first, second) = (new ModelChecker(bounds, byTurns: byTurns).Run(), new ModelChecker(bounds, byTurns: byTurns).Run());
        Assert.Equal((first.States, first.Transitions, first.Depth, first.AgentStates), (second.States, second.Transitions, second.Depth, second.AgentStates));
    }

    [Fact]
    public void Bounds_out_of_range_are_refused_with_the_option_to_change()
    {
        Assert.Equal("--rounds is 9; it must be from 1 to 5.", new ModelCheckerOptions(Rounds: 9).Error());
        Assert.Equal("--initiators is 4; it must be from 1 to 3.", new ModelCheckerOptions(Initiators: 4).Error());
        Assert.Null(new ModelCheckerOptions().Error());
    }

    private static void AssertHolds(ModelCheckerOptions bounds, bool byTurns = false)
    {
        var report = new ModelChecker(bounds, byTurns: byTurns).Run();
        Assert.True(report.Holds, string.Join('\n', report.Lines()));
    }
}
