using Consensus.Protocol;

namespace Consensus.Simulation.Exploration;

/// <summary>Earlier states of a path, and how it may go on by chance.</summary>
public sealed partial class ExploredCluster
{
    /// <summary>The shortest delay of a message in a simulated future, in µs.</summary>
    private const int MinDelayUs = 200;

    private const int MaxFutureSteps = 2_000;

    /// <summary>The newest run that an agent knows; null: no agent that is up knows one.</summary>
    public RunDescriptor? NewestRun => Agents.Select(agent => agent.Machine?.CurrentRun).OfType<RunDescriptor>().MaxBy(known => known.Id);

    /// <summary>The decisions of <see cref="NewestRun"/> that agents hold.</summary>
    public IEnumerable<Decision> Decisions
    {
        get
        {
            var run = NewestRun?.Id;
            return Agents.Select(agent => agent.Machine?.CurrentDecision).OfType<Decision>().Where(decision => decision.Run == run);
        }
    }

    /// <summary>The times of all steps in µs: those of the recorded run, then those of the path.</summary>
    public static IReadOnlyList<long> TimesOf(ExplorationOptions options, IReadOnlyList<ExplorationStep> path)
    {
        List<long> times = [.. options.From?.Steps.Select(step => step.At) ?? []];
        var last = times.LastOrDefault();
        return [.. times, .. path.Select((_, i) => last + ((i + 1) * StepUs))];
    }

    /// <summary>The cluster after the first of all steps, those of the recorded run included.</summary>
    public static ExploredCluster After(ExplorationOptions options, IReadOnlyList<ExplorationStep> path, int steps) =>
        new(options with { From = options.From?.First(steps) }, [.. path.Take(steps - (options.From?.Steps.Count ?? 0))]);

    /// <summary>
    /// Goes on without faults until each agent that is up has decided or reports a stall. Each message takes its own time at random, and
    /// timers fire when they are due.
    /// </summary>
    /// <param name="chance">Chooses delays and draws.</param>
    /// <param name="maxDelayMs">The longest delay of a message or response.</param>
    /// <param name="maxRounds">So many rounds are simulated.</param>
    /// <returns>The round of the first decision, 0 for none, and the values that were decided.</returns>
    internal (int Round, IReadOnlyCollection<int> Values) GoOn(SeededRandom chance, int maxDelayMs, int maxRounds)
    {
        _draws.Chance = chance;
        var machines = Agents.Select(agent => agent.Machine).OfType<AgentStateMachine>().ToList();
        var due = new Dictionary<SimulatedCall, long>();
        var lastRound = machines.Select(machine => machine.CurrentRound).DefaultIfEmpty().Max() + maxRounds;
        for (var steps = 0; steps < MaxFutureSteps && machines.TrueForAll(machine => machine.CurrentRound <= lastRound)
            && machines.Exists(machine => machine.CurrentDecision is null && machine.Stalled() is null); steps++)
        {
            foreach (var call in InFlight.Where(call => !due.ContainsKey(call)))
            {
                due.Add(call, Now + MinDelayUs + chance.Next((maxDelayMs * 1000) - MinDelayUs + 1));
            }

            var calls = InFlight.Select(call => (due[call], Step: new ExplorationStep(
                call.Response is not null ? ExplorationStepKind.Respond
                    : call.To.Machine is null ? ExplorationStepKind.Lose : ExplorationStepKind.Deliver,
                call.Trace!.Number, []), Call: (SimulatedCall?)call));
            var timers = Agents.SelectMany(agent => agent.SetTimers.Select(timer => (
                timer.At, Step: new ExplorationStep(ExplorationStep.KindOf(timer.Timer), agent.Index + 1, []),
                Call: (SimulatedCall?)null)));
            if (calls.Concat(timers).OrderBy(one => one.Item1).FirstOrDefault() is not { Step.Number: > 0 } next)
            {
                break;
            }

            Now = Math.Max(Now, next.Item1);
            _draws.Begin();
            Take(next.Step);
            if (next.Call is not null)
            {
                due.Remove(next.Call);
            }
        }

        var held = Decisions.ToList();
        return (held.Select(decision => decision.Round).DefaultIfEmpty().Min(), held.Select(decision => decision.Value).ToHashSet());
    }
}
