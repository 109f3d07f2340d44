using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.Seeded;

/// <summary>Timers, starts and faults of agents: crashes, pauses, resets, cut links.</summary>
public sealed partial class Simulator
{
    private const int MaxTries = 3;
    private const long RetryUs = 500_000;

    private void FireTimer(SimulatedAgent agent, Timer timer)
    {
        if (agent.DeadlineOf(timer) != Now)
        {
            return;
        }

        var pausedUntil = _pausedUntil[agent.Index];
        if (pausedUntil > Now)
        {
            agent.SetTimer(timer, pausedUntil);
            Plan(pausedUntil, new PlannedEvent(PlannedEventKind.Timer, (short)agent.Index, (int)timer));
            return;
        }

        _mayBeOver |= timer == Timer.Poll;
        Fire(agent, timer);
    }

    private void RequestStart(SimulatedAgent agent, in PlannedEvent next)
    {
        if (agent.Machine is null || _pausedUntil[agent.Index] > Now)
        {
            Plan(agent.Machine is null ? Now + 10_000 : _pausedUntil[agent.Index], next);
            return;
        }

        _openStarts[agent.Index]++;
        StartRun(agent, next.Number, _starts[next.Number].Request);
    }

    private void OnStartEnded(SimulatedAgent agent, StartEnded ended)
    {
        _mayBeOver = true;
        _openStarts[agent.Index]--;
        var (request, tries) = _starts[(int)ended.Ticket];

        // A client tries again for a while.
        if (ended.Outcome is QuorumUnreachable or StartQueueFull && tries < MaxTries)
        {
            _starts[(int)ended.Ticket] = (request, tries + 1);
            Plan(Now + RetryUs, new PlannedEvent(PlannedEventKind.Start, (short)agent.Index, (int)ended.Ticket));
        }
        else
        {
            _pendingStarts--;
        }
    }

    private void Crash(SimulatedAgent agent)
    {
        AddToTrace(TraceStepKind.Crash, agent.Index);
        agent.Stop();
        _pausedUntil[agent.Index] = 0;

        // A client of a start that is not over sees its connection break, and does not try again.
        _mayBeOver = true;
        _pendingStarts -= _openStarts[agent.Index];
        _openStarts[agent.Index] = 0;
        Plan(Math.Min(Now + RandomOutage(), _faultsUntil), new PlannedEvent(PlannedEventKind.Boot, (short)agent.Index));
    }

    /// <summary>Injects the faults that may follow a step of an agent.</summary>
    private void InjectFaults(SimulatedAgent agent)
    {
        ref var pausedUntil = ref _pausedUntil[agent.Index];
        if (_options.Pause.Happens(_random) && pausedUntil <= Now)
        {
            pausedUntil = Math.Min(Now + RandomOutage(), _faultsUntil);
            AddToTrace(TraceStepKind.Pause, agent.Index);
            if (Trace is not null)
            {
                Plan(pausedUntil, new PlannedEvent(PlannedEventKind.Resume, (short)agent.Index));
            }
        }

        if (_options.Partition.Happens(_random) && !_network.Partitioned && _options.Agents > 1)
        {
            AddToTrace(TraceStepKind.Cut, note: _network.Cut());
            Plan(Math.Min(Now + RandomOutage(), _faultsUntil), new PlannedEvent(PlannedEventKind.Heal, 0));
        }

        if (_options.Reset.Happens(_random))
        {
            Plan(Math.Min(Now + 1 + _random.Next((int)BusyUs), _faultsUntil), new PlannedEvent(PlannedEventKind.Reset, (short)agent.Index));
        }
    }

    private void ResetUnlessPaused(SimulatedAgent agent)
    {
        if (_pausedUntil[agent.Index] > Now)
        {
            Plan(_pausedUntil[agent.Index], new PlannedEvent(PlannedEventKind.Reset, (short)agent.Index));
        }
        else if (agent.Machine is not null)
        {
            Reset(agent);
        }
    }

    /// <summary>How long an agent or link fails, in µs: 5 ms to 1.3 s, short times as likely as long ones.</summary>
    private long RandomOutage() => (5_000L + _random.Next(5_000)) << _random.Next(8);
}
