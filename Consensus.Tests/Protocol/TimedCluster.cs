using Consensus.Protocol;
using Consensus.Simulation;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>What becomes of agent1 at some moment.</summary>
public enum InitiatorFault
{
    None,

    /// <summary>Its process ends. Calls to it fail at once.</summary>
    Crash,

    /// <summary>Nothing reaches it or leaves it any more. Calls to it fail after one second.</summary>
    CutOff,

    /// <summary>Each message to it or from it takes 150 ms.</summary>
    Slow,
}

/// <summary>A cluster in virtual time, where a message takes 1 ms and agent1 starts one run.</summary>
internal sealed class TimedCluster : SimulatedCluster
{
    private const long MessageUs = 1_000;
    private const long SlowMessageUs = 150_000;
    private const long CallTimeoutUs = 1_000_000;

    private readonly PriorityQueue<Action, (long At, int Order)> _queue = new();
    private readonly InitiatorFault _fault;
    private readonly int _faultAtStep;
    private readonly bool _crashedAgent;
    private bool _runs;
    private int _order;
    private int _steps;

    /// <param name="agents">How many agents.</param>
    /// <param name="seed">The seed of all draws.</param>
    /// <param name="fault">What becomes of agent1.</param>
    /// <param name="faultAtStep">After how many steps of agent1.</param>
    /// <param name="crashedAgent">Whether the last agent is down from the start of the run on.</param>
    public TimedCluster(int agents, long seed, InitiatorFault fault = InitiatorFault.None, int faultAtStep = 0, bool crashedAgent = false)
        : base(Enumerable.Range(0, agents).Select(agent => new SimulatedAgent(agent, AgentIds.Others(agent, agents))),
            checker: new SafetyChecker())
    {
        (_fault, _faultAtStep, _crashedAgent) = (fault, faultAtStep, crashedAgent);
        foreach (var agent in Agents)
        {
            Start(agent, seed, restores: false);
        }

        RunUntil(() => false, 100);
        (_runs, Requests) = (true, 0);
    }

    /// <summary>Requests of the run that were sent.</summary>
    public int Requests { get; private set; }

    /// <summary>The run's last round.</summary>
    public int Rounds => Live.Max(agent => agent.Machine!.CurrentRound);

    /// <summary>The agents that run and can be reached.</summary>
    public IEnumerable<SimulatedAgent> Live =>
        Agents.Where(agent => agent.Machine is not null && !(agent.Index == 0 && HasFault && _fault == InitiatorFault.CutOff));

    private bool HasFault => _runs && _fault != InitiatorFault.None && _steps >= _faultAtStep;

    /// <summary>Starts a run and goes on until every live agent holds its decision.</summary>
    /// <returns>How long that took, in ms.</returns>
    public double Decide(RunRequest request)
    {
        var from = Now;
        if (_crashedAgent)
        {
            Agents[^1].Stop();
        }

        StartRun(Agents[0], 1, request);
        Assert.True(RunUntil(() => Live.All(agent => agent.Machine!.CurrentDecision is not null), 60_000),
            "Not every live agent has decided after a minute.");
        return (Now - from) / 1000.0;
    }

    /// <summary>Goes on for a while.</summary>
    public void GoOn(int milliseconds) => RunUntil(() => false, milliseconds);

    /// <inheritdoc/>
    protected override Response? OnStep(SimulatedAgent agent, Input input, IReadOnlyList<Effect> effects)
    {
        var response = Apply(agent, effects);
        if (_runs && agent.Index == 0 && ++_steps == _faultAtStep && _fault == InitiatorFault.Crash)
        {
            agent.Stop();
            return null;
        }

        return response;
    }

    /// <inheritdoc/>
    protected override void OnCall(SimulatedCall call)
    {
        Requests += call.Message.Run is null ? 0 : 1;
        var concernsInitiator = HasFault && (call.From.Index == 0 || call.To.Index == 0);
        if (concernsInitiator && _fault == InitiatorFault.CutOff)
        {
            Plan(CallTimeoutUs, () => Respond(call, null));
            return;
        }

        var delay = concernsInitiator && _fault == InitiatorFault.Slow ? SlowMessageUs : MessageUs;
        Plan(delay, () =>
        {
            var response = call.To.Machine is null ? null : Receive(call);
            Plan(delay, () => Respond(call, response));
        });
    }

    private void Plan(long delay, Action action) => _queue.Enqueue(action, (Now + delay, _order++));

    private bool RunUntil(Func<bool> isOver, int milliseconds)
    {
        var end = Now + (milliseconds * 1000L);
        while (!isOver())
        {
            var timers = from agent in Agents
                         where agent.Machine is not null
                         from set in agent.SetTimers
                         select (set.At, Agent: agent, set.Timer);
            var timer = timers.DefaultIfEmpty((At: long.MaxValue, Agent: Agents[0], Timer: Timer.Poll)).MinBy(set => set.At);
            var message = _queue.TryPeek(out _, out var next) ? next.At : long.MaxValue;
            var at = Math.Min(timer.At, message);
            if (at > end)
            {
                Now = end;
                return false;
            }

            Now = at;
            if (message <= timer.At)
            {
                _queue.Dequeue()();
            }
            else
            {
                Fire(timer.Agent, timer.Timer);
            }
        }

        return true;
    }
}
