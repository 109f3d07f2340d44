using System.Globalization;
using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation;

/// <summary>
/// The one driver of machines in memory. It holds the machines, timers, calls in flight and persisted states, and applies
/// the effects of each step. A derived class decides when a call arrives, which call is next and which is lost.
/// </summary>
public abstract class SimulatedCluster
{
    private static readonly TimerFired[] TimersFired = [.. Enum.GetValues<Timer>().Select(timer => new TimerFired(timer))];
    private static readonly MessageReceived ResetReceived = new(new Reset());
    private static readonly Started ProcessStarted = new();

    private readonly SimulatedAgent[] _agents;
    private readonly SafetyChecker? _checker;
    private TraceStep? _step;

    /// <param name="agents">The agents by index. None runs yet.</param>
    /// <param name="make">Makes a machine; null: one with the default rules.</param>
    /// <param name="checker">Checks each step; null: nothing is checked.</param>
    protected SimulatedCluster(IEnumerable<SimulatedAgent> agents, StateMachineFactory? make = null, SafetyChecker? checker = null) =>
        (_agents, Make, _checker) = ([.. agents], make ?? Core, checker);

    /// <summary>The core as it is.</summary>
    public static StateMachineFactory Core { get; } = (id, boot, peers, random) => new AgentStateMachine(id, boot, peers, random);

    /// <summary>Makes the machines.</summary>
    internal StateMachineFactory Make { get; }

    /// <summary>The agents by index.</summary>
    public IReadOnlyList<SimulatedAgent> Agents => _agents;

    /// <summary>The first violation. A violation of the ratified rule replaces one of the classic rule, which claims no safety.</summary>
    public Violation? Violation { get; private set; }

    /// <summary>Everything that happened; null where nothing is traced.</summary>
    public SimulationTrace? Trace { get; protected set; }

    /// <summary>Virtual time in µs.</summary>
    protected long Now { get; set; }

    /// <summary>Calls in flight, the oldest first.</summary>
    protected List<SimulatedCall> InFlight { get; } = [];

    /// <summary>The call whose message, response or failure the current step takes; null for any other input.</summary>
    protected SimulatedCall? CurrentCall { get; private set; }

    /// <summary>Starts the next process of an agent.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="boot">The process's boot.</param>
    /// <param name="random">The source of its draws.</param>
    /// <param name="restores">Whether it restores what the last process persisted.</param>
    /// <param name="loses">Whether the disk has lost a run that the last process joined and did not decide.</param>
    protected void Start(SimulatedAgent agent, string boot, IRandomSource random, bool restores = false, bool loses = false)
    {
        RecordViolation(agent.Start(boot, random, Make, restores, loses));
        Step(agent, ProcessStarted,
            traced: Trace is null ? null : new TraceStep(Now, agent.Index, TraceStepKind.Boot) { Note = boot, Process = agent.Beginning });
    }

