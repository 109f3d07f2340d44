using Aspire.Hosting.ApplicationModel;
using Consensus.AppHost;

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
        Assert.Equal("10.agent1.b1", ClusterView.Next(null, [Undecided(1, "9.agent1.b1"), Undecided(2, "10.agent1.b1"), Undecided(3, "9.agent1.b1")]).Run);

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
        Assert.Equal("The run stalled: agent1 restarted: POST /run again", view.Sentence);
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

    private static AgentStatus Down(int number) => new($"agent{number}", null);

    private static AgentStatus Idle(int number) => new($"agent{number}", new AgentState($"agent{number}", 0, 0));

    private static AgentStatus Isolated(int number) => new($"agent{number}", new AgentState($"agent{number}", 0, 0, Isolated: true));

    private static AgentStatus Undecided(int number, string run, int round = 1) => new($"agent{number}", new AgentState($"agent{number}", round, round, run));

    private static AgentStatus Decided(int number, int value, string run = Run, int round = 1) =>
        new($"agent{number}", new AgentState($"agent{number}", round, round, run, Decision: new AgentDecision(value, round)), Summary: run == Run ? Summary : null);
}
