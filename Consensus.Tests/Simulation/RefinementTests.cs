using System.Reflection;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.ModelChecking;
using Consensus.Simulation.Mutants;

namespace Consensus.Tests.Simulation;

/// <summary>Each event of the core is one step of the model that proof/ proves.</summary>
[Trait(Category.Name, Category.Proof)]
public sealed class RefinementTests
{
    private static readonly RunId One = new(1, "agent1", "a");
    private static readonly RunDescriptor Described = new(
        One, 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200,
        new Dictionary<string, string> { ["agent1"] = "a", ["agent2"] = "b", ["agent3"] = "c" });

    // The guard in proof/ that needs each rule. Those of liveness and of the cluster size have none there.
    private static readonly Dictionary<string, string?> Guards = new()
    {
        [nameof(SafetyRules.ProposalQuorum)] = nameof(ModelStep.VoteFor),
        [nameof(SafetyRules.VoteQuorum)] = nameof(ModelStep.Draw),
        [nameof(SafetyRules.DecisionQuorum)] = nameof(ModelStep.Decide),
        [nameof(SafetyRules.Adopt)] = nameof(ModelStep.Adopt),
        [nameof(SafetyRules.ValueOnCatchUp)] = nameof(ModelStep.CatchUp),
        [nameof(SafetyRules.Relay)] = nameof(ModelStep.VoteNone),
        [nameof(SafetyRules.AcceptsFinalOfOldRun)] = nameof(ModelStep.Learn),
        [nameof(SafetyRules.TakesPart)] = "IsListed",
        [nameof(SafetyRules.CreateRunId)] = "Create",
        [nameof(SafetyRules.HighestSeenRunAfterCreatingRun)] = "Create",
        [nameof(SafetyRules.HighestSeenRunAfterReset)] = "Reset",
        [nameof(SafetyRules.DecisionAfterRestart)] = "NewProcess",
        [nameof(SafetyRules.HasOtherClusterSize)] = null,
        [nameof(SafetyRules.HandshakeClears)] = null,
        [nameof(SafetyRules.LearnersIntroduceRuns)] = null,
    };

    [Fact]
    public void Every_safety_rule_has_its_guard_in_the_proof_and_a_variant_that_must_fail()
    {
        var rules = typeof(SafetyRules).GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(member => member is PropertyInfo or MethodInfo { IsSpecialName: false, IsVirtual: true }).Select(member => member.Name);
        Assert.Equal(rules.Order(StringComparer.Ordinal), Guards.Keys.Order(StringComparer.Ordinal));
        var proof = Read("ratified.dfy") + Read("runs.dfy");
        var variants = Read("variants");
        Assert.All(Guards.Where(guard => guard.Value is not null), guard =>
        {
            Assert.Matches($@"(case|predicate) {guard.Value}\(", proof);
            Assert.Contains($"variant {guard.Key} ", variants, StringComparison.Ordinal);
        });
        Assert.All(Enum.GetNames<ModelStep>(), step => Assert.Contains($"case {step}(", proof, StringComparison.Ordinal));
    }

    /// <summary>By mutant: the rounds, crashes, resets and starts in which it takes a step that the model has not.</summary>
    public static TheoryData<string, int, int, int, int> Refused => new()
    {
        { "no-adoption", 2, 0, 0, 1 },
        { "decision-on-one-vote", 1, 0, 0, 1 },
        { "short-proposal-quorum", 1, 0, 0, 1 },
        { "short-vote-quorum", 2, 0, 0, 1 },
        { "draw-on-catch-up", 2, 0, 0, 1 },
        { "restarted-member", 1, 1, 0, 1 },
        { "forgotten-floor", 1, 0, 1, 1 },
        { "run-id-without-boot", 1, 1, 0, 2 },
        { "own-floor-not-raised", 1, 0, 0, 2 },
        { "old-final-accepted", 1, 0, 0, 2 },
        { "forging-relay", 1, 0, 0, 1 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_mutant_of_safety_takes_a_step_that_the_model_has_not(string mutant, int rounds, int crashes, int resets, int starts)
    {
        var bounds = new ModelCheckerOptions(
            Rounds: rounds, Crashes: crashes, Resets: resets, Starts: starts, Spread: mutant == "forging-relay" ? Spread.Relay : null);
        var report = new ModelChecker(bounds, Mutant.Find(mutant).Factory, refinement: true).Run();
        Assert.Equal(PropertyNames.Refinement, report.Broken);
        Assert.NotNull(report.UnfinishedReason);
    }

    /// <summary>
    /// The model says nothing of liveness, lets an agent forget its decision, and has no agents that count otherwise: those
    /// mutants break a property of their own.
    /// </summary>
    [Fact]
    public void Every_other_mutant_breaks_liveness_or_a_property_that_the_model_leaves_to_others() => Assert.Equal(
        [
            ("clearing-handshake", PropertyNames.Termination), ("cluster-sizes-not-compared", PropertyNames.ClusterSize),
            ("decision-not-restored", PropertyNames.Durability), ("silent-learners", PropertyNames.Termination),
        ],
        Mutant.All.Where(mutant => !Refused.Any(row => mutant.Name.Equals(row[0]))).Select(mutant => (mutant.Name, mutant.Property))
            .Order());

    [Fact]
    public void Two_initiators_take_steps_of_the_model_only() =>
        Assert.Null(new ModelChecker(new ModelCheckerOptions(Values: 1, Rounds: 1, Crashes: 0, Resets: 0, Initiators: 2)).Run().Broken);

    [Fact]
    public void A_decision_without_a_quorum_of_votes_is_no_step()
    {
        var refinement = new Refinement();
        Assert.Null(Take(refinement, "agent1", "a", Joined(), Event(ProtocolEventKind.Drew, 2)));
        Assert.Null(Take(refinement, "agent2", "b", Joined(), Event(ProtocolEventKind.Drew, 2), Event(ProtocolEventKind.Voted, 2)));
        Assert.Equal(PropertyNames.Refinement, Take(refinement, "agent2", "b", Event(ProtocolEventKind.Decided, 2))?.Property);
        Assert.Null(Take(refinement, "agent1", "a", Event(ProtocolEventKind.Voted, 2), Event(ProtocolEventKind.Decided, 2)));
        Assert.Equal(PropertyNames.Refinement, Take(refinement, "agent1", "a", Event(ProtocolEventKind.Voted, 2))?.Property);
    }

    [Fact]
    public void A_process_that_the_run_does_not_name_learns_only()
    {
        var refinement = new Refinement();
        Assert.Contains("does not name", Take(refinement, "agent3", "c2", Joined())!.Explanation, StringComparison.Ordinal);
        Assert.NotNull(Take(refinement, "agent2", "b2", Event(ProtocolEventKind.JoinedAsLearner), Event(ProtocolEventKind.Learned, 2)));
    }

    private static Violation? Take(Refinement refinement, string id, string boot, params Effect[] events)
    {
        var machine = new AgentStateMachine(id, boot, ["x", "y"], new SeededRandom(1));
        machine.Step(new MessageReceived(new NewRound(1, Described)));
        return refinement.Observe(machine, events);
    }

    private static ProtocolEvent Joined() => Event(ProtocolEventKind.Joined);

    private static ProtocolEvent Event(ProtocolEventKind kind, int value = 0) => new(kind, One, 1, value);

    private static string Read(string file) => File.ReadAllText(Path.Combine(SourceTree.Root, "proof", file));
}
