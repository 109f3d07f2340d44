using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>When a simulated run is over, and with which outcome.</summary>
public sealed partial class Simulator
{
    private SimulationResult ResultOf(SimulationOutcome outcome, string? unfinishedReason = null) =>
        new(_seed, outcome, Violation, _messages, Now, _requests, unfinishedReason);

    /// <summary>True where nothing is left to wait for.</summary>
    private bool IsOver()
    {
        var decided = true;
        for (var i = 0; i < _states.Length; i++)
        {
            if (_agents[i].Machine is not { } machine)
            {
                return false;
            }

            _states[i] = (machine, _agents[i].WasReset);
            decided &= machine.CurrentDecision is not null;
        }

        // As long as faults happen, they may still bring what a stalled run waits for.
        if ((Now < _faultsUntil && !decided) || TerminationProperty.FindViolation(_states) is not null)
        {
            _settledSince = Never;
            return false;
        }

        _settledSince = Math.Min(_settledSince, Now);
        return _awaitedCalls == 0 || Now - _settledSince > SettledUs;
    }

    private SimulationResult Unfinished()
    {
        if (_cutOff)
        {
            return ResultOf(SimulationOutcome.CutOff);
        }

        // The faults are over by now, and every agent runs.
        for (var i = 0; i < _states.Length; i++)
        {
            _states[i] = (_agents[i].Machine!, _agents[i].WasReset);
        }

        if (TerminationProperty.FindViolation(_states) is not { } reason)
        {
            return ResultOf(OutcomeOf(_states));
        }

        var newest = _states.Select(state => state.Machine.CurrentRun).OfType<RunDescriptor>().MaxBy(run => run.Id);
        return newest?.Rule == Rule.Classic
            ? ResultOf(SimulationOutcome.Undecided, reason)
            : ResultOf(SimulationOutcome.Broken, reason) with
            {
                Violation = new Violation(PropertyNames.Termination, Rule.Ratified, newest?.Id ?? RunId.None,
                    $"{TerminationTimeoutMs / 1000} s after the last fault, {reason}."),
            };
    }

    private static SimulationOutcome OutcomeOf((AgentStateMachine Machine, bool WasReset)[] states)
    {
        var (runs, undecided) = (0, 0);
        foreach (var (machine, _) in states)
        {
            runs += machine.CurrentRun is null ? 0 : 1;
            undecided += machine.CurrentRun is not null && machine.CurrentDecision is null ? 1 : 0;
        }

        return runs == 0 ? SimulationOutcome.NothingStarted : undecided > 0 ? SimulationOutcome.Stalled : SimulationOutcome.Decided;
    }
}
