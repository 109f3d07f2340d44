using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.Seeded;

/// <summary>One input of a schedule. A call that no input delivers stays in flight.</summary>
internal readonly record struct ScheduledInput(
    TraceStepKind Kind, int Agent, long At, CallKey Call, int Copy, Timer Timer, RunRequest? Request);

/// <summary>
/// A cluster whose next event comes from a list instead of a draw. The agents and their draws are those of the simulated
/// run, and any part of the list is a history. An input is skipped where its call was never made or its timer is not set.
/// </summary>
internal sealed class ScheduleReplay : SimulatedCluster
{
    private const long HopUs = 1_000;
    private const long ApartUs = 20;
    private const int MaxSteps = 2_000;

    private readonly Dictionary<CallKey, List<SimulatedCall>> _calls = [];
    private readonly List<SimulatedCall> _sent = [];
    private readonly long _seed;
    private readonly bool _durable;
    private int _ticket;

    public ScheduleReplay(SimulationOptions options, long seed, StateMachineFactory? make, bool keepsStates = false)
        : base(options.CreateAgents(), make, new SafetyChecker(refinement: make is null))
    {
        (_seed, _durable) = (seed, options.Durable);
        Trace = new SimulationTrace(keepsStates);
        foreach (var agent in Agents)
        {
            Start(agent, seed, _durable);
        }
    }

    /// <summary>What of a simulated run can be replayed.</summary>
    public static List<ScheduledInput> ScheduleOf(SimulationTrace trace)
    {
        var schedule = new List<ScheduledInput>();
        var booted = new HashSet<int>();
        foreach (var step in trace.Steps)
        {
            // The first process of each agent runs from the beginning.
            if (step.Kind is TraceStepKind.Start or TraceStepKind.Receive or TraceStepKind.Response
                or TraceStepKind.Failure or TraceStepKind.Timer or TraceStepKind.Reset
                || (step.Kind == TraceStepKind.Boot && !booted.Add(step.Agent)))
            {
                schedule.Add(new(step.Kind, step.Agent, step.At, step.Call?.Key ?? default, step.Copy, step.Timer, step.Request));
            }
        }

        return schedule;
    }

    /// <summary>Lets one input happen.</summary>
    /// <returns>False where it cannot.</returns>
    public bool Apply(in ScheduledInput input)
    {
        var agent = Agents[input.Agent];
        var call = Find(input.Call);
        Now = Math.Max(Now + ApartUs, input.At);
        switch (input.Kind)
        {
            case TraceStepKind.Start:
                StartRun(agent, ++_ticket, input.Request!);
                return true;
            case TraceStepKind.Receive when call is not null:
                Receive(call);
                return true;
            case TraceStepKind.Response when call is not null && IsOpen(call) && call.Trace!.Receipts.Count > input.Copy:
                RespondTo(call, input.Copy);
                return true;
            case TraceStepKind.Failure when call is not null && IsOpen(call):
                Respond(call, null);
                return true;
            case TraceStepKind.Timer:
                return Fire(agent, input.Timer);
            case TraceStepKind.Reset:
                Reset(agent);
                return true;
            case TraceStepKind.Boot:
                Start(agent, _seed, _durable);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Runs on without any further fault.</summary>
    /// <param name="loses">Whether the calls in flight fail; else they arrive now.</param>
    /// <returns>The violation of termination at the end, or null.</returns>
    public string? RunToEnd(bool loses)
    {
        if (loses)
        {
            // Also the messages of processes that have ended: nobody waits for their responses.
            InFlight.Clear();
            foreach (var call in _sent.Where(IsOpen).ToList())
            {
                Respond(call, null);
            }
        }

        string? violation = null;
        for (var step = 0; step < MaxSteps && Violation is null; step++)
        {
            DeliverAll();
            violation = TerminationProperty.FindViolation([.. Agents.Select(agent => (agent.Machine!, agent.WasReset))]);
            var timers = Agents.SelectMany(agent => agent.SetTimers.Select(timer => (timer.At, Agent: agent, timer.Timer))).ToList();
            if (violation is null || timers.Count == 0)
            {
                return violation;
            }

            var next = timers.MinBy(timer => timer.At);
            Now = Math.Max(Now, next.At);
            Fire(next.Agent, next.Timer);
        }

        return violation;
    }

    /// <inheritdoc/>
    protected override void OnCall(SimulatedCall call)
    {
        base.OnCall(call);
        _sent.Add(call);
        var key = call.Trace!.Key with { Ordinal = 0 };
        if (!_calls.TryGetValue(key, out var same))
        {
            _calls.Add(key, same = []);
        }

        same.Add(call);
    }

    /// <summary>Delivers all messages in flight, and then all responses, each a moment later.</summary>
    private void DeliverAll()
    {
        Now += HopUs;
        RespondToAll(_sent.Where(call => IsOpen(call) && call.Trace!.Receipts.Count > 0).ToList());
        for (var wave = 0; InFlight.Count > 0 && wave < MaxSteps; wave++)
        {
            var calls = InFlight.Where(call => call.Trace is { Receipts.Count: 0, FailedAt: null }).ToList();
            InFlight.Clear();
            Now += HopUs;
            foreach (var call in calls)
            {
                Now += ApartUs;
                Receive(call);
            }

            Now += HopUs;
            RespondToAll(calls.Where(IsOpen));
        }
    }

    private void RespondToAll(IEnumerable<SimulatedCall> calls)
    {
        foreach (var call in calls)
        {
            Now += ApartUs;
            RespondTo(call, 0);
        }
    }

    private void RespondTo(SimulatedCall call, int copy) => Respond(call, call.Trace!.Receipts[copy].Response, copy);

    private static bool IsOpen(SimulatedCall call) => call.Trace is { RespondedAt: null, FailedAt: null } && call.CallerRuns;

    /// <summary>The call of that name. Where earlier calls of its kind are left out, the last call there is.</summary>
    private SimulatedCall? Find(CallKey key) =>
        _calls.TryGetValue(key with { Ordinal = 0 }, out var same) ? same[Math.Min(key.Ordinal, same.Count - 1)] : null;
}
