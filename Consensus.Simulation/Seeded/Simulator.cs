using Consensus.Protocol;
using Consensus.Simulation.ModelChecking;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.Seeded;

/// <summary>
/// A world of machines in virtual time, made from one seed: links that delay, lose, double and reorder, are cut and heal;
/// agents that crash, come back, stand still and are reset; people who start runs. The same options and seed make the same
/// world on any machine: whole numbers only, one generator, one queue ordered by time and then by age. Not thread safe; one
/// instance lives through many worlds, one after another.
/// </summary>
public sealed partial class Simulator
{
    /// <summary>How long a caller waits for its answer, in ms; what an agent of flesh and HTTP waits.</summary>
    public const int CallTimeoutMs = 1000;

    /// <summary>How long after the faults all must have come to a good end, in ms of virtual time.</summary>
    public const int TerminationTimeoutMs = 120_000;

    private const long Never = long.MaxValue;
    private const long FirstStartUs = 5_000;
    private const long BusyUs = 50_000;
    private const long SettledUs = 2_500_000;

    private static readonly TimerFired[] Elapsed = [.. Enumerable.Range(0, SimulatedAgent.Timers).Select(timer => new TimerFired((Timer)timer))];
    private static readonly MessageReceived Reset = new(new Reset());
    private static readonly Started Booted = new();

    private readonly SimulationOptions _options;
    private readonly StateMachineFactory _make;
    private readonly SafetyChecker _checker = new();
    private readonly Network _network;
    private readonly SimulatedAgent[] _agents;
    private readonly (AgentStateMachine Machine, bool WasReset)[] _state;
    private readonly PriorityQueue<SimulatedEvent, EventTime> _queue = new();
    private readonly List<(RunRequest Request, int Tries)> _starts = [];
    private readonly List<(RunId Run, int Rounds)> _decided = [];
    private SeededRandom _random = new(0);
    private SimulationTrace? _log;
    private TraceStep? _logged;
    private Violation? _violation;
    private long _seed;
    private long _now;
    private long _order;
    private long _faultsUntil;
    private long _settledSince;
    private int _messages;
    private int _inFlight;
    private int _startsToCome;
    private bool _look;
    private bool _cutOff;

    /// <param name="options">What the world is like; must be in range.</param>
    /// <param name="make">Makes an agent; null: the core as it is.</param>
    public Simulator(SimulationOptions options, StateMachineFactory? make = null)
    {
        if (options.Error() is { } complaint)
        {
            throw new ArgumentOutOfRangeException(nameof(options), complaint);
        }

        _options = options;
        _make = make ?? Core;
        _network = new Network(options);
        _agents = [.. Enumerable.Range(0, options.Agents).Select(i => new SimulatedAgent(i, options))];
        _state = new (AgentStateMachine, bool)[options.Agents];
    }

    /// <summary>The core as it is.</summary>
    internal static StateMachineFactory Core { get; } = (id, boot, peers, random) => new AgentStateMachine(id, boot, peers, random);

    private enum SimulatedEventKind : byte
    {
        Deliver,
        Return,
        Fail,
        Timer,
        Start,
        Boot,
        Reset,
        Resume,
        Heal,
    }

    /// <summary>When; of what is due at one time, what was planned first.</summary>
    private readonly record struct EventTime(long At, long Order) : IComparable<EventTime>
    {
        public int CompareTo(EventTime other) => At != other.At ? At.CompareTo(other.At) : Order.CompareTo(other.Order);
    }

    /// <param name="What">What.</param>
    /// <param name="Agent">To whom, or whose boot.</param>
    /// <param name="Number">Which timer, start or copy.</param>
    /// <param name="Call">The call concerned.</param>
    /// <param name="Answer">The answer on its way.</param>
    private readonly record struct SimulatedEvent(SimulatedEventKind What, short Agent, int Number = 0, SimulatedCall? Call = null, Response? Answer = null);

    /// <summary>The rounds of each run in which somebody decided: from the first to the first decision.</summary>
    public IReadOnlyList<(RunId Run, int Rounds)> Decided => _decided;

    /// <summary>Lives through the world of a seed.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="log">Where to write down all that happens; null for speed.</param>
    /// <param name="maxMessages">The world is cut off after so many.</param>
    public SimulationResult Run(long seed, SimulationTrace? log = null, int maxMessages = int.MaxValue)
    {
        Begin(seed, log);
        while (_violation is not { Rule: Rule.Ratified } && !_cutOff && _queue.TryDequeue(out var occurrence, out var moment))
        {
            _now = moment.At;
            if (_now > _faultsUntil + (TerminationTimeoutMs * 1000L))
            {
                break;
            }

            Dispatch(occurrence);
            _cutOff |= _messages >= maxMessages;
            if (_look && _startsToCome == 0)
            {
                _look = false;
                if (IsOver())
                {
                    return new SimulationResult(_seed, EndOf(_state), _violation, _messages, _now);
                }
            }
        }

        return _violation is { Rule: Rule.Ratified } ? new SimulationResult(_seed, SimulationOutcome.Broken, _violation, _messages, _now) : Unfinished();
    }

