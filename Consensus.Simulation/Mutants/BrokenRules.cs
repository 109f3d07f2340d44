using Consensus.Protocol;

namespace Consensus.Simulation.Mutants;

internal sealed class NoAdoption : SafetyRules
{
    public override int? Adopt(int? votedValue) => null;
}

internal sealed class DecisionOnOneVote : SafetyRules
{
    public override int DecisionQuorum(int agents) => 1;
}

internal sealed class ShortProposalQuorum : SafetyRules
{
    public override int ProposalQuorum(int agents) => Quorum.Of(agents) - 1;
}

internal sealed class ShortVoteQuorum : SafetyRules
{
    public override int VoteQuorum(int agents) => Quorum.Of(agents) - 1;
}

internal sealed class DrawOnCatchUp : SafetyRules
{
    public override int ValueOnCatchUp(int value, RunDescriptor run, IRandomSource random) => 1 + random.Next(run.Values);
}

internal sealed class RestartedMember : SafetyRules
{
    public override bool TakesPart(RunDescriptor run, string id, string boot, int agents) => run.Members.ContainsKey(id);
}

internal sealed class ForgottenHighestSeenRun : SafetyRules
{
    public override RunId HighestSeenRunAfterReset(RunId highestSeenRun) => RunId.None;
}

internal sealed class RunIdWithoutBoot : SafetyRules
{
    public override RunId CreateRunId(long number, string id, string boot) => new(number, id, "-");
}

internal sealed class HighestSeenRunNotRaised : SafetyRules
{
    public override RunId HighestSeenRunAfterCreatingRun(RunId before, RunId created) => before;
}

internal sealed class OldFinalAccepted : SafetyRules
{
    public override bool AcceptsFinalOfOldRun => true;
}

internal sealed class ClearingHandshake : SafetyRules
{
    public override bool HandshakeClears => true;
}

internal sealed class ClusterSizesNotCompared : SafetyRules
{
    public override bool HasOtherClusterSize(int peers, int own) => false;
}

internal sealed class DecisionNotRestored : SafetyRules
{
    public override Decision? DecisionAfterRestart(Decision? persisted) => null;
}

internal sealed class ForgingRelay : SafetyRules
{
    public override Vote Relay(Vote vote) => vote with { Value = vote.Proposed };
}

internal sealed class SilentLearners : SafetyRules
{
    public override bool LearnersIntroduceRuns => false;
}
