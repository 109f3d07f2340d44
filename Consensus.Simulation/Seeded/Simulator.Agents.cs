using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>What befalls agents: timers, starts, crashes, pauses, resets, cut links.</summary>
public sealed partial class Simulator
{
    private const int MostTries = 3;
    private const long TryAgainUs = 500_000;

    /// <summary>Timers of this world that were armed or moved; most never run out.</summary>
    private void Arm(SimulatedAgent agent, int timer, long at)
    {
        agent.Deadlines[timer] = at;
        Plan(at, new SimulatedEvent(SimulatedEventKind.Timer, (short)agent.Index, timer));
    }

    private void OnTimer(SimulatedAgent agent, int timer)
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

        agent.Deadlines[timer] = SimulatedAgent.Never;
        _look |= timer == (int)Protocol.Timer.Poll;
        Step(agent, Elapsed[timer], _log is null ? null : new TraceStep(_now, agent.Index, TraceStepKind.Timer) { Timer = (Protocol.Timer)timer });
    }

    private void OnStart(SimulatedAgent agent, in SimulatedEvent occurrence)
    {
        if (agent.Machine is null || agent.PausedUntil > _now)
        {
            Plan(agent.Machine is null ? _now + 10_000 : agent.PausedUntil, occurrence);
            return;
        }

        agent.OpenStarts++;
        var request = _starts[occurrence.Number].Request;
        Step(agent, new StartRun(occurrence.Number, request), _log is null ? null : new TraceStep(_now, agent.Index, TraceStepKind.Start) { Request = request });
    }

    private void OnStartEnded(SimulatedAgent agent, StartEnded ended)
    {
        if (_logged is not null)
        {
            _logged.Outcome = ended.Outcome;
        }

        _look = true;
        agent.OpenStarts--;
        var (request, tries) = _starts[(int)ended.Ticket];

        // People try again for a while.
        if (ended.Outcome is QuorumUnreachable or StartQueueFull && tries < MostTries)
        {
            _starts[(int)ended.Ticket] = (request, tries + 1);
            Plan(_now + TryAgainUs, new SimulatedEvent(SimulatedEventKind.Start, (short)agent.Index, (int)ended.Ticket));
        }
        else
        {
            _startsToCome--;
        }
    }

    private void Boot(SimulatedAgent agent)
    {
        RecordViolation(agent.Boot(_seed, _make, _options.Durable));
        Step(agent, Booted, _log is null ? null : new TraceStep(_now, agent.Index, TraceStepKind.Boot) { Note = agent.Machine!.Boot });
    }

    private void Crash(SimulatedAgent agent)
    {
        Note(agent.Index, TraceStepKind.Crash);
        agent.Crash();

        // Whoever asked it to start a run sees the connection break, and asks no more.
        _look = true;
        _startsToCome -= agent.OpenStarts;
        agent.OpenStarts = 0;
        Plan(Math.Min(_now + RandomOutage(), _faultsUntil), new SimulatedEvent(SimulatedEventKind.Boot, (short)agent.Index));
    }

    /// <summary>What may befall an agent after a step.</summary>
    private void InjectFaults(SimulatedAgent agent)
    {
        if (_options.Pause.Happens(_random) && agent.PausedUntil <= _now)
        {
            agent.PausedUntil = Math.Min(_now + RandomOutage(), _faultsUntil);
            Note(agent.Index, TraceStepKind.Pause);
            if (_log is not null)
            {
                Plan(agent.PausedUntil, new SimulatedEvent(SimulatedEventKind.Resume, (short)agent.Index));
            }
        }

        if (_options.Partition.Happens(_random) && !_network.Partitioned && _options.Agents > 1)
        {
            var which = _network.Cut();
            Note(-1, TraceStepKind.Cut, which);
            Plan(Math.Min(_now + RandomOutage(), _faultsUntil), new SimulatedEvent(SimulatedEventKind.Heal, 0));
        }

        if (_options.Reset.Happens(_random))
        {
            Plan(Math.Min(_now + 1 + _random.Next((int)BusyUs), _faultsUntil), new SimulatedEvent(SimulatedEventKind.Reset, (short)agent.Index));
        }
    }

    private void OnReset(SimulatedAgent agent)
    {
        if (agent.PausedUntil > _now)
        {
            Plan(agent.PausedUntil, new SimulatedEvent(SimulatedEventKind.Reset, (short)agent.Index));
        }
        else if (agent.Machine is not null)
        {
            agent.WasReset = true;
            Step(agent, Reset, _log is null ? null : new TraceStep(_now, agent.Index, TraceStepKind.Reset));
        }
    }

    /// <summary>How long an agent or link is away, in µs: 5 ms to 1.3 s, short times as likely as long ones.</summary>
    private long RandomOutage() => (5_000L + _random.Next(5_000)) << _random.Next(8);
}
