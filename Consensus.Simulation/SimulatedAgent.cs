using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation;

/// <summary>One agent of a cluster in memory: its process, its timers and its persisted state.</summary>
public class SimulatedAgent
{
    private const long Never = long.MaxValue;
    private static readonly Timer[] Timers = Enum.GetValues<Timer>();

    private readonly long[] _deadlines = new long[Timers.Length];
    private int[] _peers = [];
    private string[] _peerNames = [];

    /// <param name="index">The agent's index, from 0.</param>
    /// <param name="peers">The indices of its peers.</param>
    /// <param name="name">The ids of the agents; null: <see cref="AgentIds.IdOf"/>.</param>
    public SimulatedAgent(int index, IEnumerable<int> peers, Func<int, string>? name = null)
    {
        name ??= AgentIds.IdOf;
        (Index, Id) = (index, name(index));
        SetPeers(peers, name);
        Clear();
    }

    /// <summary>The agent's index, from 0.</summary>
    public int Index { get; }

    /// <summary>The agent's id.</summary>
    public string Id { get; }

    /// <summary>The running process's machine; null while the agent is down.</summary>
    public AgentStateMachine? Machine { get; private set; }

    /// <summary>How the running process began.</summary>
    internal TracedProcess Beginning { get; private set; } = null!;

    /// <summary>What the running process draws.</summary>
    internal RecordedDraws RecordedDraws { get; private set; } = null!;

    /// <summary>Processes so far.</summary>
    public int Processes { get; private set; }

    /// <summary>True where this process was reset, so that it may have a floor and no run.</summary>
    public bool WasReset { get; internal set; }

    /// <summary>The set timers with their deadlines in µs, in the order of <see cref="Timer"/>.</summary>
    public IEnumerable<(Timer Timer, long At)> SetTimers => Timers.Where(IsSet).Select(timer => (timer, _deadlines[(int)timer]));

    /// <summary>Whether a timer is set.</summary>
    public bool IsSet(Timer timer) => _deadlines[(int)timer] != Never;

    /// <summary>When a timer fires, in µs.</summary>
    public long DeadlineOf(Timer timer) => _deadlines[(int)timer];

    /// <summary>What the last process persisted; null: none ended.</summary>
    internal Restored? Persisted { get; private set; }

    /// <summary>The indices of its peers, in their order.</summary>
    internal IReadOnlyList<int> Peers => _peers;

    /// <summary>The index of the agent that this agent's machine calls by a peer index.</summary>
    public int AgentAt(int peer) => _peers[peer];

    /// <summary>Gives the agent other peers. Its next process starts with them.</summary>
    /// <param name="peers">The indices of its peers.</param>
    /// <param name="name">The name under which the machine knows an agent.</param>
    public void SetPeers(IEnumerable<int> peers, Func<int, string> name)
    {
        _peers = [.. peers];
        _peerNames = [.. _peers.Select(name)];
    }

    internal void SetTimer(Timer timer, long at) => _deadlines[(int)timer] = at;

    internal void CancelTimer(Timer timer) => _deadlines[(int)timer] = Never;

    /// <summary>Forgets everything, for another simulated run.</summary>
    internal void Clear()
    {
        (Machine, Processes, WasReset, Persisted) = (null, 0, false, null);
        Array.Fill(_deadlines, Never);
    }

    /// <summary>Ends the process, if one runs. The persisted state remains.</summary>
    internal void Stop()
    {
        Persisted = Machine?.ToPersist() ?? Persisted;
        Machine = null;
        Array.Fill(_deadlines, Never);
    }

    /// <summary>Goes on with a machine in the middle of its life.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="draws">The source of its draws.</param>
    /// <param name="timers">Its timers.</param>
    internal void Resume(AgentStateMachine machine, RecordedDraws draws, TimerSet timers)
    {
        (Machine, RecordedDraws, Processes) = (machine, draws, 1);
        foreach (var timer in Timers.Where(timers.Contains))
        {
            SetTimer(timer, 0);
        }
    }

    /// <summary>Starts the next process.</summary>
    /// <param name="boot">Its boot.</param>
    /// <param name="random">The source of its draws.</param>
    /// <param name="make">Makes the machine.</param>
    /// <param name="restores">Whether it restores what the last process persisted.</param>
    /// <param name="loses">Whether the disk has lost a run that the last process joined and did not decide.</param>
    /// <returns>A violation where it lost a persisted decision, or null.</returns>
    internal Violation? Start(string boot, IRandomSource random, StateMachineFactory make, bool restores, bool loses = false)
    {
        Stop();
        Persisted = loses && Persisted is { MayBeLost: true } ? null : Persisted;
        Processes++;
        RecordedDraws = new RecordedDraws(random);
        Machine = make(Id, boot, _peerNames, RecordedDraws);
        Beginning = new TracedProcess(Id, boot, _peerNames, restores ? Persisted : null);
        WasReset &= restores;
        if (!restores || Persisted is not { } persisted)
        {
            return null;
        }

        Machine.Step(persisted);
        return persisted is { Run: { } run, Decision: { } decision } && Machine.CurrentDecision is null
            ? new(PropertyNames.Durability, run.Rule, run.Id,
                $"{Id} decided {decision.Value} in run {run.Id}, persisted it, and does not hold it after a restart.")
            : null;
    }
}
