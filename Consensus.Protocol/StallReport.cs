namespace Consensus.Protocol;

/// <summary>Why a run cannot decide any more, for people.</summary>
internal static class StallReport
{
    /// <summary>
    /// The reason, or null where the run can go on. A run is stalled when it is undecided and fewer than a quorum of its
    /// members can still take part. A decision that exists anywhere still arrives.
    /// </summary>
    public static string? Of(AgentContext agent)
    {
        if (agent.Run is not { Descriptor.N: var n, Decision: null } run)
        {
            return null;
        }

        var reasons = new List<string>();
        var sizesDiffer = false;
        for (var i = 0; i < run.Members.Length; i++)
        {
            var isOwnLearner = run.Learner && string.Equals(run.Members[i], agent.Id, StringComparison.Ordinal);
            if (isOwnLearner || run.Absences[i] != Absence.None)
            {
                Add(run.Members[i], run.Absences[i] == Absence.Left ? "was reset" : "restarted");
            }
        }

        if (run.Members.Length - reasons.Count >= Quorum.Of(n))
        {
            return null;
        }

        if (run.IndexOf(agent.Id) < 0)
        {
            Add(agent.Id, "was not reached at start");
        }

        for (var i = 0; i < agent.Peers.Count; i++)
        {
            if (agent.Peers[i].Id is not { } id || run.IndexOf(id) < 0)
            {
                Add(agent.Peers.NameOf(i), "was not reached at start");
            }
        }

        return string.Join("; ", reasons)
            + (sizesDiffer ? ": name all others in PEERS of each agent, then POST /run again" : ": POST /run again");

        void Add(string name, string why)
        {
            var agents = ClusterSizeOf(agent, name);
            sizesDiffer |= agents != 0 && agents != n;
            reasons.Add(agents == 0 || agents == n ? $"{name} {why}" : $"{name} counts {agents} agents, the run {n}");
        }
    }

    /// <summary>How many agents an agent counts; 0: unknown.</summary>
    private static int ClusterSizeOf(AgentContext agent, string id) =>
        id == agent.Id ? agent.ClusterSize : agent.Peers.IndexOf(id) is >= 0 and var peer ? agent.Peers[peer].ClusterSize : 0;
}
