namespace Consensus.Protocol;

/// <summary>An agent's state at one moment. Immutable.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="Boot">Its boot.</param>
/// <param name="HighestSeenRun">The highest run that it has ever seen; none for none.</param>
/// <param name="Run">The current described run, or null.</param>
/// <param name="Learner">True where it takes no part in that run.</param>
/// <param name="Round">The current round; 0 before the first.</param>
/// <param name="Phase">What it does in the round.</param>
/// <param name="MyValue">Its proposal of the round, or null.</param>
/// <param name="Proposals">The known proposals of the round, by agent.</param>
/// <param name="Votes">The known votes of the round, by agent; null is a vote for none.</param>
/// <param name="Attempts">Values drawn in the run so far.</param>
/// <param name="Decision">The decision, or null.</param>
/// <param name="Stalled">Why the run cannot go on, or null.</param>
/// <param name="Agents">How many agents it counts, itself included.</param>
public sealed record AgentSnapshot(
    string AgentId,
    string Boot,
    RunId HighestSeenRun,
    RunDescriptor? Run,
    bool Learner,
    int Round,
    Phase Phase,
    int? MyValue,
    IReadOnlyDictionary<string, int> Proposals,
    IReadOnlyDictionary<string, int?> Votes,
    int Attempts,
    Decision? Decision,
    string? Stalled,
    int Agents)
{
    /// <summary>The majority for the decision, in words; null: there is no decision, or this agent knows no majority for it.</summary>
    public string? Support
    {
        get
        {
            var votes = Run?.Rule == Rule.Ratified;
            List<string> supporters = Decision is not { } decision ? []
                : votes ? [.. Votes.Where(one => one.Value == decision.Value).Select(one => one.Key)]
                : [.. Proposals.Where(one => one.Value == decision.Value).Select(one => one.Key)];
            return supporters.Count < Quorum.Of(Agents) ? null : EventFormatter.Support(Agents, votes, supporters);
        }
    }

    /// <summary>The response to a <see cref="StateQuery"/> at that moment: what a peer needs to catch up.</summary>
    public Response StateResponse => StateOf(AgentId, Boot, Agents, HighestSeenRun, Run, Learner, Decision);

    internal static Response StateOf(AgentContext agent) => StateOf(
        agent.Id, agent.Boot, agent.ClusterSize, agent.HighestSeenRun, agent.Run?.Descriptor, agent.Run?.Learner ?? false,
        agent.Run?.Decision);

    internal static AgentSnapshot Of(AgentContext agent)
    {
        var members = agent.Run?.Members ?? [];
        var proposals = new Dictionary<string, int>(members.Length);
        var votes = new Dictionary<string, int?>(members.Length);

        // A dictionary from which nothing is removed keeps the order of its additions. Members are in ordinal order already, but not
        // those of an anonymous run.
        foreach (var i in agent.Run is { Descriptor: null } ? Sorted(members) : Enumerable.Range(0, members.Length))
        {
            var member = members[i];
            if (agent.Run!.Proposals[i] is not 0 and var proposal)
            {
                proposals.Add(member, proposal);
            }

            if (agent.Run.Votes[i] is not RunState.NoVote and var vote)
            {
                votes.Add(member, vote == RunState.VoteForNone ? null : vote);
            }
        }

        var run = agent.Run;
        int? mine = run is { Learner: false } && run.MyProposal != 0 ? run.MyProposal : null;
        return new AgentSnapshot(
            agent.Id, agent.Boot, agent.HighestSeenRun, run?.Descriptor, run?.Learner ?? false, run?.Round ?? 0,
            run?.Phase ?? Phase.Waiting, mine, proposals, votes, run?.Attempts ?? 0, run?.Decision, StallReport.Of(agent),
            agent.ClusterSize);
    }

    private static IEnumerable<int> Sorted(string[] members) =>
        Enumerable.Range(0, members.Length).OrderBy(i => members[i], StringComparer.Ordinal);

    private static Response StateOf(
        string id, string boot, int agents, RunId highestSeenRun, RunDescriptor? run, bool learner, Decision? decision) =>
        new(ResponseStatus.Ok)
        {
            AgentId = id, Boot = boot, Agents = agents, HighestSeenRun = highestSeenRun.IsNone ? null : highestSeenRun,
            Run = run?.Id, Descriptor = run, Learner = run is not null && learner ? true : null, Decision = run is null ? null : decision,
        };
}
