using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.Seeded;

/// <summary>What a person changes about one message of a simulated run.</summary>
public enum MessageChange
{
    /// <summary>The message is lost.</summary>
    Lose,

    /// <summary>The message arrives <see cref="Simulator.ChangedDelayMs"/> ms later.</summary>
    Delay,

    /// <summary>The message arrives once more, 3 ms after it was sent.</summary>
    Duplicate,

    /// <summary>The response to the message is lost.</summary>
    LoseResponse,

    /// <summary>The response to the message arrives <see cref="Simulator.ChangedDelayMs"/> ms later.</summary>
    DelayResponse,
}

/// <summary>
/// Simulates runs of a cluster in virtual time, each from one seed. Links delay, lose, duplicate and reorder messages, are
/// cut and heal. Agents crash, restart, pause and are reset. Clients start runs. The same options and seed give the same
/// simulated run on any machine: whole numbers only, one generator, one queue ordered by time and then by age. Not thread
/// safe. One instance simulates many runs, one after another.
/// </summary>
public sealed partial class Simulator : SimulatedCluster
{
    /// <summary>Response timeout in ms, the same as the HTTP client's.</summary>
    public const int CallTimeoutMs = 1000;

    /// <summary>Virtual time in ms after the last fault within which every agent must decide or report its stalled run.</summary>
    public const int TerminationTimeoutMs = 120_000;

    /// <summary>How much later a delayed message arrives, in virtual ms: more than a window, less than a response timeout.</summary>
    public const int ChangedDelayMs = 400;

    private const long Never = long.MaxValue;
    private const long FirstStartUs = 5_000;
    private const long BusyUs = 50_000;
    private const long SettledUs = 2_500_000;

    private readonly SimulationOptions _options;
    private readonly Network _network;
    private readonly SimulatedAgent[] _agents;
    private readonly long[] _pausedUntil;
    private readonly int[] _openStarts;
    private readonly (AgentStateMachine Machine, bool WasReset)[] _states;
    private readonly PriorityQueue<PlannedEvent, EventTime> _queue = new();
    private readonly List<(RunRequest Request, int Tries)> _starts = [];
    private readonly List<(RunId Run, int Rounds)> _decided = [];
    private SeededRandom _random = new(0);
    private long _seed;
    private long _order;
    private long _faultsUntil;
    private long _settledSince;
    private int _messages;
    private int _requests;
    private int _awaitedCalls;
    private int _pendingStarts;
    private bool _mayBeOver;
    private bool _cutOff;

    /// <param name="options">What is simulated; must be in range.</param>
    /// <param name="make">Makes a machine; null: one with the default rules.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Simulator(SimulationOptions options, StateMachineFactory? make = null)
        : base(options.CreateAgents(), make, new SafetyChecker(refinement: make is null))
    {
        if (options.Error() is { } error)
        {
            throw new ArgumentOutOfRangeException(nameof(options), error);
        }

        _options = options;
        _network = new Network(options);
        _agents = [.. Agents];
        _pausedUntil = new long[options.Agents];
        _openStarts = new int[options.Agents];
        _states = new (AgentStateMachine, bool)[options.Agents];
    }

    private enum PlannedEventKind : byte
    {
        Deliver,
        Respond,
        Fail,
        Timer,
        Start,
        Boot,
        Reset,
        Resume,
        Heal,
    }

    /// <summary>When an event is due. Of the events due at one time the one planned first comes first.</summary>
    private readonly record struct EventTime(long At, long Order) : IComparable<EventTime>
    {
        public int CompareTo(EventTime other) => At != other.At ? At.CompareTo(other.At) : Order.CompareTo(other.Order);
    }

    /// <param name="Kind">What happens.</param>
    /// <param name="Agent">The agent concerned.</param>
    /// <param name="Number">Which timer, start or copy.</param>
    /// <param name="Call">The call concerned.</param>
    /// <param name="Response">The response on its way.</param>
    private readonly record struct PlannedEvent(
        PlannedEventKind Kind, short Agent, int Number = 0, PlannedCall? Call = null, Response? Response = null);

    /// <summary>Changes of messages, by the number of the call. They apply to traced runs. All draws stay as they were.</summary>
    public IReadOnlyDictionary<int, MessageChange> Changes { get; init; } = new Dictionary<int, MessageChange>();

    /// <summary>The rounds of each run in which an agent decided: from the first round to the first decision.</summary>
    public IReadOnlyList<(RunId Run, int Rounds)> Decided => _decided;

    /// <summary>Simulates the run of a seed.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="trace">Records everything that happens; null for speed.</param>
    /// <param name="maxMessages">The run is cut off after so many messages.</param>
    public SimulationResult Run(long seed, SimulationTrace? trace = null, int maxMessages = int.MaxValue)
    {
        Begin(seed, trace);
        while (Violation is not { Rule: Rule.Ratified } && !_cutOff && _queue.TryDequeue(out var next, out var time))
        {
            Now = time.At;
            if (Now > _faultsUntil + (TerminationTimeoutMs * 1000L))
            {
                break;
            }

            Dispatch(next);
            _cutOff |= _messages >= maxMessages;
            if (_mayBeOver && _pendingStarts == 0)
            {
                _mayBeOver = false;
                if (IsOver())
                {
                    return ResultOf(OutcomeOf(_states));
                }
            }
        }

        return Violation is { Rule: Rule.Ratified } ? ResultOf(SimulationOutcome.Broken) : Unfinished();
    }

