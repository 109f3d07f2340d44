using Consensus.Protocol;

namespace Consensus.Simulation.Explanations;

/// <summary>Whether a step has what a search looks for.</summary>
/// <param name="machine">The machine after the step.</param>
/// <param name="input">What it was given.</param>
/// <param name="effects">What it made of it.</param>
internal delegate bool Wanted(AgentStateMachine machine, Input input, IReadOnlyList<Effect> effects);

/// <summary>Executes steps of one process again, all of them or some.</summary>
internal sealed class ProcessReplay
{
    private const int MaxSingle = 48;

    private readonly SimulationTrace _trace;
    private readonly RepeatedDraws _draws = new();
    private readonly Func<AgentStateMachine> _begin;
    private AgentStateMachine _machine;
    private int _taken;

    /// <summary>Finds the process that took a step.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="make">Makes its machine.</param>
    /// <param name="step">The step: an index of the trace.</param>
    public ProcessReplay(SimulationTrace trace, StateMachineFactory make, int step)
    {
        _trace = trace;
        Agent = trace.Steps[step].Agent;
        for (First = step; trace.Steps[First].Process is null || trace.Steps[First].Agent != Agent; First--)
        {
        }

        var process = trace.Steps[First].Process!;
        _begin = () => Begin(process, make(process.AgentId, process.Boot, process.Peers, _draws));
        _machine = _begin();
        var last = First + 1;
        while (last < trace.Steps.Count && (trace.Steps[last].Agent != Agent || trace.Steps[last].Process is null))
        {
            last++;
        }

        Steps = [.. Enumerable.Range(First, last - First).Where(i => trace.Steps[i].Agent == Agent && trace.Steps[i].Input is not null)];
    }

    /// <summary>The agent, from 0.</summary>
    public int Agent { get; }

    /// <summary>The step with which the process began.</summary>
    public int First { get; }

    /// <summary>The steps of the process that a machine took: indices of the trace.</summary>
    public List<int> Steps { get; }

    /// <summary>The machine before a step. It changes when another one is asked for.</summary>
    /// <param name="position">Which of <see cref="Steps"/>.</param>
    public AgentStateMachine Before(int position)
    {
        if (position < _taken)
        {
            (_machine, _taken) = (_begin(), 0);
        }

        while (_taken < position)
        {
            Take(_machine, _taken++);
        }

        return _machine;
    }

    /// <summary>Takes one step.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="position">Which of <see cref="Steps"/>.</param>
    /// <param name="leftOut">Draws of steps that were left out. The step takes them where it draws more than it did.</param>
    public IReadOnlyList<Effect> Take(AgentStateMachine machine, int position, IEnumerable<int>? leftOut = null)
    {
        var step = _trace.Steps[Steps[position]];
        _draws.Begin(step.Draws.Concat(leftOut ?? []));
        return machine.Step(step.Input!);
    }

    /// <summary>Whether what is wanted happens where the process takes only these steps.</summary>
    /// <param name="from">The step before which all steps are taken.</param>
    /// <param name="positions">The steps from there on, in order.</param>
    /// <param name="wanted">What is looked for.</param>
    public bool Happens(int from, IEnumerable<int> positions, Wanted wanted)
    {
        var machine = Before(from).Clone();
        List<int> leftOut = [];
        foreach (var position in positions)
        {
            for (; from < position; from++)
            {
                leftOut.AddRange(_trace.Steps[Steps[from]].Draws);
            }

            from = position + 1;
            if (wanted(machine, _trace.Steps[Steps[position]].Input!, Take(machine, position, leftOut)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Leaves out steps as long as what is wanted still happens: of many, parts at first; then single ones, the latest first.
    /// </summary>
    /// <returns>Steps none of which can be left out.</returns>
    public List<int> Minimize(int from, List<int> positions, Wanted wanted)
    {
        for (var size = positions.Count > MaxSingle ? positions.Count / 2 : 1; ; size = Math.Max(1, size / 2))
        {
            var before = positions.Count;
            for (var at = positions.Count - size; at > -size && positions.Count > 0; at -= size)
            {
                var (start, end) = (Math.Max(0, at), Math.Min(positions.Count, at + size));
                List<int> left = [.. positions[..start], .. positions[end..]];
                positions = Happens(from, left, wanted) ? left : positions;
            }

            if (size == 1 && positions.Count == before)
            {
                return positions;
            }
        }
    }

    private static AgentStateMachine Begin(TracedProcess process, AgentStateMachine machine)
    {
        if (!process.State.IsEmpty)
        {
            machine.Load(new RecordReader(process.State));
        }

        if (process.Persisted is { } persisted)
        {
            machine.Step(persisted);
        }

        return machine;
    }
}
