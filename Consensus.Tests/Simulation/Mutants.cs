using Consensus.Protocol;

namespace Consensus.Tests.Simulation;

/// <summary>Makes one agent; a test hands the factory of a broken version to a world or to the explorer.</summary>
public delegate AgentStateMachine MutantFactory(string id, string boot, IReadOnlyList<string> peers, IRandomSource random);

/// <summary>The core with one rule broken each: what the checkers must catch, so that their silence means something.</summary>
public static class Mutants
{
    /// <summary>All of them by name.</summary>
    public static IReadOnlyDictionary<string, MutantFactory> All { get; } = new Dictionary<string, MutantFactory>
    {
        [nameof(NoAdoption)] = (id, boot, peers, random) => new NoAdoption(id, boot, peers, random),
        [nameof(DecidesOnOneVote)] = (id, boot, peers, random) => new DecidesOnOneVote(id, boot, peers, random),
        [nameof(ProposalQuorumShort)] = (id, boot, peers, random) => new ProposalQuorumShort(id, boot, peers, random),
        [nameof(VoteQuorumShort)] = (id, boot, peers, random) => new VoteQuorumShort(id, boot, peers, random),
        [nameof(RestartedTakesPart)] = (id, boot, peers, random) => new RestartedTakesPart(id, boot, peers, random),
        [nameof(ResetForgetsTheFloor)] = (id, boot, peers, random) => new ResetForgetsTheFloor(id, boot, peers, random),
        [nameof(OldFinalAccepted)] = (id, boot, peers, random) => new OldFinalAccepted(id, boot, peers, random),
        [nameof(CatchUpByDraw)] = (id, boot, peers, random) => new CatchUpByDraw(id, boot, peers, random),
        [nameof(RunIdWithoutBoot)] = (id, boot, peers, random) => new RunIdWithoutBoot(id, boot, peers, random),
        [nameof(OwnFloorNotRaised)] = (id, boot, peers, random) => new OwnFloorNotRaised(id, boot, peers, random),
        [nameof(ClearingHandshake)] = (id, boot, peers, random) => new ClearingHandshake(id, boot, peers, random),
    };

    /// <summary>The one that is wrong only where agents count different numbers of agents.</summary>
    public static MutantFactory StartsWithAnySize { get; } = (id, boot, peers, random) => new ComparesNoSizes(id, boot, peers, random);

    /// <summary>Those that are wrong only where what was kept is restored.</summary>
    public static IReadOnlyDictionary<string, MutantFactory> Restoring { get; } = new Dictionary<string, MutantFactory>
    {
        [nameof(RestartedTakesPart)] = All[nameof(RestartedTakesPart)],
        [nameof(RestoredWithoutItsDecision)] = (id, boot, peers, random) => new RestoredWithoutItsDecision(id, boot, peers, random),
        [nameof(SilentLearners)] = (id, boot, peers, random) => new SilentLearners(id, boot, peers, random),
    };

    private sealed class NoAdoption(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override int? Adopt(int? votedValue) => null;
    }

    private sealed class DecidesOnOneVote(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override int DecisionQuorum => 1;
    }

    private sealed class ProposalQuorumShort(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override int ProposalQuorum => Quorum - 1;
    }

    private sealed class VoteQuorumShort(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override int VoteQuorum => Quorum - 1;
    }

    private sealed class RestartedTakesPart(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override bool TakesPart(RunDescriptor run) => run.Members.ContainsKey(Id);
    }

    private sealed class ResetForgetsTheFloor(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override RunId FloorAfterReset(RunId floor) => RunId.None;
    }

    private sealed class OldFinalAccepted(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override bool AcceptsOldFinal => true;
    }

    private sealed class CatchUpByDraw(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override int CopyOnCatchUp(int value, IRandomSource random) => 1 + random.Next(CurrentRun!.Values);
    }

    private sealed class RunIdWithoutBoot(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override RunId CreateRunId(long number) => new(number, Id, "-");
    }

    private sealed class OwnFloorNotRaised(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override RunId FloorAfterNaming(RunId before, RunId named) => before;
    }

    private sealed class ClearingHandshake(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override bool HandshakeClears => true;
    }

    private sealed class ComparesNoSizes(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override bool HasOtherClusterSize(int agents) => false;
    }

    private sealed class RestoredWithoutItsDecision(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override Decision? DecisionAfterRestart(Decision? kept) => null;
    }

    private sealed class SilentLearners(string id, string boot, IReadOnlyList<string> peers, IRandomSource random) : AgentStateMachine(id, boot, peers, random)
    {
        protected override bool LearnersIntroduceRuns => false;
    }
}
