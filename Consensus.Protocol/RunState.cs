namespace Consensus.Protocol;

/// <summary>What an agent does in its current round.</summary>
public enum Phase
{
    /// <summary>It has entered no round yet, or is a learner.</summary>
    Waiting,

    /// <summary>It has proposed and waits for proposals.</summary>
    Proposing,

    /// <summary>It has voted and waits for votes. Ratified rule only.</summary>
    Voting,

    /// <summary>It has decided.</summary>
    Decided,
}

/// <summary>Why a member takes no part any more.</summary>
internal enum Absence
{
    None,
    Restarted,
    Left,

    /// <summary>It counts another number of agents than the run does.</summary>
    ClusterSize,
}

/// <summary>
/// What one agent knows of its current run: the current round and nothing older, so memory does not grow with rounds.
/// Arrays are by member, members in ordinal order of their ids.
/// </summary>
internal sealed class RunState
{
    public const int NoVote = 0;
    public const int VoteForNone = -1;

    /// <summary>Null for the anonymous run of bare messages.</summary>
    public readonly RunDescriptor? Descriptor;
    public readonly RunId Id;
    public readonly Rule Rule;
    public readonly DrawStrategy Draw;
    public readonly int Values;
    public readonly int WindowMs;
    public readonly long? Seed;

    /// <summary>Ids in ordinal order. The anonymous run adds each agent that proposes, in the order of arrival.</summary>
    public string[] Members;

    /// <summary>
    /// The members' proposals of the round: 0 for none, else a value of 1..<see cref="Values"/>. An entry that is not 0 stays as it
    /// is until the round ends: a second, different one is refused. The anonymous run alone takes the last one.
    /// </summary>
    public int[] Proposals;

    /// <summary>
    /// The members' votes of the round: <see cref="NoVote"/>, <see cref="VoteForNone"/> or the value voted for. Of a member that has
    /// voted, <see cref="Proposals"/> holds the proposal too, since the vote repeats it; unless
    /// <see cref="DropUnreadProposals"/> dropped it. All are <see cref="NoVote"/> under the classic rule.
    /// </summary>
    public int[] Votes;

    /// <summary>
    /// Why members take no part any more. An entry that is not <see cref="Absence.None"/> never changes again; this agent's is None.
    /// </summary>
    public Absence[] Absences;

    /// <summary>This agent's index; -1 for a learner.</summary>
    public int Me;

    /// <summary>The index of the member that relays; -1: every agent sends to every agent.</summary>
    public readonly int Relay = -1;

    /// <summary>On the relay: the votes of the round that it left last.</summary>
    public Vote[] EndedVotes = [];

    /// <summary>The current round. It never falls. <see cref="Proposals"/> and <see cref="Votes"/> are of this round alone.</summary>
    public int Round;

    /// <summary>
    /// In one round it goes from <see cref="Phase.Proposing"/> to <see cref="Phase.Voting"/>, and only a new round leads back. A
    /// learner waits until it is <see cref="Phase.Decided"/>. Decided is the last one, and holds exactly where
    /// <see cref="Decision"/> is set.
    /// </summary>
    public Phase Phase;

    /// <summary>Values drawn here; it never falls. An adopted or copied value is none of them.</summary>
    public int Attempts;

    /// <summary>Set once, and never changed.</summary>
    public Decision? Decision;

    /// <summary>Send the decision at once: no other agent is certain to send it, or the votes for it.</summary>
    public bool SendsFinalAtOnce;

    /// <summary>The window of the current phase: it starts once a quorum is in.</summary>
    public bool WindowArmed;
    public bool WindowElapsed;

    /// <summary>The back-off of the current proposal or vote, in ms.</summary>
    public int RetransmitMs;

    /// <summary>Set in this step and not sent yet.</summary>
    public bool ProposalUnsent;
    public bool VoteUnsent;

