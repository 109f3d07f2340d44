using Aspire.Hosting.ApplicationModel;
using Consensus.Hosting;

namespace Consensus.Tests.AppHost;

/// <summary>What the resource <c>consensus</c> shows for what the agents answer.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class ClusterViewTests
{
    private const string Run = "7.agent1.b1";

    private static readonly AgentRunSummary Summary = new(Run, "ratified", 1, 4, 4.2, 2);

    [Fact]
    public void A_decision_is_said_with_those_who_hold_it_and_its_duration()
    {
        var view = ClusterView.Next(null, [Decided(1, 2), Decided(2, 2), Decided(3, 2)]);
        Assert.Equal(("Decided 2", KnownResourceStateStyles.Success), (view.Text, view.Style));
        Assert.Equal("agent1, agent2, agent3 decided 2 in round 1 (4.2 ms)", view.Sentence);
    }

    [Fact]
    public void A_decision_is_said_with_the_votes_that_made_it()
    {
        AgentStatus Knowing(int number, params (string Agent, int? Vote)[] votes) => Decided(number, 2) with
        {
            State = Decided(number, 2).State! with { Votes = votes.ToDictionary(vote => vote.Agent, vote => vote.Vote) },
        };
        var view = ClusterView.Next(
            null, [Knowing(1, ("agent1", 2)), Knowing(2, ("agent1", 2), ("agent2", 2), ("agent3", null)), Decided(3, 2)]);
        Assert.Equal("agent1, agent2, agent3 decided 2 in round 1 (4.2 ms): 2 of 3 votes: agent1, agent2", view.Sentence);
    }

    [Fact]
    public void Decisions_of_one_value_in_different_rounds_are_one_decision() =>
        Assert.Equal(
            "agent1, agent2, agent3 decided 2 in rounds 1 to 2 (4.2 ms)",
            ClusterView.Next(null, [Decided(1, 2), Decided(2, 2, round: 2), Decided(3, 2)]).Sentence);

    [Fact]
    public void Different_values_in_one_run_are_a_disagreement()
    {
        var view = ClusterView.Next(null, [Decided(1, 1), Decided(2, 2), Decided(3, 2)]);
        Assert.Equal(("Disagreed", KnownResourceStateStyles.Error), (view.Text, view.Style));
        Assert.Equal("agent1 decided 1, agent2 decided 2, agent3 decided 2", view.Sentence);
        Assert.Equal("The agents disagree: agent1 decided 1, agent2 decided 2, agent3 decided 2.", RunCommands.WhatDisagrees(view));
    }

    [Fact]
    public void A_disagreement_names_the_trace_of_the_agent_that_started_the_run()
    {
        var own = Traced(Decided(1, 1), "http://localhost:15020/traces/detail/1");
        var view = ClusterView.Next(null, [own, Traced(Decided(2, 2), "http://localhost:15020/traces/detail/2"), Decided(3, 2)]);
        Assert.EndsWith(" Trace: http://localhost:15020/traces/detail/1", RunCommands.WhatDisagrees(view), StringComparison.Ordinal);
        Assert.Contains($"[Trace]({view.TraceUrl})", RunReport.Of(view, new Uri("http://localhost:5001")), StringComparison.Ordinal);
    }

    [Fact]
    public void An_older_run_of_another_agent_is_not_the_outcome()
    {
        var old = new AgentStatus("agent3", new AgentState("agent3", 9, 9, "6.agent3.b3", Decision: new AgentDecision(1, 9)));
        var view = ClusterView.Next(null, [Decided(1, 2), Decided(2, 2), old]);
        Assert.Equal("Decided 2", view.Text);
        Assert.Equal("agent1, agent2 decided 2 in round 1 (4.2 ms)", view.Sentence);
    }

    [Fact]
    public void Run_numbers_are_compared_as_numbers() =>
        Assert.Equal("10.agent1.b1",
            ClusterView.Next(null, [Undecided(1, "9.agent1.b1"), Undecided(2, "10.agent1.b1"), Undecided(3, "9.agent1.b1")]).Run);

    [Fact]
    public void Runs_of_one_number_are_ordered_as_agents_order_them() =>
        Assert.Equal("7.a-.b1", ClusterView.Next(null, [Undecided(1, "7.a-.b1"), Undecided(2, "7.a.b1"), Undecided(3, "7.a.b1")]).Run);

    [Fact]
    public void A_run_that_goes_on_shows_its_round_and_a_stalled_one_why()
    {
        Assert.Equal("Round 3", ClusterView.Next(null, [Undecided(1, Run, 3), Undecided(2, Run, 2), Undecided(3, Run, 2)]).Text);
        var stalled = new AgentStatus("agent2", new AgentState("agent2", 1, 1, Run, Stalled: "agent1 restarted: POST /run again"));
        var view = ClusterView.Next(null, [Undecided(1, Run), stalled, Undecided(3, Run)]);
        Assert.Equal("Stalled", view.Text);
        Assert.Equal("The run stalled: agent1 restarted: press Run", view.Sentence);
    }

    [Fact]
    public void Before_any_run_the_cluster_is_ready_once_all_are_up()
    {
        Assert.Equal("0 of 3 up", ClusterView.Next(null, [Down(1), Down(2), Down(3)]).Text);
        Assert.Equal("Ready", ClusterView.Next(null, [Idle(1), Idle(2), Idle(3)]).Text);
    }

    [Fact]
    public void Whichever_changed_last_is_shown_the_outcome_or_who_is_up()
    {
        var all = ClusterView.Next(null, [Decided(1, 2), Decided(2, 2), Decided(3, 2)]);
        var lost = ClusterView.Next(all, [Decided(1, 2), Decided(2, 2), Down(3)]);
        Assert.Equal(("2 of 3 up", KnownResourceStateStyles.Warn), (lost.Text, lost.Style));
        Assert.Equal("2 of 3 up", ClusterView.Next(lost, [Decided(1, 2), Decided(2, 2), Down(3)]).Text);

        var next = ClusterView.Next(lost, [Decided(1, 3, "8.agent1.b1"), Decided(2, 3, "8.agent1.b1"), Down(3)]);
        Assert.Equal("Decided 3", next.Text);
        Assert.Equal("agent1, agent2 decided 3 in round 1; agent3 is down", next.Sentence);
        Assert.Equal("Decided 3", ClusterView.Next(next, [Decided(1, 3, "8.agent1.b1"), Decided(2, 3, "8.agent1.b1"), Down(3)]).Text);
    }

    [Fact]
    public void A_run_in_which_no_agent_takes_part_after_a_restart_is_over()
    {
        var view = ClusterView.Next(null, [Learner(1), Learner(2), Learner(3)]);
        Assert.Equal(("Ready", "Run 7 stayed undecided: no agent that is up takes part in it"), (view.Text, view.Sentence));
        Assert.Equal("Stalled", ClusterView.Next(null,
            [Learner(1), Learner(2), Undecided(3, Run) with { State = Learner(3).State! with { Learner = false } }]).Text);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(2, true)]
    [InlineData(1, false)]
    public void A_majority_that_responds_is_enough_once_the_agents_reach_each_other(int up, bool enough)
    {
        var view = ClusterView.Next(null, [.. Enumerable.Range(1, 3).Select(number => number <= up ? Idle(number) : Down(number))]);
        Assert.Equal(enough, view.CanDecide);
        Assert.False((view with { IsLinked = false }).CanDecide);
    }

    [Fact]
    public void The_log_holds_who_comes_and_goes_each_run_and_its_outcome_once()
    {
        var ready = ClusterView.Next(null, [Idle(1), Idle(2), Idle(3)]);
        Assert.Equal(["3 of 3 up"], ClusterLog.LinesOf(null, ready));
        var begun = ClusterView.Next(ready, [Undecided(1, Run), Idle(2), Idle(3)]);
        Assert.Equal(["Run 7 began at agent1"], ClusterLog.LinesOf(ready, begun));
        var over = ClusterView.Next(begun, [Decided(1, 2), Decided(2, 2), Decided(3, 2)]);
        Assert.Equal(["Run 7: agent1, agent2, agent3 decided 2 in round 1 (4.2 ms)"], ClusterLog.LinesOf(begun, over));
        var lost = ClusterView.Next(over,
            [Decided(1, 2), Decided(2, 2), Decided(3, 2) with { State = null, Problem = "Port 5003 answers, but not as an agent." }]);
        Assert.Equal("2 of 3 up: agent3 is down; Port 5003 answers, but not as an agent", ClusterLog.LinesOf(over, lost).First());
        Assert.Equal(["3 of 3 up", "The agents were reset"], ClusterLog.LinesOf(lost, ready));
    }

    [Fact]
    public void Why_a_run_has_no_decision_names_the_run_that_replaced_it_or_says_that_it_goes_on()
    {
        var view = ClusterView.Next(null, [Undecided(1, Run, 812), Undecided(2, Run), Undecided(3, Run)]);
        Assert.Equal(
            "Run 7 was replaced by run 8.",
            RunCommands.WhyUndecided(new AgentRunResponse(Run, new AgentRunOutcome(false, "8.agent2.b2", Superseded: true)), view));
        Assert.Equal(
            "No decision after 30 s. Round 812, undecided. The run goes on: a new run or Reset all ends it.",
            RunCommands.WhyUndecided(new AgentRunResponse(Run, new AgentRunOutcome(false, Run)), view));
        Assert.Equal(
            "agent1 restarted: press Run",
            RunCommands.WhyUndecided(
                new AgentRunResponse(Run, new AgentRunOutcome(false, Run, "agent1 restarted: POST /run again")), view));
    }

    [Fact]
    public void An_isolated_agent_is_named()
    {
        var view = ClusterView.Next(null, [Isolated(1), Idle(2), Idle(3)]);
        Assert.Equal("1 isolated", view.Text);
        Assert.Equal("agent1 is isolated. No run yet", view.Sentence);
        Assert.Equal("2 isolated", ClusterView.Next(null, [Isolated(1), Idle(2), Isolated(3)]).Text);
    }

    [Theory]
    [InlineData(4.18, "4.2 ms")]
    [InlineData(38.4, "38 ms")]
    [InlineData(1300, "1.3 s")]
    public void A_duration_has_two_digits_that_count(double milliseconds, string text) =>
        Assert.Equal(text, ClusterView.FormatDuration(milliseconds));

    private static AgentStatus Traced(AgentStatus agent, string trace) => agent with { State = agent.State! with { TraceUrl = trace } };

    private static AgentStatus Down(int number) => new($"agent{number}", null);

    private static AgentStatus Idle(int number) => new($"agent{number}", new AgentState($"agent{number}", 0, 0));

    private static AgentStatus Learner(int number) =>
        new($"agent{number}", new AgentState($"agent{number}", 1, 0, Run, Stalled: "all restarted: POST /run again", Learner: true));

    private static AgentStatus Isolated(int number) => new($"agent{number}", new AgentState($"agent{number}", 0, 0, Isolated: true));

    private static AgentStatus Undecided(int number, string run, int round = 1) =>
        new($"agent{number}", new AgentState($"agent{number}", round, round, run));

    private static AgentStatus Decided(int number, int value, string run = Run, int round = 1) =>
        new($"agent{number}", new AgentState($"agent{number}", round, round, run, Decision: new AgentDecision(value, round)),
            Summary: run == Run ? Summary : null);
}
