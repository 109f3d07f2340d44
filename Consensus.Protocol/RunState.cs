namespace Consensus.Protocol;

/// <summary>Where an agent stands in its current round.</summary>
public enum Phase
{
    /// <summary>No round entered yet, or a learner.</summary>
    Waiting,

    /// <summary>Proposed; waits for proposals.</summary>
    Proposing,

    /// <summary>Voted; waits for votes. Ratified rule only.</summary>
    Voting,

    /// <summary>Holds a decision.</summary>
    Decided,
}

/// <summary>Why a member cannot take part any more.</summary>
internal enum Absence
{
    None,
    Restarted,
    Left,

    /// <summary>It counts another number of agents than the run does.</summary>
    ClusterSize,
}

/// <summary>
/// What one agent holds of its current run: the current round and nothing older, so memory does not grow with rounds.
/// Arrays are by member, members in ordinal order of their ids.
/// </summary>
internal sealed class RunState
{
    public const int NoVote = 0;
    public const int VoteForNone = -1;

    /// <summary>The current run as described; null for the anonymous run of bare messages.</summary>
    public readonly RunDescriptor? Descriptor;
    public readonly RunId Id;
    public readonly Rule Rule;
    public readonly DrawStrategy Draw;
    public readonly int Values;
    public readonly int WindowMs;
    public readonly long? Seed;

    /// <summary>Ids in ordinal order; the anonymous run fills it as it hears of agents.</summary>
    public string[] Members;

    /// <summary>0: none; else the proposed value.</summary>
    public int[] Proposals;

    /// <summary><see cref="NoVote"/>, <see cref="VoteForNone"/> or the value voted for.</summary>
    public int[] Votes;
    public Absence[] Absences;

    /// <summary>This agent's index; -1 for a learner.</summary>
    public int Me;
    public int Round;
    public Phase Phase;
    public int Attempts;
    public Decision? Decision;

    /// <summary>Nobody else may be about to tell the decision, or the votes for it.</summary>
    public bool SendsFinalAtOnce;

    /// <summary>The current phase's window: armed once a quorum is in, and then run out.</summary>
    public bool WindowArmed;
    public bool WindowElapsed;

    /// <summary>ms until the current words are said again.</summary>
    public int RetransmitMs;

    /// <summary>Said in this step and not sent yet.</summary>
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
        Round = descriptor.StartRound;
    }

    /// <summary>The anonymous run of bare messages: the original's rule and defaults.</summary>
    public RunState(string me)
    {
        Rule = Rule.Classic;
        Values = 3;
        WindowMs = AgentStateMachine.DefaultWindowMs;
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
        (Me, Round, Phase, Attempts, Decision) = (other.Me, other.Round, other.Phase, other.Attempts, other.Decision);
        SendsFinalAtOnce = other.SendsFinalAtOnce;
        (WindowArmed, WindowElapsed, RetransmitMs) = (other.WindowArmed, other.WindowElapsed, other.RetransmitMs);
    }

    public bool Learner => Me < 0;

    /// <summary>True once this agent has proposed in some round of the run.</summary>
    public bool Entered => Phase is Phase.Proposing or Phase.Voting;

    public int ProposalCount => Proposals.Length - CountProposals(0);

    public int VoteCount => Votes.Length - CountVotes(NoVote);

    public int MyProposal => Proposals[Me];

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

    /// <summary>The value with the most proposals, and how many; (0, 0) for none.</summary>
    public (int Value, int Count) MostProposed()
    {
        var (best, most) = (0, 0);
        for (var i = 0; i < Proposals.Length; i++)
        {
            // A value counted before cannot beat itself.
            if (Proposals[i] != 0 && Proposals[i] != best && CountProposals(Proposals[i]) is var count && count > most)
            {
                (best, most) = (Proposals[i], count);
            }
        }

        return (best, most);
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

    /// <summary>Makes room for one more agent of an anonymous run; -1 when the cluster is full.</summary>
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

    /// <summary>Empties the books for another round.</summary>
    public void BeginRound(int round)
    {
        Round = round;
        Array.Clear(Proposals);
        Array.Clear(Votes);
        Phase = Phase.Proposing;
        WindowArmed = WindowElapsed = false;
    }
}