    /// <summary>
    /// Starts the next process of an agent. Its boot, which sorts anywhere among others, its draws, and what its disk has lost follow
    /// from the seed.
    /// </summary>
    protected void Start(SimulatedAgent agent, long seed, bool restores)
    {
        var number = agent.Processes + 1;
        var random = SeededRandom.For(seed, agent.Id, number);
        Start(agent, string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + random.Next(26))}{number}"), random, restores,
            loses: restores && SeededRandom.For(seed, agent.Id + ".disk", number).Next(2) == 0);
    }

    /// <summary>Asks an agent to start a run.</summary>
    protected void StartRun(SimulatedAgent agent, long ticket, RunRequest request) =>
        Step(agent, new StartRun(ticket, request),
            traced: Trace is null ? null : new TraceStep(Now, agent.Index, TraceStepKind.Start) { Request = request });

    /// <summary>Resets an agent.</summary>
    protected void Reset(SimulatedAgent agent)
    {
        agent.WasReset = true;
        Step(agent, ResetReceived, traced: Trace is null ? null : new TraceStep(Now, agent.Index, TraceStepKind.Reset));
    }

    /// <summary>Fires a timer.</summary>
    /// <returns>False where it is not set.</returns>
    protected bool Fire(SimulatedAgent agent, Timer timer)
    {
        if (!agent.IsSet(timer))
        {
            return false;
        }

        agent.CancelTimer(timer);
        Step(agent, TimersFired[(int)timer],
            traced: Trace is null ? null : new TraceStep(Now, agent.Index, TraceStepKind.Timer) { Timer = timer });
        return true;
    }

    /// <summary>Delivers a message.</summary>
    /// <returns>The response; null where the called process crashed in this step.</returns>
    protected Response? Receive(SimulatedCall call)
    {
        var response = Step(call.To, new MessageReceived(call.Message), call,
            call.Trace is null
                ? null : new TraceStep(Now, call.To.Index, TraceStepKind.Receive) { Call = call.Trace, Copy = call.Trace.Receipts.Count });
        call.Trace?.Receipts.Add((Now, response));
        return response;
    }

    /// <summary>Delivers a response to the calling process, if it still runs.</summary>
    /// <param name="call">The call.</param>
    /// <param name="response">The response; null: the call fails.</param>
    /// <param name="copy">Which arrival of the message it responds to, from 0.</param>
    protected void Respond(SimulatedCall call, Response? response, int copy = 0)
    {
        if (!call.CallerRuns)
        {
            return;
        }

        TraceStep? traced = null;
        if (call.Trace is { } trace)
        {
            traced = new TraceStep(Now, call.From.Index, response is null ? TraceStepKind.Failure : TraceStepKind.Response)
            {
                Call = trace, Copy = copy,
            };
            trace.Complete(response, Now);
        }

        Step(call.From, response is null
            ? new RequestFailed(call.Peer, call.Message) : new ResponseReceived(call.Peer, call.Message, response), call, traced);
    }

    /// <summary>Lets a machine take one step and applies its effects.</summary>
    /// <returns>The response of the step, or null.</returns>
    protected Response? Step(SimulatedAgent agent, Input input, SimulatedCall? call = null, TraceStep? traced = null)
    {
        (CurrentCall, _step) = (call, traced);
        if (traced is not null)
        {
            Trace!.Add(traced);
        }

        agent.RecordedDraws.Clear();
        var effects = agent.Machine!.Step(input);
        if (traced is not null)
        {
            (traced.Input, traced.Draws) = (input, [.. agent.RecordedDraws.Drawn]);
            traced.After = Trace!.KeepsStates ? agent.Machine.Snapshot() : null;
        }

        RecordViolation(_checker?.Observe(agent.Index, agent.Machine, effects));
        return OnStep(agent, input, effects);
    }

    /// <summary>Handles the effects of a step; by default applies them all.</summary>
    /// <returns>The response of the step, or null.</returns>
    protected virtual Response? OnStep(SimulatedAgent agent, Input input, IReadOnlyList<Effect> effects) => Apply(agent, effects);

    /// <summary>Applies effects in order.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="effects">The effects.</param>
    /// <param name="sendsUntil">Sends from this index on are lost, because the process crashes there.</param>
    /// <returns>The response among them, or null.</returns>
    protected Response? Apply(SimulatedAgent agent, IReadOnlyList<Effect> effects, int sendsUntil = int.MaxValue)
    {
        Response? response = null;
        for (var i = 0; i < effects.Count; i++)
        {
            switch (effects[i])
            {
                case Reply reply:
                    response = reply.Response;
                    break;
                case Send when i >= sendsUntil:
                    break;
                case var effect:
                    Apply(agent, effect);
                    break;
            }
        }

        return response;
    }

    /// <summary>Applies one effect other than a reply.</summary>
    protected virtual void Apply(SimulatedAgent agent, Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Call(agent, send);
                break;
            case SetTimer set:
                agent.SetTimer(set.Timer, Now + (set.DelayMs * 1000L));
                break;
            case CancelTimer cancel:
                agent.CancelTimer(cancel.Timer);
                break;
            case ProtocolEvent protocolEvent:
                _step?.Events.Add(protocolEvent);
                break;
            case StartEnded ended when _step is not null:
                _step.Outcome = ended.Outcome;
                break;
        }
    }

    /// <summary>Makes the object of a new call.</summary>
    protected virtual SimulatedCall NewCall() => new();

    /// <summary>Handles a new call; by default it is in flight.</summary>
    protected virtual void OnCall(SimulatedCall call) => InFlight.Add(call);

    /// <summary>Adds a step without a machine's input to the trace.</summary>
    protected void AddToTrace(TraceStepKind kind, int agent = -1, string? note = null) =>
        Trace?.Add(new TraceStep(Now, agent, kind) { Note = note });

    /// <summary>Forgets everything, for another simulated run.</summary>
    protected void Clear(SimulationTrace? trace)
    {
        (Now, Trace, Violation) = (0, trace, null);
        InFlight.Clear();
        _checker?.Clear();
        foreach (var agent in _agents)
        {
            agent.Clear();
        }
    }

    private void Call(SimulatedAgent agent, Send send)
    {
        var call = NewCall();
        call.Begin(agent, _agents[agent.AgentAt(send.Peer)], send);
        if (Trace is not null)
        {
            call.Trace = Trace.AddCall(call, Now);
            _step?.Sent.Add(call.Trace);
        }

        OnCall(call);
    }

    private void RecordViolation(Violation? violation)
    {
        if (violation is not null && (Violation is null || (violation.Rule == Rule.Ratified && Violation.Rule != Rule.Ratified)))
        {
            Violation = violation;
        }
    }
}