    private void Begin(long seed, SimulationTrace? trace)
    {
        // The label is part of what a seed means.
        (_seed, _random) = (seed, SeededRandom.For(seed, "world", 0));
        (_order, _messages, _requests, _awaitedCalls, _pendingStarts, _settledSince) = (0, 0, 0, 0, 0, Never);
        (_mayBeOver, _cutOff) = (false, false);
        _faultsUntil = _options.IsFaultFree ? 0 : _options.FaultsMs * 1000L;
        _queue.Clear();
        _starts.Clear();
        _decided.Clear();
        Array.Clear(_pausedUntil);
        Array.Clear(_openStarts);
        Clear(trace);
        _network.Begin(_random);
        foreach (var agent in _agents)
        {
            Start(agent, _seed, _options.Durable);
        }

        PlanStarts();
    }

    private void PlanStarts()
    {
        for (var i = 0; i < _options.Starts; i++)
        {
            var rule = _options.Rule ?? (_random.Next(2) == 0 ? Rule.Ratified : Rule.Classic);
            _starts.Add((_options.RunBy(rule), 0));

            // agent1 gets the first start. Half of the others follow at about the same time, half at any time.
            var agent = i == 0 ? 0 : _random.Next(_options.Agents);
            var at = FirstStartUs + (i == 0 ? 0
                : _random.Next(2) == 0 ? _random.Next((int)BusyUs) : _random.Next(1 + (_options.FaultsMs * 1000)));
            _pendingStarts++;
            Plan(at, new PlannedEvent(PlannedEventKind.Start, (short)agent, i));
        }
    }

    private void Plan(long at, in PlannedEvent next) => _queue.Enqueue(next, new EventTime(at, _order++));

    private void Dispatch(in PlannedEvent next)
    {
        var agent = _agents[next.Agent];
        switch (next.Kind)
        {
            case PlannedEventKind.Deliver:
                Deliver(agent, next);
                break;
            case PlannedEventKind.Respond or PlannedEventKind.Fail:
                Respond(agent, next);
                break;
            case PlannedEventKind.Timer:
                FireTimer(agent, (Timer)next.Number);
                break;
            case PlannedEventKind.Start:
                RequestStart(agent, next);
                break;
            case PlannedEventKind.Boot:
                _mayBeOver = true;
                _pausedUntil[agent.Index] = 0;
                Start(agent, _seed, _options.Durable);
                break;
            case PlannedEventKind.Reset:
                ResetUnlessPaused(agent);
                break;
            case PlannedEventKind.Resume:
                AddToTrace(TraceStepKind.Resume, agent.Index);
                break;
            case PlannedEventKind.Heal:
                _network.Heal();
                AddToTrace(TraceStepKind.Heal);
                break;
        }
    }

    /// <inheritdoc/>
    protected override Response? OnStep(SimulatedAgent agent, Input input, IReadOnlyList<Effect> effects)
    {
        var faulty = Now < _faultsUntil;
        if (faulty && _options.Crash.Happens(_random))
        {
            Apply(agent, effects, sendsUntil: _random.Next(effects.Count + 1));
            Crash(agent);
            return null;
        }

        var response = Apply(agent, effects);
        if (faulty)
        {
            InjectFaults(agent);
        }

        return response;
    }

    /// <inheritdoc/>
    protected override void Apply(SimulatedAgent agent, Effect effect)
    {
        base.Apply(agent, effect);
        switch (effect)
        {
            // Most timers are moved or canceled before they fire.
            case SetTimer set:
                Plan(agent.DeadlineOf(set.Timer), new PlannedEvent(PlannedEventKind.Timer, (short)agent.Index, (int)set.Timer));
                break;
            case ProtocolEvent protocolEvent:
                OnProtocolEvent(protocolEvent);
                break;
            case StartEnded ended:
                OnStartEnded(agent, ended);
                break;
        }
    }

    private void OnProtocolEvent(ProtocolEvent protocolEvent)
    {
        switch (protocolEvent.Kind)
        {
            case ProtocolEventKind.Decided:
                _mayBeOver = true;
                if (!_decided.Exists(known => known.Run == protocolEvent.Run))
                {
                    _decided.Add((protocolEvent.Run, protocolEvent.Round));
                }

                break;
            case ProtocolEventKind.Learned or ProtocolEventKind.JoinedAsLearner or ProtocolEventKind.WasReset:
                _mayBeOver = true;
                break;
            case ProtocolEventKind.Drew or ProtocolEventKind.Adopted or ProtocolEventKind.CaughtUp:
                _cutOff |= protocolEvent.Round > _options.MaxRounds;
                break;
        }
    }
}
