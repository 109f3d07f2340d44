using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>Calls and their answers, over links that lose and double them.</summary>
public sealed partial class Simulator
{
    private readonly Stack<SimulatedCall> _spare = new();

    /// <summary>A call under way; used again once nothing that is planned refers to it.</summary>
    private sealed class SimulatedCall
    {
        public int From;
        public int To;
        public int Boots;
        public long Deadline;
        public Message Message = null!;

        /// <summary>Planned occurrences that refer to it.</summary>
        public int Planned;

        /// <summary>The caller has its answer, or gave up, or that is planned for certain.</summary>
        public bool Over;
        public bool FailPlanned;
        public TraceCall? Logged;
    }

    private void Send(SimulatedAgent agent, Send send)
    {
        var to = send.Peer + (send.Peer >= agent.Index ? 1 : 0);
        var call = _spare.TryPop(out var spare) ? spare : new SimulatedCall();
        (call.From, call.To, call.Boots, call.Message, call.Deadline) = (agent.Index, to, agent.Boots, send.Message, _now + (CallTimeoutMs * 1000L));
        (call.Planned, call.Over, call.FailPlanned, call.Logged) = (0, false, false, null);
        if (_log is not null)
        {
            call.Logged = _log.AddCall(agent.Index, agent.Boots, to, send.Message, _now);
            _logged?.Sent.Add(call.Logged);
        }

        _inFlight++;
        var faulty = _now < _faultsUntil;
        var copies = faulty && _options.Duplicate.Happens(_random) ? 2 : 1;
        var inTime = false;
        for (var copy = 0; copy < copies; copy++)
        {
            if (_network.IsCut(agent.Index, to) || (faulty && _options.Drop.Happens(_random)))
            {
                if (call.Logged is not null)
                {
                    call.Logged.Lost = true;
                }

                continue;
            }

            var at = _now + _network.Delay(agent.Index, to);
            inTime |= at <= call.Deadline;
            Plan(at, SimulatedEventKind.Deliver, to, call, number: copy);
        }

        if (!inTime)
        {
            PlanFail(call, call.Deadline);
        }
    }

    private void Plan(long at, SimulatedEventKind what, int agent, SimulatedCall call, Response? answer = null, int number = 0)
    {
        call.Planned++;
        Plan(at, new SimulatedEvent(what, (short)agent, number, call, answer));
    }

    private void PlanFail(SimulatedCall call, long at)
    {
        if (!call.FailPlanned && !call.Over)
        {
            call.FailPlanned = true;
            Plan(Math.Max(at, _now), SimulatedEventKind.Fail, call.From, call);
        }
    }

    private void Deliver(SimulatedAgent agent, in SimulatedEvent occurrence)
    {
        var call = occurrence.Call!;
        if (agent.PausedUntil > _now)
        {
            Plan(agent.PausedUntil, occurrence);
            if (agent.PausedUntil > call.Deadline)
            {
                PlanFail(call, call.Deadline);
            }

            return;
        }

        call.Planned--;
        if (agent.Machine is null)
        {
            // Nobody listens there: refused, which takes no longer than an answer.
            if (call.Planned == 0)
            {
                PlanFail(call, Math.Min(call.Deadline, _now + _network.Delay(call.To, call.From)));
            }

            Release(call);
            return;
        }

        _messages++;
        var copy = call.Logged?.Receipts.Count ?? 0;
        var answer = Step(agent, new MessageReceived(call.Message), _log is null ? null : new TraceStep(_now, agent.Index, TraceStepKind.Receive) { Call = call.Logged, Copy = copy });
        call.Logged?.Receipts.Add((_now, answer));
        if (answer is not null)
        {
            Reply(call, answer, copy);
        }
        else if (call.Planned == 0)
        {
            PlanFail(call, Math.Min(call.Deadline, _now + _network.Delay(call.To, call.From)));
        }

        Release(call);
    }

    private void Reply(SimulatedCall call, Response answer, int copy)
    {
        if (call.Over)
        {
            return;
        }

        var at = _now + _network.Delay(call.To, call.From);
        if (at <= call.Deadline && !_network.IsCut(call.To, call.From) && !(_now < _faultsUntil && _options.Drop.Happens(_random)))
        {
            Plan(at, SimulatedEventKind.Return, call.From, call, answer, copy);
            return;
        }

        if (call.Logged is not null)
        {
            call.Logged.AnswerLost = true;
        }

        if (call.Planned == 0)
        {
            PlanFail(call, call.Deadline);
        }
    }

    /// <summary>The caller has its answer, or gives up.</summary>
    private void Return(SimulatedAgent agent, in SimulatedEvent occurrence)
    {
        var call = occurrence.Call!;
        var here = agent.Machine is not null && agent.Boots == call.Boots;
        if (here && !call.Over && agent.PausedUntil > _now)
        {
            Plan(agent.PausedUntil, occurrence);
            return;
        }

        call.Planned--;
        if (!call.Over)
        {
            call.Over = true;
            _look |= --_inFlight == 0;

            // A process that restarted does not hear the answers to its predecessor's calls.
            if (here)
            {
                ReceiveResponse(agent, call, occurrence.Answer, occurrence.Number);
            }
        }

        Release(call);
    }

    private void ReceiveResponse(SimulatedAgent agent, SimulatedCall call, Response? answer, int copy)
    {
        var peer = call.To - (call.To > call.From ? 1 : 0);
        if (answer is null)
        {
            if (call.Logged is not null)
            {
                call.Logged.FailedAt = _now;
            }

            Step(agent, new RequestFailed(peer, call.Message), _log is null ? null : new TraceStep(_now, agent.Index, TraceStepKind.NoAnswer) { Call = call.Logged });
            return;
        }

        _messages++;
        if (call.Logged is not null)
        {
            (call.Logged.AnsweredAt, call.Logged.Answer) = (_now, answer);
        }

        Step(agent, new ResponseReceived(peer, call.Message, answer), _log is null ? null : new TraceStep(_now, agent.Index, TraceStepKind.Answer) { Call = call.Logged, Copy = copy });
    }

    private void Release(SimulatedCall call)
    {
        if (call.Planned == 0)
        {
            call.Logged = null;
            _spare.Push(call);
        }
    }
}
