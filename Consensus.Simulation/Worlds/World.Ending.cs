using Consensus.Protocol;

namespace Consensus.Simulation.Worlds;

/// <summary>When a world is over, and how it ended.</summary>
public sealed partial class World
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

            _standing[i] = (machine, _agents[i].WasReset);
            decided &= machine.CurrentDecision is not null;
        }

        // What a stalled run waits for may still happen as long as faults do.
        if ((_now < _faultsUntil && !decided) || Ending.Complaint(_standing) is not null)
        {
            _settledSince = Never;
            return false;
        }

        _settledSince = Math.Min(_settledSince, _now);
        return _underWay == 0 || _now - _settledSince > SettledUs;
    }

    private WorldResult Unfinished()
    {
        for (var i = 0; i < _agents.Length; i++)
        {
            // Null only where the world was cut off before its faults were over.
            _standing[i] = (_agents[i].Machine!, _agents[i].WasReset);
        }

        if (_cutOff)
        {
            return new WorldResult(_seed, WorldEnd.CutOff, _violation, _messages, _now);
        }

        // Faults are over by now, and everybody is up.
        if (Ending.Complaint(_standing) is not { } complaint)
        {
            return new WorldResult(_seed, EndOf(_standing), _violation, _messages, _now);
        }

        var newest = NewestOf(_standing);
        if (newest?.Rule != Rule.Classic)
        {
            var broken = new Violation(Properties.Termination, Rule.Ratified, newest?.Id ?? RunId.None,
                $"{PatienceMs / 1000} s after the last fault, {complaint}.");
            return new WorldResult(_seed, WorldEnd.Broken, broken, _messages, _now, complaint);
        }

        return new WorldResult(_seed, WorldEnd.Undecided, _violation, _messages, _now, complaint);
    }

    private static RunDescriptor? NewestOf((Machine Machine, bool WasReset)[] all) =>
        all.Select(standing => standing.Machine.CurrentRun).OfType<RunDescriptor>().MaxBy(run => run.Id);

    private static WorldEnd EndOf((Machine Machine, bool WasReset)[] all)
    {
        var (runs, undecided) = (0, 0);
        foreach (var (machine, _) in all)
        {
            runs += machine.CurrentRun is null ? 0 : 1;
            undecided += machine.CurrentRun is not null && machine.CurrentDecision is null ? 1 : 0;
        }

        return runs == 0 ? WorldEnd.NothingStarted : undecided > 0 ? WorldEnd.Stalled : WorldEnd.Decided;
    }
}
