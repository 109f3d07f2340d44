using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>A machine up to differences that no rule reads, with the outcomes of its inputs.</summary>
internal sealed class LocalState(AgentStateMachine machine)
{
    private ulong[] _noOps = [];
    private byte[] _mayTakePart = [];

    public readonly AgentStateMachine Machine = machine;
    public readonly bool IsShakingHands = machine.IsShakingHands;

    /// <summary>By input. Written under <see cref="TransitionTable.Gate"/>.</summary>
    public readonly Dictionary<int, Outcome[]> Outcomes = [];

    /// <summary>The messages that every retransmission and response of this state repeats.</summary>
    public int[] RepeatedMessages = [];

    /// <summary>True where an input is known to change nothing and to send nothing new.</summary>
    public bool IgnoresFor(TransitionCode input)
    {
        var code = input.Number;
        var noOps = Volatile.Read(ref _noOps);
        return code >> 6 < noOps.Length && ((noOps[code >> 6] >> (code & 63)) & 1) != 0;
    }

    /// <summary>Whether the agent may propose or vote in a run, now or later; null: not determined yet.</summary>
    public bool? MayTakePart(int run)
    {
        var known = Volatile.Read(ref _mayTakePart);
        return run >= known.Length || known[run] == 0 ? null : known[run] == 1;
    }

    /// <summary>Called under <see cref="TransitionTable.Gate"/>.</summary>
    public void SetMayTakePart(int run, bool may)
    {
        var known = _mayTakePart;
        Array.Resize(ref known, Math.Max(known.Length, run + 1));
        known[run] = (byte)(may ? 1 : 2);
        Volatile.Write(ref _mayTakePart, known);
    }

    public void Ignore(TransitionCode input)
    {
        var code = input.Number;
        var noOps = _noOps;
        if (code >> 6 >= noOps.Length)
        {
            Array.Resize(ref noOps, (code >> 6) + 1);
        }

        noOps[code >> 6] |= 1UL << (code & 63);
        Volatile.Write(ref _noOps, noOps);
    }
}

/// <summary>One outcome of a step; there is one for each combination of draws.</summary>
/// <param name="Next">The machine after the step.</param>
/// <param name="Sent">The messages that the step added.</param>
/// <param name="Events">The events of the step, for diagrams and for reachability properties.</param>
internal sealed record Outcome(LocalState Next, int[] Sent, ProtocolEvent[] Events)
{
    /// <summary>The events of other draws with the same outcome.</summary>
    public List<ProtocolEvent[]> OtherEvents { get; } = [];
}

/// <summary>All messages that one agent ever sent, over all its processes, and what follows from them. Equal sets are one object.</summary>
internal sealed class SentMessages(int[] codes, int[] decisions, int[] draws, string? broken)
{
    /// <summary>Sorted codes of the messages.</summary>
    public readonly int[] Codes = codes;

    /// <summary>The agent's decisions, each a run's number and a value packed in one number.</summary>
    public readonly int[] Decisions = decisions;

    /// <summary>The agent's draws, packed in the same way.</summary>
    public readonly int[] Draws = draws;

    /// <summary>The property that these messages alone break, or null.</summary>
    public readonly string? Broken = broken;
}

/// <summary>Messages in the order of their codes. Equal lists are one object, with a number.</summary>
internal sealed record DeliverableMessages(int Number, int[] Codes);

/// <summary>
/// One agent in a global state: its machine, all messages it ever sent, and the starts and faults it had. A global state is
/// one of these for each agent and nothing else.
/// </summary>
internal sealed class AgentState(
    int agent, int index, LocalState local, SentMessages sent, FaultBudget budget, Origin? origin, DeliverableMessages[] messagesTo)
{
    public const int Unknown = int.MinValue;

    private int[] _moves = [];
    private int[][] _branches = [];
    private (TransitionCode Code, int Next, GuardedStep[] Steps)[] _steps = [];

    public readonly int Agent = agent;
    public readonly int Index = index;
    public readonly LocalState Local = local;
    public readonly SentMessages Sent = sent;
    public readonly FaultBudget FaultBudget = budget;

    /// <summary>The step that first led here; null for a first state.</summary>
    public readonly Origin? Origin = origin;

    /// <summary>By receiver: the messages that may reach it now.</summary>
    public readonly DeliverableMessages[] MessagesTo = messagesTo;

    /// <summary>What the agent itself sent, by the number of a run.</summary>
    public ulong[] SentByRun { get; init; } = [];

    /// <summary>Runs in which the agent drew, proposed or voted.</summary>
    public int[] Runs { get; init; } = [];

    /// <summary>True where the agent sent a decision of its current run and does not hold the decision any more.</summary>
    public bool HasForgotten { get; init; }

    /// <summary>Where a fault-free walk starts; null: not determined yet.</summary>
    public volatile object? WalkStart;

    /// <summary>The index after an input; negative: ~index into <see cref="Branch"/>; <see cref="Unknown"/>.</summary>
    public int Find(TransitionCode code)
    {
        var moves = Volatile.Read(ref _moves);
        for (var i = 0; i < moves.Length; i += 2)
        {
            if (moves[i] == code.Number)
            {
                return moves[i + 1];
            }
        }

        return Unknown;
    }

    /// <summary>What the agent itself sent in a run (<see cref="SentMask"/>).</summary>
    public ulong SentIn(int run) => run < SentByRun.Length ? SentByRun[run] : 0;

    /// <summary>The steps of the proof's model that a transition takes; none where all are allowed in any history.</summary>
    public GuardedStep[] StepsTo(TransitionCode code, int next)
    {
        foreach (var (of, to, steps) in Volatile.Read(ref _steps))
        {
            if (of == code && to == next)
            {
                return steps;
            }
        }

        return [];
    }

    /// <summary>Adds the steps of one outcome. Called before <see cref="Add"/>.</summary>
    public void AddSteps(TransitionCode code, int next, GuardedStep[] steps)
    {
        if (steps.Length > 0)
        {
            // Two outcomes may lead to one state. All their steps must be allowed.
            Volatile.Write(ref _steps,
                [.. _steps.Where(one => one.Code != code || one.Next != next), (code, next, [.. StepsTo(code, next), .. steps])]);
        }
    }

    public int[] Branch(int found) => Volatile.Read(ref _branches)[~found];

    public int Add(TransitionCode code, int[] successors)
    {
        var value = successors.Length == 1 ? successors[0] : ~_branches.Length;
        if (successors.Length != 1)
        {
            Volatile.Write(ref _branches, [.. _branches, successors]);
        }

        Volatile.Write(ref _moves, [.. _moves, code.Number, value]);
        return value;
    }
}

/// <summary>How many of the allowed starts and faults an agent has used.</summary>
internal readonly record struct FaultBudget(byte Starts, byte Crashes, byte Resets)
{
    /// <summary>Whether any agent may crash, and be reset. Each step of a check asks this, so it is a plain loop.</summary>
    public static (bool Crashes, bool Resets) Allows(ModelCheckerOptions bounds, AgentState[] now)
    {
        var (crashes, resets) = (0, 0);
        foreach (var state in now)
        {
            crashes += state.FaultBudget.Crashes;
            resets += state.FaultBudget.Resets;
        }

        return (crashes < bounds.Crashes, resets < bounds.Resets);
    }
}

/// <summary>The step that first led to a state.</summary>
internal sealed record Origin(AgentState State, TransitionCode Code, int[] Sent);
