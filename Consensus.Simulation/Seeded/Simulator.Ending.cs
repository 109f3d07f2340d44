using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>When a world is over, and how it ended.</summary>
public sealed partial class Simulator
{
    /// <summary>True where nothing is left to wait for.</summary>
    private bool IsOver()
    {
        var decided = true;
        for (var i = 0; i < _agents.Length; i++)
        {
            if (_agents[i].Machine is not { } machine)
            {
                return false;
            }

            _state[i] = (machine, _agents[i].WasReset);
            decided &= machine.CurrentDecision is not null;
        }

        // What a stalled run waits for may still happen as long as faults do.
        if ((_now < _faultsUntil && !decided) || TerminationProperty.FindViolation(_state) is not null)
        {
            _settledSince = Never;
            return false;
        }

        _settledSince = Math.Min(_settledSince, _now);
        return _inFlight == 0 || _now - _settledSince > SettledUs;
    }

    private SimulationResult Unfinished()
    {
        for (var i = 0; i < _agents.Length; i++)
        {
            // Null only where the world was cut off before its faults were over.
            _state[i] = (_agents[i].Machine!, _agents[i].WasReset);
        }

        if (_cutOff)
        {
            return new SimulationResult(_seed, SimulationOutcome.CutOff, _violation, _messages, _now);
        }

        // Faults are over by now, and everybody is up.
        if (TerminationProperty.FindViolation(_state) is not { } complaint)
        {
            return new SimulationResult(_seed, EndOf(_state), _violation, _messages, _now);
        }

        var newest = NewestOf(_state);
        if (newest?.Rule != Rule.Classic)
        {
            var broken = new Violation(PropertyNames.Termination, Rule.Ratified, newest?.Id ?? RunId.None,
                $"{TerminationTimeoutMs / 1000} s after the last fault, {complaint}.");
            return new SimulationResult(_seed, SimulationOutcome.Broken, broken, _messages, _now, complaint);
        }

        return new SimulationResult(_seed, SimulationOutcome.Undecided, _violation, _messages, _now, complaint);
    }

    private static RunDescriptor? NewestOf((AgentStateMachine Machine, bool WasReset)[] all) =>
        all.Select(standing => standing.Machine.CurrentRun).OfType<RunDescriptor>().MaxBy(run => run.Id);

    private static SimulationOutcome EndOf((AgentStateMachine Machine, bool WasReset)[] all)
    {
        var (runs, undecided) = (0, 0);
        foreach (var (machine, _) in all)
        {
            runs += machine.CurrentRun is null ? 0 : 1;
            undecided += machine.CurrentRun is not null && machine.CurrentDecision is null ? 1 : 0;
        }

        return runs == 0 ? SimulationOutcome.NothingStarted : undecided > 0 ? SimulationOutcome.Stalled : SimulationOutcome.Decided;
    }
}
