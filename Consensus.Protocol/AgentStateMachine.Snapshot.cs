namespace Consensus.Protocol;

/// <summary>What an agent holds at one moment; nothing in it changes afterwards.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="Boot">Its boot.</param>
/// <param name="Floor">The highest run it ever saw; none for none.</param>
/// <param name="Run">The current described run, or null.</param>
/// <param name="Learner">True where it takes no part in that run.</param>
/// <param name="Round">The current round; 0 before the first.</param>
/// <param name="Phase">Where it stands in the round.</param>
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
    RunId Floor,
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
    /// <summary>The answer to a <see cref="StateQuery"/> at that moment: what a peer needs to catch up.</summary>
    public Response StateResponse => AgentStateMachine.StateOf(AgentId, Boot, Agents, Floor, Run, Learner, Decision);
}

public partial class AgentStateMachine
{
    /// <summary>The current run, or null; cheaper than <see cref="Snapshot"/>.</summary>
    public RunDescriptor? CurrentRun => _run?.Descriptor;

    /// <summary>The current decision, or null; cheaper than <see cref="Snapshot"/>.</summary>
    public Decision? CurrentDecision => _run?.Decision;

    /// <summary>The current round; 0 before the first.</summary>
    public int CurrentRound => _run?.Round ?? 0;

    /// <summary>The highest run this agent ever saw.</summary>
    public RunId Floor => _floor;

    internal static Response StateOf(string id, string boot, int agents, RunId floor, RunDescriptor? run, bool learner, Decision? decision) => new(ResponseStatus.Ok)
    {
        AgentId = id, Boot = boot, Agents = agents, Floor = floor.IsNone ? null : floor,
        Run = run?.Id, Descriptor = run, Learner = run is not null && learner ? true : null, Decision = run is null ? null : decision,
    };

    /// <summary>What this agent holds now.</summary>
    public AgentSnapshot Snapshot()
    {
        var proposals = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var votes = new SortedDictionary<string, int?>(StringComparer.Ordinal);
        for (var i = 0; i < (_run?.Members.Length ?? 0); i++)
        {
            if (_run!.Proposals[i] != 0)
            {
                proposals.Add(_run.Members[i], _run.Proposals[i]);
            }

            if (_run.Votes[i] != RunState.NoVote)
            {
                votes.Add(_run.Members[i], _run.Votes[i] == RunState.VoteForNone ? null : _run.Votes[i]);
            }
        }

        int? mine = _run is { Learner: false } run && run.MyProposal != 0 ? run.MyProposal : null;
        return new AgentSnapshot(
            Id, Boot, _floor, _run?.Descriptor, _run?.Learner ?? false, CurrentRound, _run?.Phase ?? Phase.Waiting, mine,
            proposals, votes, _run?.Attempts ?? 0, _run?.Decision, Stalled(), _n);
    }

    /// <summary>
    /// Writes all that future steps depend on, so that two machines with equal bytes behave alike. For fingerprints.
    /// </summary>
    public void Encode(BinaryWriter writer)
    {
        Write(writer, _floor);
        writer.Write(Boot);
        writer.Write(_disseminationMs);
        writer.Write(_beforeFirstPoll);
        writer.Write(_abandonedNumber);
        foreach (ref readonly var peer in _peers.AsSpan())
        {
            writer.Write(peer.Id ?? "");
            writer.Write(peer.Boot ?? "");
            writer.Write(peer.ClusterSize);
            Write(writer, peer.Floor);
            writer.Write(Flags(peer));
        }

        writer.Write(_run is not null);
        if (_run is { } run)
        {
            EncodeRun(writer, run);
        }

        writer.Write(_queuedStarts.Count);
        writer.Write(_starting is not null);
        if (_starting is { } starting)
        {
            writer.Write(starting.Start.Ticket);
            writer.Write((byte)starting.Stage);
            writer.Write(starting.TimerArmed);
            writer.Write(starting.Restarts);
            writer.Write(starting.WithoutHandshake);
            Write(writer, starting.PreviousRun?.Id ?? RunId.None);
            Write(writer, starting.Run?.Id ?? RunId.None);
            for (var i = 0; i < _peers.Length; i++)
            {
                writer.Write(Flags(starting, i));
            }
        }
    }

    private static void EncodeRun(BinaryWriter writer, RunState run)
    {
        // A run id stands for its whole descriptor: no correct initiator describes one id twice.
        Write(writer, run.Id);
        writer.Write((sbyte)run.Me);
        writer.Write(run.Round);
        writer.Write((byte)run.Phase);
        writer.Write(run.Attempts);
        writer.Write(run.Decision?.Value ?? 0);
        writer.Write(run.Decision?.Round ?? 0);
        writer.Write(Flags(run));
        writer.Write(run.RetransmitMs);
        for (var i = 0; i < run.Members.Length; i++)
        {
            writer.Write(run.Members[i]);
            writer.Write(run.Proposals[i]);
            writer.Write(run.Votes[i]);
            writer.Write((byte)run.Absences[i]);
        }
    }

    private const int Recent = 8;

    private static byte Flags(in PeerProgress peer) => (byte)(
        (peer.Unreachable ? 1 : 0) | (peer.StateKnown ? 2 : 0) | (peer.DecisionAcknowledged ? 4 : 0) | (peer.RecentActive ? Recent : 0) | (peer.InFlight > 0 ? 16 : 0));

    private static byte Flags(RunStart starting, int peer) =>
        (byte)((starting.Completed[peer] ? 1 : 0) | (starting.Responded[peer] ? 2 : 0) | (starting.Legacy[peer] ? 4 : 0));

    private static byte Flags(RunState run) => (byte)((run.WindowArmed ? 1 : 0) | (run.WindowElapsed ? 2 : 0) | (run.SendsFinalAtOnce ? 4 : 0));

    private static void Write(BinaryWriter writer, RunId id)
    {
        writer.Write(id.Number);
        writer.Write(id.Initiator ?? "");
        writer.Write(id.Boot ?? "");
    }
}