    public RunState(RunDescriptor descriptor, string me, bool takesPart)
    {
        Descriptor = descriptor;
        Id = descriptor.Id;
        Rule = descriptor.Rule;
        Draw = descriptor.Draw;
        Values = descriptor.Values;
        WindowMs = descriptor.WindowMs;
        Seed = descriptor.Seed;
        Members = [.. descriptor.Members.Keys];
        Array.Sort(Members, string.CompareOrdinal);
        Proposals = new int[Members.Length];
        Votes = new int[Members.Length];
        Absences = new Absence[Members.Length];
        Me = takesPart ? IndexOf(me) : -1;
        Relay = descriptor is { Spread: Spread.Relay, Rule: Rule.Ratified } ? IndexOf(Id.Initiator) : -1;
        Round = descriptor.StartRound;
    }

    /// <summary>The anonymous run of bare messages: the original's rule and defaults.</summary>
    public RunState(string me)
    {
        Rule = Rule.Classic;
        Values = 3;
        WindowMs = ProtocolTiming.DefaultWindowMs;
        Members = [me];
        Proposals = new int[1];
        Votes = new int[1];
        Absences = new Absence[1];
    }

    private RunState(RunState other)
    {
        (Descriptor, Id, Rule, Draw) = (other.Descriptor, other.Id, other.Rule, other.Draw);
        (Values, WindowMs, Seed) = (other.Values, other.WindowMs, other.Seed);
        Members = other.Members;
        Proposals = [.. other.Proposals];
        Votes = [.. other.Votes];
        Absences = [.. other.Absences];
        (Relay, EndedVotes) = (other.Relay, other.EndedVotes);
        (Me, Round, Phase, Attempts, Decision) = (other.Me, other.Round, other.Phase, other.Attempts, other.Decision);
        SendsFinalAtOnce = other.SendsFinalAtOnce;
        (WindowArmed, WindowElapsed, RetransmitMs) = (other.WindowArmed, other.WindowElapsed, other.RetransmitMs);
        (ProposalUnsent, VoteUnsent) = (other.ProposalUnsent, other.VoteUnsent);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static RunState Read(RecordReader reader, string me)
    {
        var run = reader.ReadRun() is { } descriptor ? new RunState(descriptor, me, takesPart: reader.ReadBool()) : new RunState(me);
        if (run.Descriptor is null)
        {
            run.Members = new string[reader.ReadCount()];
            for (var i = 0; i < run.Members.Length; i++)
            {
                run.Members[i] = reader.ReadText();
            }
        }

        (run.Proposals, run.Votes) = (reader.ReadInts(), reader.ReadInts());
        run.Absences = [.. reader.ReadInts().Select(absence => (Absence)absence)];
        run.EndedVotes = new Vote[reader.ReadCount()];
        for (var i = 0; i < run.EndedVotes.Length; i++)
        {
            run.EndedVotes[i] = (Vote)reader.ReadMessage();
        }

        (run.Round, run.Phase, run.Attempts, run.Decision) =
            (reader.ReadInt(), (Phase)reader.ReadInt(), reader.ReadInt(), reader.ReadDecision());
        (run.SendsFinalAtOnce, run.WindowArmed, run.WindowElapsed) = (reader.ReadBool(), reader.ReadBool(), reader.ReadBool());
        (run.RetransmitMs, run.ProposalUnsent, run.VoteUnsent) = (reader.ReadInt(), reader.ReadBool(), reader.ReadBool());
        return run;
    }

    /// <summary>Writes everything that it holds.</summary>
    public void Write(RecordWriter writer)
    {
        writer.Write(Descriptor);
        if (Descriptor is not null)
        {
            writer.Write(!Learner);
        }
        else
        {
            writer.Write(Members.Length);
            foreach (var member in Members)
            {
                writer.Write(member);
            }
        }

        writer.Write(Proposals);
        writer.Write(Votes);
        writer.Write(Array.ConvertAll(Absences, absence => (int)absence));
        writer.Write(EndedVotes.Length);
        foreach (var vote in EndedVotes)
        {
            writer.Write(vote);
        }

        writer.Write(Round);
        writer.Write((long)Phase);
        writer.Write(Attempts);
        writer.Write(Decision);
        writer.Write(SendsFinalAtOnce);
        writer.Write(WindowArmed);
        writer.Write(WindowElapsed);
        writer.Write(RetransmitMs);
        writer.Write(ProposalUnsent);
        writer.Write(VoteUnsent);
    }

    public bool Learner => Me < 0;

    /// <summary>This agent relays.</summary>
    public bool IsRelay => Relay >= 0 && Relay == Me;

    /// <summary>True once this agent has proposed in some round of the run.</summary>
    public bool Entered => Phase is Phase.Proposing or Phase.Voting;

    public int ProposalCount => Proposals.Length - CountProposals(0);

    public int VoteCount => Votes.Length - CountVotes(NoVote);

    public int MyProposal => Proposals[Me];

    /// <summary>The vote of a member that has voted.</summary>
    public Vote VoteOf(int member) =>
        new(Members[member], Votes[member] == VoteForNone ? null : Votes[member], Proposals[member], Round);

    public RunState Clone() => new(this);

    public int CountProposals(int value) => Proposals.AsSpan().Count(value);

    public int CountVotes(int vote) => Votes.AsSpan().Count(vote);

    public int IndexOf(string agentId)
    {
        for (var i = 0; i < Members.Length; i++)
        {
            if (string.Equals(Members[i], agentId, StringComparison.Ordinal))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>
    /// The value with the most proposals, and how many; (0, 0) for none. Of several such values that of the first member, so that
    /// agents with the same proposals choose the same one.
    /// </summary>
    public (int Value, int Count) MostProposed()
    {
        var (best, max) = (0, 0);
        for (var i = 0; i < Proposals.Length; i++)
        {
            // A value counted before cannot beat itself.
            if (Proposals[i] != 0 && Proposals[i] != best && CountProposals(Proposals[i]) is var count && count > max)
            {
                (best, max) = (Proposals[i], count);
            }
        }

        return (best, max);
    }

    /// <summary>A value voted for in this round (a correct cluster has at most one), or null.</summary>
    public int? AnyVotedValue()
    {
        foreach (var vote in Votes)
        {
            if (vote > 0)
            {
                return vote;
            }
        }

        return null;
    }

    /// <summary>Whether a value is in the range of this run.</summary>
    public bool IsValue(int value) => value >= 1 && value <= Values;

    /// <summary>Adds an agent to an anonymous run; -1 where the run already has <paramref name="limit"/> members.</summary>
    public int AddMember(string agentId, int limit)
    {
        if (Members.Length >= limit)
        {
            return -1;
        }

        Members = [.. Members, agentId];
        Array.Resize(ref Proposals, Members.Length);
        Array.Resize(ref Votes, Members.Length);
        Array.Resize(ref Absences, Members.Length);
        return Members.Length - 1;
    }

    /// <summary>Drops the peers' proposals where nothing reads them any more.</summary>
    public void DropUnreadProposals()
    {
        if (this is { Phase: Phase.Voting, Draw: DrawStrategy.Fresh, Rule: Rule.Ratified, IsRelay: false })
        {
            var mine = MyProposal;
            Array.Clear(Proposals);
            Proposals[Me] = mine;
        }
    }

    /// <summary>Clears the proposals and votes for another round.</summary>
    public void BeginRound(int round)
    {
        EndedVotes = IsRelay ? [.. Enumerable.Range(0, Members.Length).Where(i => Votes[i] != NoVote).Select(VoteOf)] : [];
        Round = round;
        Array.Clear(Proposals);
        Array.Clear(Votes);
        Phase = Phase.Proposing;
        WindowArmed = WindowElapsed = false;
    }
}
