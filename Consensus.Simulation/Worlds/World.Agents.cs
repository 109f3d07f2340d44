using Consensus.Protocol;

namespace Consensus.Simulation.Worlds;

/// <summary>What befalls agents: timers, starts, crashes, pauses, resets, cut links.</summary>
public sealed partial class World
{
    private const int MostTries = 3;
    private const long TryAgainUs = 500_000;

    /// <summary>Timers of this world that were armed or moved; most never run out.</summary>
    private void Arm(WorldAgent agent, int timer, long at)
    {
        agent.Deadlines[timer] = at;
        Plan(at, new Occurrence(Kind.Timer, (short)agent.Index, timer));
    }

    private void OnTimer(WorldAgent agent, int timer)
    {
        if (agent.Deadlines[timer] != _now)
        {
            return;
        }

        if (agent.PausedUntil > _now)
        {
            Arm(agent, timer, agent.PausedUntil);
            return;
        }

        agent.Deadlines[timer] = WorldAgent.Never;
        _look |= timer == (int)Protocol.Timer.Poll;
        Step(agent, Elapsed[timer], _log is null ? null : new WorldStep(_now, agent.Index, StepKind.Timer) { Timer = (Protocol.Timer)timer });
    }

    private void OnStart(WorldAgent agent, in Occurrence occurrence)
    {
        if (agent.Machine is null || agent.PausedUntil > _now)
        {
            Plan(agent.Machine is null ? _now + 10_000 : agent.PausedUntil, occurrence);
            return;
        }

        agent.OpenStarts++;
        var request = _starts[occurrence.Number].Request;
        Step(agent, new Start(occurrence.Number, request), _log is null ? null : new WorldStep(_now, agent.Index, StepKind.Start) { Request = request });
    }

    private void OnStartEnded(WorldAgent agent, StartEnded ended)
    {
        if (_logged is not null)
        {
            _logged.Outcome = ended.Outcome;
        }

        _look = true;
        agent.OpenStarts--;
        var (request, tries) = _starts[(int)ended.Ticket];

        // People try again for a while.
        if (ended.Outcome is TooFewAnswered or TooManyStarts && tries < MostTries)
        {
            _starts[(int)ended.Ticket] = (request, tries + 1);
            Plan(_now + TryAgainUs, new Occurrence(Kind.Start, (short)agent.Index, (int)ended.Ticket));
        }
        else
        {
            _startsToCome--;
        }
    }

    private void Boot(WorldAgent agent)
    {
        Break(agent.Boot(_seed, _make, _options.Durable));
        Step(agent, Booted, _log is null ? null : new WorldStep(_now, agent.Index, StepKind.Boot) { Note = agent.Machine!.Boot });
    }

    private void Crash(WorldAgent agent)
    {
        Note(agent.Index, StepKind.Crash);
        agent.Kill();

        // Whoever asked it to start a run sees the connection break, and asks no more.
        _look = true;
        _startsToCome -= agent.OpenStarts;
        agent.OpenStarts = 0;
        Plan(Math.Min(_now + Away(), _faultsUntil), new Occurrence(Kind.Boot, (short)agent.Index));
    }

    /// <summary>What may befall an agent after a step.</summary>
    private void Suffer(WorldAgent agent)
    {
        if (_options.Pause.Happens(_random) && agent.PausedUntil <= _now)
        {
            agent.PausedUntil = Math.Min(_now + Away(), _faultsUntil);
            Note(agent.Index, StepKind.Pause);
            if (_log is not null)
            {
                Plan(agent.PausedUntil, new Occurrence(Kind.Resume, (short)agent.Index));
            }
        }

        if (_options.Partition.Happens(_random) && !_network.Partitioned && _options.Agents > 1)
        {
            var which = _network.Cut();
            Note(-1, StepKind.Cut, which);
            Plan(Math.Min(_now + Away(), _faultsUntil), new Occurrence(Kind.Heal, 0));
        }

        if (_options.Reset.Happens(_random))
        {
            Plan(Math.Min(_now + 1 + _random.Next((int)BusyUs), _faultsUntil), new Occurrence(Kind.Reset, (short)agent.Index));
        }
    }

    private void OnReset(WorldAgent agent)
    {
        if (agent.PausedUntil > _now)
        {
            Plan(agent.PausedUntil, new Occurrence(Kind.Reset, (short)agent.Index));
        }
        else if (agent.Machine is not null)
        {
            agent.WasReset = true;
            Step(agent, Reset, _log is null ? null : new WorldStep(_now, agent.Index, StepKind.Reset));
        }
    }

    /// <summary>How long an agent or link is away, in µs: 5 ms to 1.3 s, short times as likely as long ones.</summary>
    private long Away() => (5_000L + _random.Next(5_000)) << _random.Next(8);
}
