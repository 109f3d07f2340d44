using Consensus.Protocol;
using Consensus.Simulation.ModelChecking;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.Seeded;

/// <summary>One input of a schedule: what reaches which agent next. Whatever was said and is not scheduled stays under way.</summary>
internal readonly record struct ScheduledInput(TraceStepKind Kind, int Agent, long At, CallKey Call, int Copy, Timer Timer, RunRequest? Request);

/// <summary>
/// A world that is told by a list what happens next instead of drawing it: the same agents with the same draws, and any
/// part of the list makes a history. An input that cannot happen (its call was never made, its timer is not armed) does not.
/// </summary>
internal sealed class ScheduleReplay
{
    private const long HopUs = 1_000;
    private const long ApartUs = 20;
    private const int MostTurns = 2_000;

    private readonly StateMachineFactory _make;
    private readonly long _seed;
    private readonly bool _durable;
    private readonly SimulatedAgent[] _agents;
    private readonly SafetyChecker _checker = new();
    private readonly Dictionary<CallKey, List<TraceCall>> _calls = [];
    private readonly Queue<TraceCall> _inFlight = new();
    private long _now;
    private int _ticket;

    public ScheduleReplay(SimulationOptions options, long seed, StateMachineFactory make)
    {
        (_seed, _make, _durable) = (seed, make, options.Durable);
        _agents = [.. Enumerable.Range(0, options.Agents).Select(i => new SimulatedAgent(i, options))];
        foreach (var agent in _agents)
        {
            agent.Begin();
            Boot(agent);
        }
    }

    /// <summary>What protocolEvent so far.</summary>
    public SimulationTrace Log { get; } = new();

    /// <summary>The first promise broken.</summary>
    public Violation? Violation { get; private set; }

    /// <summary>What can be replayed of a world.</summary>
    public static List<ScheduledInput> ScheduleOf(SimulationTrace log)
    {
        var schedule = new List<ScheduledInput>();
        var booted = new HashSet<int>();
        foreach (var step in log.Steps)
        {
            // The first process of each agent is there from the beginning.
            if (step.Kind is TraceStepKind.Start or TraceStepKind.Receive or TraceStepKind.Answer or TraceStepKind.NoAnswer or TraceStepKind.Timer or TraceStepKind.Reset
                || (step.Kind == TraceStepKind.Boot && !booted.Add(step.Agent)))
            {
                schedule.Add(new(step.Kind, step.Agent, step.At, step.Call?.Key ?? default, step.Copy, step.Timer, step.Request));
            }
        }

        return schedule;
    }

    /// <summary>Lets one thing happen.</summary>
    /// <returns>False where it cannot.</returns>
    public bool Apply(in ScheduledInput input)
    {
        var agent = _agents[input.Agent];
        var call = Find(input.Call);
        _now = Math.Max(_now + ApartUs, input.At);
        switch (input.Kind)
        {
            case TraceStepKind.Start:
                Start(agent, input.Request!);
                return true;
            case TraceStepKind.Receive when call is not null:
                Receive(call);
                return true;
            case TraceStepKind.Answer when call is not null && IsOpen(call) && call.Receipts.Count > input.Copy:
                ReceiveResponse(call, input.Copy);
                return true;
            case TraceStepKind.NoAnswer when call is not null && IsOpen(call):
                ReceiveResponse(call, -1);
                return true;
            case TraceStepKind.Timer when agent.Deadlines[(int)input.Timer] != SimulatedAgent.Never:
                Fire(agent, (int)input.Timer);
                return true;
            case TraceStepKind.Reset:
                agent.WasReset = true;
                Step(agent, new MessageReceived(new Reset()), new TraceStep(_now, agent.Index, TraceStepKind.Reset));
                return true;
            case TraceStepKind.Boot:
                Boot(agent);
                return true;
            default:
                return false;
        }
    }

    /// <summary>From here on nothing fails any more.</summary>
    /// <param name="loses">Whether what is under way is lost; else it arrives now.</param>
    /// <returns>What is wrong with the end, or null where all came to a good one.</returns>
    public string? RunToEnd(bool loses)
    {
        if (loses)
        {
            foreach (var call in Log.Calls.Where(IsOpen).ToList())
            {
                ReceiveResponse(call, -1);
            }
        }

        string? complaint = null;
        for (var turn = 0; turn < MostTurns && Violation is null; turn++)
        {
            DeliverAll();
            complaint = TerminationProperty.FindViolation([.. _agents.Select(agent => (agent.Machine!, agent.WasReset))]);
            if (complaint is null)
            {
                return null;
            }

            var next = _agents.SelectMany(agent => agent.Deadlines.Select((at, timer) => (At: at, Agent: agent, Timer: timer))).MinBy(timer => timer.At);
            if (next.At == SimulatedAgent.Never)
            {
                return complaint;
            }

            _now = Math.Max(_now, next.At);
            Fire(next.Agent, next.Timer);
        }

        return complaint;
    }

