using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Tests.Simulation;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>
/// Agents driven by a list of numbers: each picks what happens next, out of what can happen. Calls and answers arrive in
/// any order, twice or never; timers run out at will; agents start runs, restart and are reset. The same numbers make the
/// same history.
/// </summary>
internal sealed class ScheduledCluster
{
    /// <summary>How many kinds of moves there are; likelier ones count more than once.</summary>
    public const int Kinds = 64;

    /// <summary>The first kind that does more than move messages and time: it starts a run.</summary>
    public const int StartMove = 58;

    private readonly MutantFactory _make;
    private readonly SeededRandom _random;
    private readonly RunRequest _request;
    private readonly List<Call> _calls = [];
    private readonly Agent[] _agents;
    private readonly SafetyChecker _checker = new();
    private long _ticket;

    public ScheduledCluster(Schedule schedule, MutantFactory? make = null)
    {
        _make = make ?? ((id, boot, peers, random) => new AgentStateMachine(id, boot, peers, random));
        _random = new SeededRandom((ulong)schedule.Seed);
        _request = new RunRequest(Rule: Rule.Ratified, Values: schedule.Values, Draw: schedule.Draw, Seed: schedule.SeededDraws ? schedule.Seed : null);
        _agents = [.. Enumerable.Range(0, schedule.Agents).Select(i => new Agent(i))];
        Array.ForEach(_agents, Boot);
        Drain();
    }

    private sealed class Agent(int index)
    {
        public readonly int Index = index;
        public readonly SortedSet<Timer> Timers = [];
        public AgentStateMachine Machine = null!;
        public int Boots;
    }

    private sealed record Call(Agent From, AgentStateMachine Caller, Agent To, Message Message, Response? Answer = null);

    /// <summary>The first promise broken, if any.</summary>
    public Violation? Violation { get; private set; }

    /// <summary>Is shown each step, with the machine as it stands after it.</summary>
    public Action<AgentStateMachine, Input, IReadOnlyList<Effect>>? Watch { get; set; }

    public IEnumerable<AgentStateMachine> Machines => _agents.Select(agent => agent.Machine);

    /// <summary>The number that says: this kind of move, on that one of all it can apply to.</summary>
    public static int Move(int what, int pick) => (pick * Kinds) + what;

    /// <summary>Does what one number says.</summary>
    public void Move(int move)
    {
        var (what, pick) = (move % Kinds, move / Kinds);
        var agent = _agents[pick % _agents.Length];
        var call = _calls.Count == 0 ? null : _calls[pick % _calls.Count];
        switch (what)
        {
            case < 36 when call is not null:
                Deliver(call);
                break;
            case < 40 when call is { Answer: null }:
                // Arrives twice; a caller hears one answer.
                Step(call.To, new MessageReceived(call.Message));
                break;
            case < 42 when call is { Answer: null }:
                _calls.Remove(call);
                Step(call.To, new MessageReceived(call.Message));
                Hear(call, null);
                break;
            case < 46 when call is not null:
                _calls.Remove(call);
                Hear(call, null);
                break;
            case < StartMove when agent.Timers.Count > 0:
                Fire(agent, agent.Timers.ElementAt(pick / _agents.Length % agent.Timers.Count));
                break;
            case StartMove:
            case 59:
                Start(agent.Index);
                break;
            case 60:
                Boot(agent);
                break;
            case 61:
                Step(agent, new MessageReceived(new Reset()));
                break;
            case 62:
                Step(agent, new MessageReceived(new Final(1 + (pick % _request.Values), 1)));
                break;
            case 63:
                Step(agent, new MessageReceived(new NewRound(1 + (pick % 3))));
                break;
        }
    }

    public void Start(int agent) => Step(_agents[agent], new StartRun(++_ticket, _request));

    /// <summary>From now on all calls arrive, in order, and timers run out when nothing else happens.</summary>
    /// <returns>False where the cluster did not come to rest.</returns>
    public bool ComeToRest()
    {
        for (var pause = 0; pause < 2_000; pause++)
        {
            Drain();
            if (_agents.All(agent => agent.Timers.Count == 0))
            {
                return true;
            }

            foreach (var agent in _agents)
            {
                foreach (var timer in agent.Timers.ToArray())
                {
                    Fire(agent, timer);
                }
            }
        }

        return false;
    }

    private void Drain()
    {
        // Bounded, so that a cluster that talks for ever fails its test instead of hanging it.
        for (var left = 2_000_000; _calls.Count > 0 && left > 0; left--)
        {
            Deliver(_calls[0]);
        }
    }

    private void Boot(Agent agent)
    {
        agent.Timers.Clear();
        var peers = _agents.Where(other => other != agent).Select(other => $"agent{other.Index + 1}").ToArray();
        agent.Machine = _make($"agent{agent.Index + 1}", $"b{agent.Boots++}", peers, _random);
        Step(agent, new Started());
    }

    private void Fire(Agent agent, Timer timer)
    {
        if (agent.Timers.Remove(timer))
        {
            Step(agent, new TimerFired(timer));
        }
    }

    private void Deliver(Call call)
    {
        _calls.Remove(call);
        if (call.Answer is null)
        {
            var answer = Step(call.To, new MessageReceived(call.Message));
            _calls.Add(call with { Answer = answer });
        }
        else
        {
            Hear(call, call.Answer);
        }
    }

    private void Hear(Call call, Response? answer)
    {
        // A process that restarted does not hear the answers to its predecessor's calls.
        if (call.Caller == call.From.Machine)
        {
            var peer = call.To.Index - (call.To.Index > call.From.Index ? 1 : 0);
            Step(call.From, answer is null ? new RequestFailed(peer, call.Message) : new ResponseReceived(peer, call.Message, answer));
        }
    }

    private Response? Step(Agent agent, Input input)
    {
        var effects = agent.Machine.Step(input);
        Violation ??= _checker.Observe(agent.Index, agent.Machine, effects);
        Watch?.Invoke(agent.Machine, input, effects);
        Response? answer = null;
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Send send:
                    _calls.Add(new Call(agent, agent.Machine, _agents[send.Peer + (send.Peer >= agent.Index ? 1 : 0)], send.Message));
                    break;
                case Reply reply:
                    answer = reply.Response;
                    break;
                case SetTimer arm:
                    agent.Timers.Add(arm.Timer);
                    break;
                case CancelTimer disarm:
                    agent.Timers.Remove(disarm.Timer);
                    break;
            }
        }

        return answer;
    }
}