    private void Begin(long seed, SimulationTrace? log)
    {
        (_seed, _log, _random) = (seed, log, SeededRandom.For(seed, "world", 0));
        (_now, _order, _messages, _inFlight, _startsToCome, _settledSince) = (0, 0, 0, 0, 0, Never);
        (_look, _cutOff, _violation, _logged) = (false, false, null, null);
        _faultsUntil = _options.Quiet ? 0 : _options.FaultsMs * 1000L;
        _queue.Clear();
        _starts.Clear();
        _decided.Clear();
        _checker.Clear();
        _network.Begin(_random);
        foreach (var agent in _agents)
        {
            agent.Begin();
            Boot(agent);
        }

        PlanStarts();
    }

    private void PlanStarts()
    {
        for (var i = 0; i < _options.Starts; i++)
        {
            var rule = _options.Rule ?? (_random.Next(2) == 0 ? Rule.Ratified : Rule.Classic);
            _starts.Add((new RunRequest(Rule: rule, Values: _options.Values, Draw: _options.Draw, WindowMs: _options.WindowMs), 0));

            // The first is agent1's; of the others some at about the same time, some at any.
            var agent = i == 0 ? 0 : _random.Next(_options.Agents);
            var at = FirstStartUs + (i == 0 ? 0 : _random.Next(2) == 0 ? _random.Next((int)BusyUs) : _random.Next(1 + (_options.FaultsMs * 1000)));
            _startsToCome++;
            Plan(at, new SimulatedEvent(SimulatedEventKind.Start, (short)agent, i));
        }
    }

    private void Plan(long at, in SimulatedEvent occurrence) => _queue.Enqueue(occurrence, new EventTime(at, _order++));

    private void Dispatch(in SimulatedEvent occurrence)
    {
        var agent = _agents[occurrence.Agent];
        switch (occurrence.What)
        {
            case SimulatedEventKind.Deliver:
                Deliver(agent, occurrence);
                break;
            case SimulatedEventKind.Return or SimulatedEventKind.Fail:
                Return(agent, occurrence);
                break;
            case SimulatedEventKind.Timer:
                OnTimer(agent, occurrence.Number);
                break;
            case SimulatedEventKind.Start:
                OnStart(agent, occurrence);
                break;
            case SimulatedEventKind.Boot:
                _look = true;
                Boot(agent);
                break;
            case SimulatedEventKind.Reset:
                OnReset(agent);
                break;
            case SimulatedEventKind.Resume:
                Note(agent.Index, TraceStepKind.Resume);
                break;
            case SimulatedEventKind.Heal:
                _network.Heal();
                Note(-1, TraceStepKind.Heal);
                break;
        }
    }

    /// <summary>One step of one machine, and what follows from it.</summary>
    private Response? Step(SimulatedAgent agent, Input input, TraceStep? logged = null)
    {
        _logged = logged;
        _log?.Add(logged!);
        var effects = agent.Machine!.Step(input);
        RecordViolation(_checker.Observe(agent.Index, agent.Machine, effects));
        var faulty = _now < _faultsUntil;
        var crashes = faulty && _options.Crash.Happens(_random);
        var reach = crashes ? _random.Next(effects.Count + 1) : int.MaxValue;
        Response? answer = null;
        for (var i = 0; i < effects.Count; i++)
        {
            switch (effects[i])
            {
                case Send send when i < reach:
                    Send(agent, send);
                    break;
                case Reply reply:
                    answer = reply.Response;
                    break;
                case SetTimer arm:
                    Arm(agent, (int)arm.Timer, _now + (arm.DelayMs * 1000L));
                    break;
                case CancelTimer disarm:
                    agent.Deadlines[(int)disarm.Timer] = SimulatedAgent.Never;
                    break;
                case ProtocolEvent protocolEvent:
                    OnProtocolEvent(protocolEvent);
                    break;
                case StartEnded ended:
                    OnStartEnded(agent, ended);
                    break;
            }
        }

        if (crashes)
        {
            Crash(agent);
            return null;
        }

        if (faulty)
        {
            InjectFaults(agent);
        }

        return answer;
    }

    /// <summary>The first violation counts, and the first of a rule that claims safety before any other.</summary>
    private void RecordViolation(Violation? violation)
    {
        if (violation is not null && (_violation is null || (violation.Rule == Rule.Ratified && _violation.Rule != Rule.Ratified)))
        {
            _violation = violation;
        }
    }

    private void OnProtocolEvent(ProtocolEvent protocolEvent)
    {
        _logged?.Events.Add(protocolEvent);
        switch (protocolEvent.Kind)
        {
            case ProtocolEventKind.Decided:
                _look = true;
                if (!_decided.Exists(known => known.Run == protocolEvent.Run))
                {
                    _decided.Add((protocolEvent.Run, protocolEvent.Round));
                }

                break;
            case ProtocolEventKind.Learned or ProtocolEventKind.JoinedAsLearner or ProtocolEventKind.WasReset:
                _look = true;
                break;
            case ProtocolEventKind.Drew or ProtocolEventKind.Adopted or ProtocolEventKind.CaughtUp:
                _cutOff |= protocolEvent.Round > _options.MaxRounds;
                break;
        }
    }

    private void Note(int agent, TraceStepKind kind, string? note = null) => _log?.Add(new TraceStep(_now, agent, kind) { Note = note });
}
