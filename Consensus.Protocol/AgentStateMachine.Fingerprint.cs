namespace Consensus.Protocol;

public partial class AgentStateMachine
{
    /// <summary>True between a <see cref="StartRun"/> and the run's name.</summary>
    public bool IsShakingHands => _starting is { Stage: RunStartStage.Handshake };

    /// <summary>
    /// Drops what is in the books and is read no more: what others proposed in a round, once this agent has voted in it
    /// and nothing but votes or a free draw leads out. Kept, it could only show that a peer proposes two things, which is
    /// seen where the peer says them.
    /// </summary>
    public void DropUnreadProposals()
    {
        if (_run is { Phase: Phase.Voting, Draw: DrawStrategy.Fresh, Rule: Rule.Ratified } run)
        {
            var mine = run.MyProposal;
            Array.Clear(run.Proposals);
            run.Proposals[run.Me] = mine;
        }
    }

    /// <summary>
    /// Writes what decides which values this agent will ever propose, vote for and decide, for an explorer in which
    /// windows run out at will and whatever was said may reach everyone at any time. Left out: pauses (they choose when
    /// a thing is said again), counts of draws, the books of a decided run (nothing changes it any more), and the round
    /// named in a decision (no rule reads it).
    /// </summary>
    /// <param name="writer">Where to.</param>
    /// <param name="mayStart">Whether this agent may still be told to start a run: then what it knows of its peers counts.</param>
    /// <param name="contacts">
    /// Whether to write also who was told and asked what: it chooses to whom a thing is said again, so it matters for
    /// what is reached, not for what is safe.
    /// </param>
    public void EncodeFingerprint(BinaryWriter writer, bool mayStart, bool contacts)
    {
        Write(writer, _floor);
        writer.Write(Boot);
        writer.Write(_abandonedNumber);
        writer.Write((byte)((IsShakingHands ? 1 : 0) | (mayStart ? 2 : 0) | (_starting is not null ? 4 : 0) | (contacts && _beforeFirstPoll ? 8 : 0)));
        foreach (ref readonly var peer in (mayStart || IsShakingHands || contacts ? _peers : []).AsSpan())
        {
            writer.Write(peer.Id ?? "");
            writer.Write(peer.Boot ?? "");
            writer.Write((byte)peer.ClusterSize);
            Write(writer, peer.Floor);
            // An answer that tells a boot is a recent one, whatever there was before.
            writer.Write((byte)(Flags(peer) & ((contacts ? 7 : 0) | (mayStart && peer.Boot is not null ? Recent : 0))));
        }

        for (var i = 0; _starting is not null && i < _peers.Length; i++)
        {
            writer.Write(Flags(_starting, i));
        }

        writer.Write(_run is not null);
        if (_run is not { } run)
        {
            return;
        }

        Write(writer, run.Id);
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
}
