namespace Consensus.Protocol;

/// <summary>
/// The rules that make the protocol safe and live, one member each. An agent that serves follows <see cref="Default"/>.
/// A mutant overrides one member, and the checkers must find what goes wrong. Stateless and thread safe.
/// </summary>
public class SafetyRules
{
    /// <summary>The rules as they are proved.</summary>
    public static SafetyRules Default { get; } = new();

    /// <summary>Equal proposals that a vote for their value needs, in a cluster of <paramref name="agents"/>.</summary>
    public virtual int ProposalQuorum(int agents) => Quorum.Of(agents);

    /// <summary>Votes that an agent needs to leave a round.</summary>
    public virtual int VoteQuorum(int agents) => Quorum.Of(agents);

    /// <summary>Votes for one value that decide it.</summary>
    public virtual int DecisionQuorum(int agents) => Quorum.Of(agents);

    /// <summary>
    /// The value to propose in the next round where some vote named one; null: draw. A decided value has a vote in every
    /// quorum of votes, so adoption keeps it the only value of all later rounds.
    /// </summary>
    public virtual int? Adopt(int? votedValue) => votedValue;

    /// <summary>The value to propose in a later round that a peer's proposal introduced: the same value, never a draw.</summary>
    public virtual int ValueOnCatchUp(int value, RunDescriptor run, IRandomSource random) => value;

    /// <summary>
    /// Whether an agent proposes and votes in a run. An agent with another boot has restarted and may have forgotten its
    /// own messages; one that counts another number of agents has another quorum. Both are learners.
    /// </summary>
    public virtual bool TakesPart(RunDescriptor run, string id, string boot, int agents) =>
        run.N == agents && run.Members.TryGetValue(id, out var member) && string.Equals(member, boot, StringComparison.Ordinal);

    /// <summary>The id of a new run. The boot keeps an initiator that restarted from using an id twice.</summary>
    public virtual RunId CreateRunId(long number, string id, string boot) => new(number, id, boot);

    /// <summary>The initiator's floor once it has created a run.</summary>
    public virtual RunId HighestSeenRunAfterCreatingRun(RunId before, RunId created) => created;

    /// <summary>The floor of an agent that was reset: it still ignores every run up to then.</summary>
    public virtual RunId HighestSeenRunAfterReset(RunId highestSeenRun) => highestSeenRun;

    /// <summary>Whether a handshake clears the receiver's run. A late one would lock the receiver out of the run it announced.</summary>
    public virtual bool HandshakeClears => false;

    /// <summary>Whether the decision of an old run decides the current one.</summary>
    public virtual bool AcceptsFinalOfOldRun => false;

    /// <summary>Whether a peer counts another number of agents than this agent; 0: unknown.</summary>
    public virtual bool HasOtherClusterSize(int peers, int own) => peers != 0 && peers != own;

    /// <summary>A vote as the relay passes it on: as its author sent it.</summary>
    public virtual Vote Relay(Vote vote) => vote;

    /// <summary>The decision that a new process takes over from an earlier one.</summary>
    public virtual Decision? DecisionAfterRestart(Decision? persisted) => persisted;

    /// <summary>Whether a learner introduces its run to peers that have not seen it: it may be the last agent that knows the run.</summary>
    public virtual bool LearnersIntroduceRuns => true;
}

/// <summary>The size of a quorum.</summary>
public static class Quorum
{
    /// <summary>floor(agents / 2) + 1 of the whole cluster, reachable or not. Any two quorums share an agent.</summary>
    public static int Of(int agents) => (agents / 2) + 1;
}
