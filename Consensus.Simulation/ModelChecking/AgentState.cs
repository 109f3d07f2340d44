using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>A machine as far as it matters, and what each input makes of it.</summary>
internal sealed class LocalState(AgentStateMachine machine)
{
    private ulong[] _noOps = [];
    private byte[] _mayTakePart = [];

    public readonly AgentStateMachine Machine = machine;
    public readonly bool Shaking = machine.IsShakingHands;

    /// <summary>Filled under the explorer's lock.</summary>
    public readonly Dictionary<int, Outcome[]> Outcomes = [];

    /// <summary>What this state stands for: said again by every repetition and answer.</summary>
    public int[] Standing = [];

    /// <summary>True where an input is known to change nothing and to say nothing new.</summary>
    public bool IgnoresFor(int code)
    {
        var noOps = Volatile.Read(ref _noOps);
        return code >> 6 < noOps.Length && ((noOps[code >> 6] >> (code & 63)) & 1) != 0;
    }

    /// <summary>Whether it may yet propose or vote in a run, now or later; null: not looked up yet.</summary>
    public bool? MayTakePart(int run)
    {
        var known = Volatile.Read(ref _mayTakePart);
        return run >= known.Length || known[run] == 0 ? null : known[run] == 1;
    }

    /// <summary>Under the explorer's lock.</summary>
    public void SetMayTakePart(int run, bool may)
    {
        var known = _mayTakePart;
        Array.Resize(ref known, Math.Max(known.Length, run + 1));
        known[run] = (byte)(may ? 1 : 2);
        Volatile.Write(ref _mayTakePart, known);
    }

    public void Ignore(int code)
    {
        var noOps = _noOps;
        if (code >> 6 >= noOps.Length)
        {
            Array.Resize(ref noOps, (code >> 6) + 1);
        }

        noOps[code >> 6] |= 1UL << (code & 63);
        Volatile.Write(ref _noOps, noOps);
    }
}

/// <summary>One way a step may end: the draws choose.</summary>
/// <param name="Next">The machine after it.</param>
/// <param name="Sent">Facts it added.</param>
/// <param name="Events">For the diagram and for the properties that must be exercised.</param>
internal sealed record Outcome(LocalState Next, int[] Sent, ProtocolEvent[] Events);

/// <summary>All that one agent ever said, over all its lives, and what follows from it. Equal sets are one object.</summary>
internal sealed class SentMessages(int[] codes, int[] decisions, int[] draws, string? broken)
{
    /// <summary>Sorted codes of facts.</summary>
    public readonly int[] Codes = codes;

    /// <summary>(number of the run, value) of its decisions, as one number.</summary>
    public readonly int[] Decisions = decisions;

    /// <summary>The same of its draws.</summary>
    public readonly int[] Draws = draws;

    /// <summary>The property that these words alone break, or null.</summary>
    public readonly string? Broken = broken;
}

/// <summary>Facts in the order of their codes. Equal lists are one object, with a number.</summary>
internal sealed record DeliverableMessages(int Number, int[] Codes);

/// <summary>
/// One agent in a global state: its machine, all it ever said, and the faults and starts it had. A global state is one
/// of these per agent and nothing else.
/// </summary>
internal sealed class AgentState(int agent, int index, LocalState local, SentMessages said, FaultBudget spent, Origin? origin, DeliverableMessages[] saysTo)
{
    public const int Unknown = int.MinValue;

    private int[] _moves = [];
    private int[][] _branches = [];

    public readonly int Agent = agent;
    public readonly int Index = index;
    public readonly LocalState Local = local;
    public readonly SentMessages Sent = said;
    public readonly FaultBudget FaultBudget = spent;

    /// <summary>How it was first reached; null for a first state.</summary>
    public readonly Origin? Origin = origin;

    /// <summary>By receiver: the facts that may reach it now.</summary>
    public readonly DeliverableMessages[] MessagesTo = saysTo;

    /// <summary>Runs in which it said more than that they are there and what they decided.</summary>
    public int[] Runs { get; init; } = [];

    /// <summary>True where it announced a decision of the run it is in and does not hold it any more.</summary>
    public bool HasForgotten { get; init; }

    /// <summary>Where a fault-free continuation starts; null: not looked up yet.</summary>
    public volatile object? Continuation;

    /// <summary>The index after an input; negative: ~index into <see cref="Branch"/>; <see cref="Unknown"/>.</summary>
    public int Find(int code)
    {
        var moves = Volatile.Read(ref _moves);
        for (var i = 0; i < moves.Length; i += 2)
        {
            if (moves[i] == code)
            {
                return moves[i + 1];
            }
        }

        return Unknown;
    }

    public int[] Branch(int found) => Volatile.Read(ref _branches)[~found];

    public int Add(int code, int[] successors)
    {
        var value = successors.Length == 1 ? successors[0] : ~_branches.Length;
        if (successors.Length != 1)
        {
            Volatile.Write(ref _branches, [.. _branches, successors]);
        }

        Volatile.Write(ref _moves, [.. _moves, code, value]);
        return value;
    }
}

/// <summary>What of the bounds an agent has used.</summary>
internal readonly record struct FaultBudget(byte Starts, byte Crashes, byte Resets);

/// <summary>The step that first led to a state.</summary>
internal sealed record Origin(AgentState State, int Code, int[] Sent);
