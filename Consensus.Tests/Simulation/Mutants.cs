using Consensus.Protocol;

namespace Consensus.Tests.Simulation;

/// <summary>Makes one agent; a test gives the factory of a mutant to a simulation or to the model checker.</summary>
public delegate AgentStateMachine MutantFactory(string id, string boot, IReadOnlyList<string> peers, IRandomSource random);

/// <summary>Versions of <see cref="SafetyRules"/> with one rule broken each. The checkers must catch every one.</summary>
public static class Mutants
{
    /// <summary>All of them by name.</summary>
    public static IReadOnlyDictionary<string, MutantFactory> All { get; } = new SafetyRules[]
    {
        new NoAdoption(), new DecidesOnOneVote(), new ProposalQuorumShort(), new VoteQuorumShort(), new RestartedTakesPart(), new ResetForgetsTheFloor(),
        new OldFinalAccepted(), new CatchUpByDraw(), new RunIdWithoutBoot(), new OwnFloorNotRaised(), new ClearingHandshake(),
    }.ToDictionary(rules => rules.GetType().Name, FactoryOf);

    /// <summary>Goes wrong only where agents count different numbers of agents.</summary>
    public static MutantFactory StartsWithAnySize { get; } = FactoryOf(new ComparesNoSizes());

    /// <summary>Those that go wrong only where an agent restores what it persisted.</summary>
    public static IReadOnlyDictionary<string, MutantFactory> Restoring { get; } =
        new SafetyRules[] { new RestartedTakesPart(), new RestoredWithoutItsDecision(), new SilentLearners() }
            .ToDictionary(rules => rules.GetType().Name, FactoryOf);

    private static MutantFactory FactoryOf(SafetyRules rules) => (id, boot, peers, random) => new AgentStateMachine(id, boot, peers, random, rules);

    private sealed class NoAdoption : SafetyRules
    {
        public override int? Adopt(int? votedValue) => null;
    }

    private sealed class DecidesOnOneVote : SafetyRules
    {
        public override int DecisionQuorum(int agents) => 1;
    }

    private sealed class ProposalQuorumShort : SafetyRules
    {
        public override int ProposalQuorum(int agents) => Quorum.Of(agents) - 1;
    }

    private sealed class VoteQuorumShort : SafetyRules
    {
        public override int VoteQuorum(int agents) => Quorum.Of(agents) - 1;
    }

    private sealed class RestartedTakesPart : SafetyRules
    {
        public override bool TakesPart(RunDescriptor run, string id, string boot, int agents) => run.Members.ContainsKey(id);
    }

    private sealed class ResetForgetsTheFloor : SafetyRules
    {
        public override RunId FloorAfterReset(RunId floor) => RunId.None;
    }

    private sealed class OldFinalAccepted : SafetyRules
    {
        public override bool AcceptsFinalOfOldRun => true;
    }

    private sealed class CatchUpByDraw : SafetyRules
    {
        public override int ValueOnCatchUp(int value, RunDescriptor run, IRandomSource random) => 1 + random.Next(run.Values);
    }

    private sealed class RunIdWithoutBoot : SafetyRules
    {
        public override RunId CreateRunId(long number, string id, string boot) => new(number, id, "-");
    }

    private sealed class OwnFloorNotRaised : SafetyRules
    {
        public override RunId FloorAfterCreatingRun(RunId before, RunId created) => before;
    }

    private sealed class ClearingHandshake : SafetyRules
    {
        public override bool HandshakeClears => true;
    }

    private sealed class ComparesNoSizes : SafetyRules
    {
        public override bool HasOtherClusterSize(int peers, int own) => false;
    }

    private sealed class RestoredWithoutItsDecision : SafetyRules
    {
        public override Decision? DecisionAfterRestart(Decision? persisted) => null;
    }

    private sealed class SilentLearners : SafetyRules
    {
        public override bool LearnersIntroduceRuns => false;
    }
}
