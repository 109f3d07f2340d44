namespace Consensus.Protocol;

/// <summary>Writes an agent's state as bytes: two agents with equal bytes behave alike in a model checker.</summary>
/// <param name="writer">Where to.</param>
internal readonly struct Fingerprint(BinaryWriter writer)
{
    private const int RecentActive = 8;

    public BinaryWriter Writer => writer;

    /// <summary>
    /// Writes what decides which values the agent will ever propose, vote for and decide, for a model checker in which
    /// windows end at will and every message that was sent may arrive at any time. It leaves out back-offs (they choose when
    /// a message is retransmitted), counts of draws, the proposals and votes of a decided run (nothing changes the
    /// decision), and the round of a decision (no rule reads it).
    /// </summary>
    /// <param name="agent">The agent.</param>
    /// <param name="start">Its start in progress.</param>
    /// <param name="mayStart">Whether the agent may still start a run: then what it knows of its peers counts.</param>
    /// <param name="peerKnowledge">
    /// Whether to write also which peers have acknowledged or been queried. It chooses to whom a message is retransmitted,
    /// so it matters for termination, not for safety.
    /// </param>
    public void Write(AgentContext agent, RunStart start, bool mayStart, bool peerKnowledge)
    {
        Write(agent.HighestSeenRun);
        writer.Write(agent.Boot);
        writer.Write(agent.AbandonedNumber);
        writer.Write((byte)((start.IsShakingHands ? 1 : 0) | (mayStart ? 2 : 0)
            | (start.InProgress ? 4 : 0) | (peerKnowledge && agent.BeforeFirstPoll ? 8 : 0)));
        for (var i = 0; (mayStart || start.IsShakingHands || peerKnowledge) && i < agent.Peers.Count; i++)
        {
            ref readonly var peer = ref agent.Peers[i];
            writer.Write(peer.Id ?? "");
            writer.Write(peer.Boot ?? "");
            writer.Write((byte)peer.ClusterSize);
            Write(peer.HighestSeenRun);

            // A response that names a boot makes the peer active, whatever it was before.
            writer.Write((byte)(Flags(peer) & ((peerKnowledge ? 7 : 0) | (mayStart && peer.Boot is not null ? RecentActive : 0))));
        }

        start.Write(this);
        writer.Write(agent.Run is not null);
        if (agent.Run is not { } run)
        {
            return;
        }

        Write(run.Id);
        foreach (var member in run.Members)
        {
            writer.Write(member);
            writer.Write(run.Descriptor?.Members[member] ?? "");
        }

        writer.Write((sbyte)run.Me);
        writer.Write((byte)run.Phase);
        if (run.Decision is { } decision)
        {
            writer.Write(decision.Value);

            // An agent leaves the decision to a relay that takes part.
            writer.Write(peerKnowledge && run.Relay >= 0 && run.Absences[run.Relay] != Absence.None);
            return;
        }

        writer.Write(run.Round);
        writer.Write(Flags(run));
        for (var i = 0; i < run.Members.Length; i++)
        {
            writer.Write((sbyte)run.Proposals[i]);
            writer.Write((sbyte)run.Votes[i]);
            writer.Write((byte)run.Absences[i]);
        }
    }

    public void Write(RunId id)
    {
        writer.Write(id.Number);
        writer.Write(id.Initiator ?? "");
        writer.Write(id.Boot ?? "");
    }

    private static byte Flags(in PeerProgress peer) => (byte)(
        (peer.Unreachable ? 1 : 0) | (peer.StateKnown ? 2 : 0) | (peer.DecisionAcknowledged ? 4 : 0)
        | (peer.RecentActive ? RecentActive : 0) | (peer.InFlight > 0 ? 16 : 0));

    private static byte Flags(RunState run) =>
        (byte)((run.WindowArmed ? 1 : 0) | (run.WindowElapsed ? 2 : 0) | (run.SendsFinalAtOnce ? 4 : 0));
}
