using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Tests.Protocol;

/// <summary>
/// A cluster driven by a list of numbers: each picks what happens next, out of what can happen. Messages and responses
/// arrive in any order, twice or never. Timers fire at any time. Agents start runs, restart and are reset. The same numbers
/// make the same history.
/// </summary>
internal sealed class ScheduledCluster : SimulatedCluster
{
    /// <summary>How many kinds of moves there are; likelier ones count more than once.</summary>
    public const int Kinds = 64;

    /// <summary>The first kind that does more than move messages and time: it starts a run.</summary>
    public const int StartMove = 58;

    private readonly SeededRandom _random;
    private readonly RunRequest _request;
    private long _ticket;

    public ScheduledCluster(Schedule schedule, StateMachineFactory? make = null)
        : base(
            Enumerable.Range(0, schedule.Agents).Select(agent => new SimulatedAgent(agent, AgentIds.Others(agent, schedule.Agents))),
            make, new SafetyChecker())
    {
        _random = new SeededRandom((ulong)schedule.Seed);
        _request = new RunRequest(Rule: Rule.Ratified, Values: schedule.Values,
            Draw: schedule.Draw, Seed: schedule.SeededDraws ? schedule.Seed : null);
        foreach (var agent in Agents)
        {
            Restart(agent);
        }

        DeliverAll();
    }

    /// <summary>Observes each step, with the machine in the state after it.</summary>
    public Action<AgentStateMachine, Input, IReadOnlyList<Effect>>? Watch { get; set; }

    public IEnumerable<AgentStateMachine> Machines => Agents.Select(agent => agent.Machine!);

    /// <summary>The number of a move: its kind, and which of all that it can apply to.</summary>
    public static int Move(int kind, int pick) => (pick * Kinds) + kind;

    /// <summary>Does the move with this number.</summary>
    public void Move(int move)
    {
        var (kind, pick) = (move % Kinds, move / Kinds);
        var agent = Agents[pick % Agents.Count];
        var call = InFlight.Count == 0 ? null : InFlight[pick % InFlight.Count];
        switch (kind)
        {
            case < 36 when call is not null:
                Deliver(call);
                break;
            case < 40 when call is { Response: null }:
                // The message arrives twice. The caller receives one response.
                Receive(call);
                break;
            case < 42 when call is { Response: null }:
                InFlight.Remove(call);
                Receive(call);
                Respond(call, null);
                break;
            case < 46 when call is not null:
                InFlight.Remove(call);
                Respond(call, null);
                break;
            case < StartMove when agent.SetTimers.Any():
                Fire(agent, agent.SetTimers.ElementAt(pick / Agents.Count % agent.SetTimers.Count()).Timer);
                break;
            case StartMove or 59:
                Start(agent.Index);
                break;
            case 60:
                Restart(agent);
                break;
            case 61:
                Reset(agent);
                break;
            case 62:
                Step(agent, new MessageReceived(new Final(1 + (pick % _request.Values!.Value), 1)));
                break;
            case 63:
                Step(agent, new MessageReceived(new NewRound(1 + (pick % 3))));
                break;
        }
    }

    public void Start(int agent) => StartRun(Agents[agent], ++_ticket, _request);

    /// <summary>Delivers all calls in order, and fires timers when no call is in flight.</summary>
    /// <returns>False where the cluster did not come to rest.</returns>
    public bool ComeToRest()
    {
        for (var pause = 0; pause < 2_000; pause++)
        {
            DeliverAll();
            if (!Agents.Any(agent => agent.SetTimers.Any()))
            {
                return true;
            }

            foreach (var agent in Agents)
            {
                foreach (var (timer, _) in agent.SetTimers.ToArray())
                {
                    Fire(agent, timer);
                }
            }
        }

        return false;
    }

    /// <inheritdoc/>
    protected override Response? OnStep(SimulatedAgent agent, Input input, IReadOnlyList<Effect> effects)
    {
        Watch?.Invoke(agent.Machine!, input, effects);
        return base.OnStep(agent, input, effects);
    }

    private void DeliverAll()
    {
        // Bounded, so that a cluster that never comes to rest fails its test instead of hanging it.
        for (var left = 2_000_000; InFlight.Count > 0 && left > 0; left--)
        {
            Deliver(InFlight[0]);
        }
    }

    private void Restart(SimulatedAgent agent) => Start(agent, $"b{agent.Processes}", _random);

    private void Deliver(SimulatedCall call)
    {
        InFlight.Remove(call);
        if (call.Response is null)
        {
            call.Response = Receive(call);
            InFlight.Add(call);
        }
        else
        {
            Respond(call, call.Response);
        }
    }
}
