using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Tests.Simulation;

[Trait(Category.Name, Category.Proof)]
public sealed class SafetyCheckerTests
{
    private static readonly RunId One = new(1, "agent1", "a");
    private static readonly RunDescriptor Described = new(
        One, 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200,
        new Dictionary<string, string> { ["agent1"] = "a", ["agent2"] = "b", ["agent3"] = "c" });

    private readonly SafetyChecker _checker = new();

    [Fact]
    public void Two_decisions_of_one_run_break_agreement() =>
        Assert.Equal(PropertyNames.Agreement,
            SafetyChecker.Check([new("agent1", "a", One, 2, 1), new("agent2", "b", One, 3, 2)])?.Property);

    [Fact]
    public void A_decision_that_changes_within_a_process_breaks_integrity() =>
        Assert.Equal(PropertyNames.Integrity,
            SafetyChecker.Check([new("agent1", "a", One, 2, 1), new("agent1", "a", One, 3, 1)])?.Property);

    [Fact]
    public void Different_runs_may_decide_differently_and_rounds_may_differ() =>
        Assert.Null(SafetyChecker.Check(
            [new("agent1", "a", One, 2, 1), new("agent2", "b", One, 2, 5), new("agent1", "a", One with { Number = 2 }, 3, 1)]));

    [Fact]
    public void An_announced_decision_must_be_persisted_unchanged()
    {
        Observation announced = new("agent1", "a", One, 2, 1);
        Assert.Null(
            SafetyChecker.CheckPersisted([announced], [announced with { Boot = "b" }, announced with { AgentId = "agent2", Value = 3 }]));
        Assert.Equal(PropertyNames.Durability,
            SafetyChecker.CheckPersisted([announced], [announced with { AgentId = "agent2" }])?.Property);
        Assert.Equal(PropertyNames.Integrity, SafetyChecker.CheckPersisted([announced], [announced with { Value = 3 }])?.Property);
    }

    [Fact]
    public void A_decision_that_no_agent_drew_breaks_validity() =>
        Assert.Equal(PropertyNames.Validity,
            Step(Member("agent2", "b"), new MessageReceived(new Final(3, 1, Described, "agent1")))?.Property);

    [Fact]
    public void A_second_proposal_in_one_round_breaks_one_proposal() =>
        Assert.Equal(PropertyNames.OneProposal, Send(new Proposal("agent2", 1, 1, Described), new Proposal("agent2", 2, 1, Described)));

    [Fact]
    public void A_second_vote_in_one_round_breaks_one_vote() =>
        Assert.Equal(PropertyNames.OneVote, Send(new Vote("agent2", null, 1, 1, Described), new Vote("agent2", 1, 1, 1, Described)));

    [Fact]
    public void A_vote_that_names_another_proposal_is_a_second_proposal() =>
        Assert.Equal(PropertyNames.OneProposal, Send(new NewRound(1, Described, "agent2", 1), new Vote("agent2", null, 2, 1, Described)));

    [Fact]
    public void The_same_messages_may_be_sent_again() =>
        Assert.Null(Send(new Proposal("agent2", 1, 1, Described),
            new Vote("agent2", null, 1, 1, Described), new Proposal("agent2", 1, 1, Described)));

    [Fact]
    public void A_message_of_the_last_run_does_not_hide_an_equal_message_of_this_run()
    {
        var next = Described with { Id = One with { Number = 2 } };
        var drew = new ProtocolEvent(ProtocolEventKind.Drew, next.Id, 1, 1, 1);
        var machine = Member("agent2", "b");
        _checker.Observe(1, machine, [new Send(0, new Proposal("agent2", 1, 1, Described))]);
        _checker.Observe(1, machine, [drew, new Send(0, new Proposal("agent2", 1, 1, next))]);
        Assert.Equal(PropertyNames.OneProposal, _checker.Observe(1, machine, [new Send(0, new Proposal("agent2", 2, 1, next))])?.Property);
    }

    [Fact]
    public void A_process_that_is_no_member_may_not_propose() =>
        Assert.Equal(PropertyNames.LearnersSilent,
            _checker.Observe(1, Member("agent2", "later"), [new Send(0, new Proposal("agent2", 1, 1, Described))])?.Property);

    private string? Send(params Message[] messages)
    {
        var machine = Member("agent2", "b");
        var seen = messages.Select(
            message => _checker.Observe(1, machine, [new Send(0, message), new Send(2, message)])?.Property).ToList();
        return seen[^1];
    }

    private Violation? Step(AgentStateMachine machine, Input input) => _checker.Observe(1, machine, machine.Step(input));

    private static AgentStateMachine Member(string id, string boot) => new(id, boot, ["agent1", "agent3"], new SeededRandom(1));
}
