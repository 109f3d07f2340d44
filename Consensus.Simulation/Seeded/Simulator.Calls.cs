using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>Calls and responses over links that lose and duplicate them.</summary>
public sealed partial class Simulator
{
    private const long DuplicateDelayUs = 3_000;

    private readonly Stack<PlannedCall> _spareCalls = new();

    /// <summary>A call in flight. The object is used again once no planned event refers to it.</summary>
    private sealed class PlannedCall : SimulatedCall
    {
        public long Deadline;

        /// <summary>Planned events that refer to the call.</summary>
        public int Events;

        /// <summary>True once the caller has its response or has given up.</summary>
        public bool IsOver;
        public bool FailurePlanned;
    }

    /// <inheritdoc/>
    protected override SimulatedCall NewCall() => _spareCalls.TryPop(out var spare) ? spare : new PlannedCall();

    /// <inheritdoc/>
    protected override void OnCall(SimulatedCall call)
    {
        var planned = (PlannedCall)call;
        var (from, to) = (call.From.Index, call.To.Index);
        (planned.Deadline, planned.Events, planned.IsOver, planned.FailurePlanned) = (Now + (CallTimeoutMs * 1000L), 0, false, false);
        _awaitedCalls++;
        _requests += call.Message.Run is null ? 0 : 1;
        var faulty = Now < _faultsUntil;
        var copies = faulty && _options.Duplicate.Happens(_random) ? 2 : 1;
        var inTime = false;
        var change = ChangeOf(planned);
        for (var copy = 0; copy < copies; copy++)
        {
            if (_network.IsCut(from, to) || (faulty && _options.Drop.Happens(_random)))
            {
                planned.Trace?.Lost = true;
                continue;
            }

            var at = Now + _network.Delay(from, to) + (change == MessageChange.Delay ? ChangedDelayMs * 1000L : 0);
            if (change == MessageChange.Lose)
            {
                planned.Trace!.Lost = true;
                continue;
            }

            inTime |= at <= planned.Deadline;
            Plan(at, PlannedEventKind.Deliver, to, planned, number: copy);
        }

        if (change == MessageChange.Duplicate)
        {
            Plan(Now + DuplicateDelayUs, PlannedEventKind.Deliver, to, planned, number: copies);
        }

        if (!inTime)
        {
            PlanFailure(planned, planned.Deadline);
        }
    }

    private MessageChange? ChangeOf(PlannedCall call) =>
        call.Trace is { } traced && Changes.TryGetValue(traced.Number, out var change) ? change : null;

    private void Plan(long at, PlannedEventKind kind, int agent, PlannedCall call, Response? response = null, int number = 0)
    {
        call.Events++;
        Plan(at, new PlannedEvent(kind, (short)agent, number, call, response));
    }

    private void PlanFailure(PlannedCall call, long at)
    {
        if (!call.FailurePlanned && !call.IsOver)
        {
            call.FailurePlanned = true;
            Plan(Math.Max(at, Now), PlannedEventKind.Fail, call.From.Index, call);
        }
    }

    private void Deliver(SimulatedAgent agent, in PlannedEvent next)
    {
        var call = next.Call!;
        if (_pausedUntil[agent.Index] > Now)
        {
            Plan(_pausedUntil[agent.Index], next);
            if (_pausedUntil[agent.Index] > call.Deadline)
            {
                PlanFailure(call, call.Deadline);
            }

            return;
        }

        call.Events--;
        Response? response = null;
        if (agent.Machine is not null)
        {
            _messages++;
            var copy = call.Trace?.Receipts.Count ?? 0;
            response = Receive(call);
            if (response is not null)
            {
                PlanResponse(call, response, copy);
            }
        }

        // A connection to a process that is down or crashes is refused or broken. That takes as long as a response.
        if (response is null && call.Events == 0)
        {
            PlanFailure(call, Math.Min(call.Deadline, Now + _network.Delay(call.To.Index, call.From.Index)));
        }

        Release(call);
    }

    private void PlanResponse(PlannedCall call, Response response, int copy)
    {
        if (call.IsOver)
        {
            return;
        }

        var (from, to) = (call.From.Index, call.To.Index);
        var change = ChangeOf(call);
        var at = Now + _network.Delay(to, from) + (change == MessageChange.DelayResponse ? ChangedDelayMs * 1000L : 0);
        if (change != MessageChange.LoseResponse && at <= call.Deadline && !_network.IsCut(to, from)
            && !(Now < _faultsUntil && _options.Drop.Happens(_random)))
        {
            Plan(at, PlannedEventKind.Respond, from, call, response, copy);
            return;
        }

        call.Trace?.ResponseLost = true;
        if (call.Events == 0)
        {
            PlanFailure(call, call.Deadline);
        }
    }

    /// <summary>The caller receives the response or gives up.</summary>
    private void Respond(SimulatedAgent agent, in PlannedEvent next)
    {
        var call = next.Call!;
        if (call.CallerRuns && !call.IsOver && _pausedUntil[agent.Index] > Now)
        {
            Plan(_pausedUntil[agent.Index], next);
            return;
        }

        call.Events--;
        if (!call.IsOver)
        {
            call.IsOver = true;
            _mayBeOver |= --_awaitedCalls == 0;
            _messages += call.CallerRuns && next.Response is not null ? 1 : 0;
            Respond(call, next.Response, next.Number);
        }

        Release(call);
    }

    private void Release(PlannedCall call)
    {
        if (call.Events == 0)
        {
            call.Trace = null;
            _spareCalls.Push(call);
        }
    }
}
