using System.Text.Json;
using Consensus.Conformance;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Explanations;
using Consensus.Simulation.Seeded;
using Consensus.Timeline;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Conformance;

/// <summary>Observed histories: what the safety checker finds in them, and what is drawn of them.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class HistoryTests
{
    private static readonly RunDescriptor Run = new(
        new RunId(1, "agent1", "a"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 20,
        new Dictionary<string, string> { ["agent1"] = "a", ["agent2"] = "b", ["agent3"] = "c" });

    private static readonly Dictionary<(int, int), string> Boots =
        new() { [(0, 1)] = "a", [(1, 1)] = "b", [(2, 1)] = "c", [(2, 2)] = "later" };
    private readonly FakeTimeProvider _time = new();
    private readonly ObservedHistory _history;

    public HistoryTests() => _history = new(["agent1", "agent2", "agent3"], _time);

    [Fact]
    public void Two_decisions_in_one_run_break_agreement()
    {
        Send(0, 1, new Proposal("agent1", 2, 1, Run));
        Send(1, 0, new Proposal("agent2", 3, 1, Run));
        Send(0, 1, new Final(2, 1, Run, "agent1"));
        Assert.Null(Judge());
        Send(1, 0, new Final(3, 1, Run, "agent2"));
        Assert.Equal(PropertyNames.Agreement, Judge()?.Property);
    }

    [Fact]
    public void A_decision_that_a_response_carries_counts()
    {
        Send(0, 1, new Proposal("agent1", 2, 1, Run),
            new Response(ResponseStatus.Ignored) { Run = Run.Id, Decision = new Decision(3, 1, Run.Id) });
        Assert.Equal(PropertyNames.Validity, Judge()?.Property);
    }

    [Fact]
    public void A_second_vote_is_found_in_a_response()
    {
        Send(1, 0, new Vote("agent2", null, 1, 1, Run));
        Send(0, 1, new Proposal("agent1", 1, 1, Run), new Response(ResponseStatus.Ok) { Run = Run.Id, Vote = new Vote("agent2", 1, 1, 1) });
        Assert.Equal(PropertyNames.OneVote, Judge()?.Property);
    }

    [Fact]
    public void A_restarted_process_must_be_silent()
    {
        Send(2, 0, new Proposal("agent3", 1, 1, Run));
        Assert.Null(Judge());
        Send(2, 0, new Proposal("agent3", 1, 1, Run), process: 2);
        Assert.Equal(PropertyNames.LearnersSilent, Judge()?.Property);
    }

    [Theory]
    [InlineData("decision", true)]
    [InlineData("decision", false)]
    [InlineData("vote", true)]
    [InlineData("vote", false)]
    [InlineData("proposal", true)]
    [InlineData("proposal", false)]
    public void What_an_agent_sends_must_follow_from_a_step_of_the_model(string what, bool follows)
    {
        var answer = new Proposal("agent2", what == "decision" ? 2 : 3, 1);
        Send(0, 1, new NewRound(1, Run, "agent1", 2), new Response(ResponseStatus.Started) { Run = Run.Id, Proposal = answer });
        Assert.Null(Judge());

        // A vote of agent2 allows each of these. The sender may have voted too, and not sent its vote yet.
        if (follows && what != "vote")
        {
            Send(1, 0, new Vote("agent2", what == "decision" ? 2 : null, what == "decision" ? 2 : 3, 1, Run));
            Assert.Null(Judge());
        }

        Send(what == "vote" ? 1 : 0, 2, what switch
        {
            "decision" => new Final(2, 1, Run, "agent1"),
            "vote" => new Vote("agent2", follows ? null : 3, 3, 1, Run),
            _ => new Proposal("agent1", 1, 2, Run),
        });
        Assert.Equal(follows ? null : PropertyNames.Refinement, Judge()?.Property);
    }

    [Fact]
    public void A_run_whose_beginning_was_not_observed_is_not_compared_with_the_model()
    {
        Send(1, 2, new Proposal("agent2", 2, 1, Run));
        Send(0, 1, new NewRound(1, Run, "agent1", 2));
        Send(0, 1, new Final(2, 1, Run, "agent1"));
        Assert.Null(Judge());
    }

    [Fact]
    public void Decisions_that_name_no_run_are_those_of_the_run_that_was_asked_for()
    {
        var bare = Run with { Rule = Rule.Classic };
        Send(0, 1, new Proposal("agent1", 2, 1));
        Send(1, 0, new Proposal("agent2", 3, 1));
        _history.Add(HistoryEventKind.Decided, 0, 1, decision: new Decision(2, 1));
        Assert.Null(new HistoryJudge(Boots).Judge(_history, bare));
        _history.Add(HistoryEventKind.Decided, 1, 1, decision: new Decision(3, 1));
        Assert.Equal(PropertyNames.Agreement, new HistoryJudge(Boots).Judge(_history, bare)?.Property);
    }

    [Fact]
    public void A_history_is_drawn_as_a_diagram_and_as_a_timeline_that_the_page_opens()
    {
        _history.Add(HistoryEventKind.RunRequested, 0, 1);
        Send(0, 1, new NewRound(1, Run, "agent1", 2),
            new Response(ResponseStatus.Started) { Round = 1, Run = Run.Id, Proposal = new Proposal("agent2", 2, 1) });
        Send(1, 2, new Vote("agent2", 2, 2, 1, Run));
        Send(0, 2, new Final(2, 1, Run, "agent1"));
        var trace = HistoryTrace.Of(_history, null);
        var diagram = string.Join('\n', LamportDiagram.Lines(trace, 3));
        Assert.Contains("draws 2", diagram, StringComparison.Ordinal);
        Assert.Contains("votes", diagram, StringComparison.Ordinal);
        Assert.Contains("decides", diagram, StringComparison.Ordinal);

        // Such agents give no record, so their messages alone explain them.
        var why = string.Join(" ", new Explainer(trace).ExplainEnd(Run.Id)!.Sentences);
        Assert.StartsWith("agent1 decides 2 in round 1: ", why, StringComparison.Ordinal);
        Assert.Contains("agent1 gives no record, so this follows from the messages alone.", why, StringComparison.Ordinal);

        var json = JsonSerializer.Serialize(SimulatedTimeline.Of(trace, 3, "sentence", []), TimelineJson.Default.ClusterTimeline);
        var timeline = JsonSerializer.Deserialize(json, TimelineJson.Default.ClusterTimeline)!;
        Assert.Equal(Run.Id.ToString(), timeline.Run);
        Assert.Equal(["new_round", "vote", "final"], timeline.Messages.Select(message => message.Kind));
        Assert.Contains(timeline.Events, one => one is { Kind: "decided", Value: 2, Lane: 0 });
    }

    [Fact]
    public void A_history_counts_the_draws_of_each_process_and_shows_copies_as_such()
    {
        Send(0, 1, new Proposal("agent1", 2, 1, Run));
        Send(0, 1, new Vote("agent1", null, 2, 1, Run));
        Send(0, 1, new Proposal("agent1", 3, 2, Run));
        Send(1, 2, new Proposal("agent2", 3, 2, Run));
        var bare = new Proposal("agent3", 1, 1, Run with { Rule = Rule.Classic, Id = new RunId(2, "agent3", "bare") });
        Send(2, 0, bare);
        _history.Add(HistoryEventKind.Killed, 2, 1);
        _history.Add(HistoryEventKind.Started, 2, 2);
        Send(2, 0, bare with { Value = 3 }, process: 2);

        var events = HistoryTrace.Of(_history, null).Steps.SelectMany(
            step => step.Events.Select(one => (step.Agent, one.Kind, one.Round, one.Value, one.Attempt)));
        Assert.Equal(
            [
                (0, ProtocolEventKind.Drew, 1, 2, 1), (0, ProtocolEventKind.Voted, 1, 0, 0), (0, ProtocolEventKind.Drew, 2, 3, 2),
                (1, ProtocolEventKind.CaughtUp, 2, 3, 0), (2, ProtocolEventKind.Drew, 1, 1, 1), (2, ProtocolEventKind.Drew, 1, 3, 1),
            ],
            events);
    }

    [Fact]
    public void A_plan_is_a_function_of_its_seed()
    {
        var plans = Enumerable.Range(1, 200).Select(seed => FaultPlan.Draw(seed, 3, described: true)).ToList();
        Assert.All(plans, plan => Assert.Equivalent(FaultPlan.Draw(plan.Seed, 3, described: true), plan, strict: true));
        Assert.Equal(Enum.GetValues<FaultKind>(), plans.SelectMany(plan => plan.Faults).Select(fault => fault.Kind).Distinct().Order());
        Assert.All(plans.SelectMany(plan => plan.Faults).Where(fault => fault.Kind != FaultKind.Kill),
            fault => Assert.NotEqual(fault.From, fault.To));
    }

    [Fact]
    public async Task Shrinking_leaves_the_faults_without_which_the_violation_is_gone()
    {
        PlannedFault needed = new(FaultKind.Drop, 0, 1, "/final", 1);
        var all = Enumerable.Range(0, 9)
            .Select(index => new PlannedFault(FaultKind.Delay, 1, 2, "/vote", index + 1)).Append(needed).ToList();
        var found = await RunAsync(new FaultPlan(7, [new(0, 0)], all));
        var shrunk = await FaultShrinker.ShrinkAsync(found, RunAsync, TimeSpan.FromMinutes(1));
        Assert.Equal([needed], shrunk.Plan.Faults);
        Assert.Equal(7, shrunk.Plan.Seed);

        Task<RunResult> RunAsync(FaultPlan plan)
        {
            var history = new ObservedHistory(["agent1", "agent2", "agent3"], _time);
            plan.Faults.ToList().ForEach(history.Apply);
            var violation = plan.Faults.Contains(needed)
                ? new Violation(PropertyNames.Agreement, Rule.Classic, Run.Id, "They disagree.") : null;
            return Task.FromResult(new RunResult(plan, history, null, violation, 3));
        }
    }

    private Violation? Judge() => new HistoryJudge(Boots).Judge(_history, null);

    private void Send(int from, int to, Message message, Response? response = null, int process = 1)
    {
        // Long after the call before, of which this one is then no part.
        _time.Advance(TimeSpan.FromMilliseconds(30));
        var call = new ObservedCall(from, process, to, message) { Receiver = 1 };
        _history.Add(HistoryEventKind.Sent, from, process, call);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        _history.Add(HistoryEventKind.Received, to, 1, call);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        _history.Add(HistoryEventKind.Answered, from, process, call, response ?? new Response(ResponseStatus.Ok));
    }
}
