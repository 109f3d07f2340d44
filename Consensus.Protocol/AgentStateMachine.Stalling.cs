namespace Consensus.Protocol;

public partial class AgentStateMachine
{
    /// <summary>
    /// Why the current run cannot go on: fewer than a quorum of its members can still take part and no decision is
    /// known. Null where it can. A decision that exists somewhere still arrives.
    /// </summary>
    public string? Stalled()
    {
        if (_run is not { Descriptor.N: var n, Decision: null } run)
        {
            return null;
        }

        var reasons = new List<string>();
        var sizesDiffer = false;
        for (var i = 0; i < run.Members.Length; i++)
        {
            var isLearner = run.Learner && string.Equals(run.Members[i], Id, StringComparison.Ordinal);
            if (isLearner || run.Absences[i] != Absence.None)
            {
                Add(run.Members[i], run.Absences[i] == Absence.Left ? "was reset" : "restarted");
            }
        }

        if (run.Members.Length - reasons.Count >= (n / 2) + 1)
        {
            return null;
        }

        if (run.IndexOf(Id) < 0)
        {
            Add(Id, "was not reached at start");
        }

        for (var i = 0; i < _peers.Length; i++)
        {
            if (_peers[i].Id is not { } id || run.IndexOf(id) < 0)
            {
                Add(NameOf(i), "was not reached at start");
            }
        }

        return string.Join("; ", reasons) + (sizesDiffer ? ": name all others in PEERS of each agent, then POST /run again" : ": POST /run again");

        void Add(string name, string why)
        {
            var agents = AgentsCountedBy(name);
            sizesDiffer |= agents != 0 && agents != n;
            reasons.Add(agents == 0 || agents == n ? $"{name} {why}" : $"{name} counts {agents} agents, the run {n}");
        }
    }

    /// <summary>How many agents an agent counts; 0: it has not said.</summary>
    private int AgentsCountedBy(string id) => id == Id ? _n : PeerIndex(id) is >= 0 and var peer ? _peers[peer].ClusterSize : 0;
}