    /// <summary>Everything under way arrives, and then all answers, each a moment later.</summary>
    private void DeliverAll()
    {
        _now += HopUs;
        foreach (var call in Log.Calls.Where(call => IsOpen(call) && call.Receipts.Count > 0).ToList())
        {
            _now += ApartUs;
            ReceiveResponse(call, 0);
        }

        for (var wave = 0; _inFlight.Count > 0 && wave < MostTurns; wave++)
        {
            var calls = _inFlight.Where(call => call.Receipts.Count == 0 && call.FailedAt is null).ToList();
            _inFlight.Clear();
            _now += HopUs;
            foreach (var call in calls)
            {
                _now += ApartUs;
                Receive(call);
            }

            _now += HopUs;
            foreach (var call in calls.Where(IsOpen))
            {
                _now += ApartUs;
                ReceiveResponse(call, 0);
            }
        }
    }

    private bool IsOpen(TraceCall call) => call.AnsweredAt is null && call.FailedAt is null && _agents[call.From].Boots == call.Key.Boots;

    private void Start(SimulatedAgent agent, RunRequest request) =>
        Step(agent, new StartRun(++_ticket, request), new TraceStep(_now, agent.Index, TraceStepKind.Start) { Request = request });

    private void Receive(TraceCall call)
    {
        var agent = _agents[call.To];
        var answer = Step(agent, new MessageReceived(call.Message), new TraceStep(_now, agent.Index, TraceStepKind.Receive) { Call = call, Copy = call.Receipts.Count });
        call.Receipts.Add((_now, answer));
    }

    /// <summary>The caller has the answer to a copy, or with -1 gives up.</summary>
    private void ReceiveResponse(TraceCall call, int copy)
    {
        var peer = call.To - (call.To > call.From ? 1 : 0);
        if (copy < 0)
        {
            call.FailedAt = _now;
            Step(_agents[call.From], new RequestFailed(peer, call.Message), new TraceStep(_now, call.From, TraceStepKind.NoAnswer) { Call = call });
            return;
        }

        (call.AnsweredAt, call.Answer) = (_now, call.Receipts[copy].Answer!);
        Step(_agents[call.From], new ResponseReceived(peer, call.Message, call.Answer), new TraceStep(_now, call.From, TraceStepKind.Answer) { Call = call, Copy = copy });
    }

    private void Fire(SimulatedAgent agent, int timer)
    {
        agent.Deadlines[timer] = SimulatedAgent.Never;
        Step(agent, new TimerFired((Timer)timer), new TraceStep(_now, agent.Index, TraceStepKind.Timer) { Timer = (Timer)timer });
    }

    private void Boot(SimulatedAgent agent)
    {
        Violation ??= agent.Boot(_seed, _make, _durable);
        Step(agent, new Started(), new TraceStep(_now, agent.Index, TraceStepKind.Boot) { Note = agent.Machine!.Boot });
    }

    private Response? Step(SimulatedAgent agent, Input input, TraceStep logged)
    {
        Log.Add(logged);
        var effects = agent.Machine!.Step(input);
        Violation ??= _checker.Observe(agent.Index, agent.Machine, effects);
        Response? answer = null;
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Send send:
                    var call = Log.AddCall(agent.Index, agent.Boots, send.Peer + (send.Peer >= agent.Index ? 1 : 0), send.Message, _now);
                    logged.Sent.Add(call);
                    Remember(call);
                    _inFlight.Enqueue(call);
                    break;
                case Reply reply:
                    answer = reply.Response;
                    break;
                case SetTimer arm:
                    agent.Deadlines[(int)arm.Timer] = _now + (arm.DelayMs * 1000L);
                    break;
                case CancelTimer disarm:
                    agent.Deadlines[(int)disarm.Timer] = SimulatedAgent.Never;
                    break;
                case ProtocolEvent protocolEvent:
                    logged.Events.Add(protocolEvent);
                    break;
                case StartEnded ended:
                    logged.Outcome = ended.Outcome;
                    break;
            }
        }

        return answer;
    }

    private void Remember(TraceCall call)
    {
        var key = call.Key with { Ordinal = 0 };
        if (!_calls.TryGetValue(key, out var same))
        {
            _calls.Add(key, same = []);
        }

        same.Add(call);
    }

    /// <summary>The call of that name; where earlier ones of its kind are left out, the last there is.</summary>
    private TraceCall? Find(CallKey key) =>
        _calls.TryGetValue(key with { Ordinal = 0 }, out var same) ? same[Math.Min(key.Ordinal, same.Count - 1)] : null;
}
