using System.Globalization;
using Consensus.Protocol;
using Consensus.Simulation.ModelChecking;
using Consensus.Simulation.Seeded;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.Exploration;

/// <summary>
/// A cluster in which a path of steps says what happens next. Every message stays in flight until a step delivers or loses it,
/// and every timer that is set may fire at any time. Agents know each other when the path begins, or it begins in a recorded run.
/// </summary>
public sealed partial class ExploredCluster : SimulatedCluster
{
    private const long StepUs = 1_000;

    private readonly bool _durable;
    private readonly ChoiceEnumerator _draws = new();
    private readonly SafetyChecker _checker = new();
    private readonly List<Violation> _violations = [];
    private readonly RunRequest _request;
    private int _starts;

    /// <summary>Follows a path.</summary>
    /// <param name="options">What is explored; in range.</param>
    /// <param name="path">The steps.</param>
    /// <param name="keepsStates">Whether the trace keeps the agents' states.</param>
    /// <exception cref="FormatException">A step is not possible where the path takes it; the message names it.</exception>
    public ExploredCluster(ExplorationOptions options, IReadOnlyList<ExplorationStep> path, bool keepsStates = false)
        : this(options, options.Cluster, path, keepsStates)
    {
    }

    private ExploredCluster(
        ExplorationOptions options, SimulationOptions cluster, IReadOnlyList<ExplorationStep> path, bool keepsStates)
        : base(AgentsOf(options, cluster), options.Mutant?.Factory)
    {
        _durable = cluster.Durable;
        _request = new RunRequest(Rule: options.Rule, Values: options.Values, Spread: cluster.Spread);
        if (options.From is { } moment)
        {
            Begin(moment, keepsStates);
        }
        else
        {
            Begin(keepsStates);
        }

        for (var i = 0; i < path.Count; i++)
        {
            Now += StepUs;
            _draws.Begin([.. path[i].Draws]);
            if (!Take(path[i]) || !_draws.HasMade(path[i].Draws.Count))
            {
                throw new FormatException($"Step {i + 1} of the path, {path[i]}, is not possible there.");
            }
        }
    }

    private static IEnumerable<SimulatedAgent> AgentsOf(ExplorationOptions options, SimulationOptions cluster) =>
        options.From is not { } moment
        ? cluster.CreateAgents()
        : moment.Ids.Select((_, agent) => new SimulatedAgent(
            agent, moment.Processes[agent]?.Peers ?? AgentIds.Others(agent, moment.Ids.Count), index => moment.Ids[index]));

    /// <summary>A new cluster whose agents know each other.</summary>
    private void Begin(bool keepsStates)
    {
        foreach (var agent in Agents)
        {
            Start(agent);
        }

        foreach (var call in InFlight.ToList())
        {
            Respond(call, Receive(call));
        }

        InFlight.Clear();
        Trace = new SimulationTrace(keepsStates);
        foreach (var agent in Agents)
        {
            TraceProcess(agent, agent.Machine!.Boot);
        }
    }

    /// <summary>A process goes on that began before the trace.</summary>
    private void TraceProcess(SimulatedAgent agent, string boot)
    {
        AddToTrace(TraceStepKind.Boot, agent.Index, boot);
        if (agent.Machine is { } machine)
        {
            var state = new RecordWriter();
            machine.Save(state);
            Trace!.Steps[^1].Process = new TracedProcess(machine.Id, machine.Boot, machine.Peers, State: state.Written);
            Trace.Steps[^1].After = Trace.KeepsStates ? machine.Snapshot() : null;
        }
    }

    /// <summary>The agents of a recorded run, and its steps up to the moment.</summary>
    private void Begin(RecordedMoment moment, bool keepsStates)
    {
        Now = moment.Steps.Count == 0 ? 0 : moment.Steps[0].At;
        Trace = new SimulationTrace(keepsStates, index => moment.Ids[index]);
        foreach (var agent in Agents)
        {
            if (moment.Processes[agent.Index] is { } process)
            {
                var draws = new RecordedDraws(_draws);
                var machine = new AgentStateMachine(agent.Id, process.Boot, process.Addresses, draws);
                machine.Load(new RecordReader(process.State));
                agent.Resume(machine, draws, process.Timers);
                _checker.Resume(agent.Index, machine);
            }

            TraceProcess(agent, moment.Processes[agent.Index]?.Boot ?? "");
            if (agent.Machine is null)
            {
                AddToTrace(TraceStepKind.Crash, agent.Index);
            }
        }

        var next = moment.Processes.Select(process => process?.SentBefore + 1 ?? 0).ToArray();
        var calls = new Dictionary<(int Caller, long Id), SimulatedCall>();
        foreach (var step in moment.Steps)
        {
            Now = step.At;
            _draws.Begin([.. step.Draws]);
            var before = Trace.Calls.Count;
            Repeat(Agents[step.Agent], step.Input, calls.GetValueOrDefault((step.Caller, step.MessageId)));
            foreach (var call in InFlight.Where(call => call.Trace!.Number > before))
            {
                calls[(step.Agent, next[step.Agent]++)] = call;
            }
        }
    }

    /// <summary>Takes a recorded step. The call is in flight, or it began before the first recorded step.</summary>
    private void Repeat(SimulatedAgent agent, Input input, SimulatedCall? call)
    {
        switch (input)
        {
            case MessageReceived when call is { Response: null }:
                call.Response = Receive(call);
                break;
            case ResponseReceived or RequestFailed when call is not null:
                InFlight.Remove(call);
                call.Trace!.Lost |= input is RequestFailed && call.Response is null;
                call.Trace.ResponseLost |= input is RequestFailed && call.Response is not null;
                Respond(call, (input as ResponseReceived)?.Response);
                break;
            case TimerFired fired when agent.IsSet(fired.Timer):
                Fire(agent, fired.Timer);
                break;
            case StartRun start:
                StartRun(agent, ++_starts, start.Request);
                break;
            default:
                var traced = new TraceStep(Now, agent.Index, TraceStepKind.Send);
                Step(agent, input, traced: traced);
                break;
        }
    }

    /// <summary>The first violation of each property.</summary>
    public IEnumerable<Violation> Violations =>
        _violations.Append(Violation).OfType<Violation>().DistinctBy(violation => violation.Property);

    /// <summary>What each agent knows, by index; null where it is down.</summary>
    public IEnumerable<AgentSnapshot?> Snapshots => Agents.Select(agent => agent.Machine?.Snapshot());

    /// <summary>How often a client asked for a run.</summary>
    public int Starts => _starts;

    /// <summary>Whether a restarted agent restores what it persisted.</summary>
    internal bool IsDurable => _durable;

    /// <summary>Calls in flight, the oldest first.</summary>
    internal IReadOnlyList<SimulatedCall> Calls => InFlight;

    /// <summary>Every step that is possible now, once for each combination of draws.</summary>
    /// <param name="wanted">The kinds of steps to list; null: all.</param>
    public IEnumerable<NextStep> NextSteps(Func<ExplorationStepKind, bool>? wanted = null) => Possible(wanted ?? (_ => true));

    private IEnumerable<NextStep> Possible(Func<ExplorationStepKind, bool> wanted)
    {
        foreach (var call in InFlight)
        {
            var (number, steps) = (call.Trace!.Number, Enumerable.Empty<NextStep>());
            if (call.Response is { } response)
            {
                steps = Branches(ExplorationStepKind.Respond, number, call.From,
                    new ResponseReceived(call.Peer, call.Message, response), call);
            }
            else if (call.To.Machine is not null)
            {
                steps = Branches(ExplorationStepKind.Deliver, number, call.To, new MessageReceived(call.Message), call);
            }

            foreach (var next in steps)
            {
                yield return next;
            }
        }

        foreach (var agent in Agents)
        {
            foreach (var (timer, _) in agent.SetTimers)
            {
                foreach (var next in ExplorationStep.KindOf(timer) is var kind && wanted(kind)
                    ? Branches(kind, agent.Index + 1, agent, new TimerFired(timer)) : [])
                {
                    yield return next;
                }
            }
        }

        foreach (var call in wanted(ExplorationStepKind.Lose) ? InFlight : [])
        {
            foreach (var next in call.CallerRuns
                ? Branches(ExplorationStepKind.Lose, call.Trace!.Number, call.From, new RequestFailed(call.Peer, call.Message), call)
                : [new NextStep(new(ExplorationStepKind.Lose, call.Trace!.Number, []), call.From.Index, call)])
            {
                yield return next;
            }
        }

        foreach (var call in wanted(ExplorationStepKind.Duplicate) ? InFlight.Where(CanBeDuplicated) : [])
        {
            yield return new NextStep(new(ExplorationStepKind.Duplicate, call.Trace!.Number, []), call.To.Index, call);
        }

        foreach (var agent in Agents)
        {
            var number = agent.Index + 1;
            IEnumerable<NextStep> steps = agent.Machine is null
                ? [new NextStep(new(ExplorationStepKind.Restart, number, []), agent.Index, null)]
                : [
                    .. wanted(ExplorationStepKind.Start)
                        ? Branches(ExplorationStepKind.Start, number, agent, new StartRun(_starts + 1, _request)) : [],
                    .. wanted(ExplorationStepKind.Reset)
                        ? Branches(ExplorationStepKind.Reset, number, agent, new MessageReceived(new Reset())) : [],
                    .. wanted(ExplorationStepKind.Crash)
                        ? [new NextStep(new(ExplorationStepKind.Crash, number, []), agent.Index, null)] : Enumerable.Empty<NextStep>(),
                ];
            foreach (var next in steps)
            {
                yield return next;
            }
        }
    }

    /// <inheritdoc/>
    protected override Response? OnStep(SimulatedAgent agent, Input input, IReadOnlyList<Effect> effects)
    {
        if (_checker.Observe(agent.Index, agent.Machine!, effects) is { } violation)
        {
            _violations.Add(violation);
        }

        return base.OnStep(agent, input, effects);
    }

    private void Start(SimulatedAgent agent) =>
        Start(agent, string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + agent.Index)}{agent.Processes + 1}"), _draws, _durable);

    private bool Take(ExplorationStep step)
    {
        var isOfCall = step.Kind is ExplorationStepKind.Deliver or ExplorationStepKind.Respond
            or ExplorationStepKind.Lose or ExplorationStepKind.Duplicate;
        var call = isOfCall ? InFlight.Find(call => call.Trace!.Number == step.Number) : null;
        var agent = step.Number <= Agents.Count ? Agents[step.Number - 1] : null;
        switch (step.Kind)
        {
            case ExplorationStepKind.Deliver when call is { Response: null, To.Machine: not null }:
                call.Response = Receive(call);
                return call.CallerRuns || InFlight.Remove(call);
            case ExplorationStepKind.Respond when call?.Response is { } response:
                InFlight.Remove(call);
                Respond(call, response);
                return true;
            case ExplorationStepKind.Lose when call is not null:
                InFlight.Remove(call);
                call.Trace!.Lost |= call.Response is null;
                call.Trace.ResponseLost |= call.Response is not null;
                Respond(call, null);
                return true;
            case ExplorationStepKind.Duplicate when call is not null && CanBeDuplicated(call):
                Duplicate(call);
                return true;
            case ExplorationStepKind.Start when agent?.Machine is not null:
                StartRun(agent, ++_starts, _request);
                return true;
            case ExplorationStepKind.Reset when agent?.Machine is not null:
                Reset(agent);
                return true;
            case ExplorationStepKind.Crash when agent?.Machine is not null:
                AddToTrace(TraceStepKind.Crash, agent.Index);
                agent.Stop();

                // Nobody waits for the responses to its calls any more.
                InFlight.RemoveAll(call => call is { Response: not null, CallerRuns: false });
                return true;
            case ExplorationStepKind.Restart when agent is { Machine: null }:
                Start(agent);
                return true;
            default:
                return step.Timer is { } timer && agent?.Machine is not null && Fire(agent, timer);
        }
    }

    private static bool CanBeDuplicated(SimulatedCall call) => call is { Response: null, IsCopy: false };

    private void Duplicate(SimulatedCall call)
    {
        var (copy, original) = (call.Copy(), call.Trace!);
        copy.Trace = Trace!.AddCall(copy, original.SentAt);
        Trace.Steps.First(step => step.Sent.Contains(original)).Sent.Add(copy.Trace);
        InFlight.Add(copy);
    }

    /// <summary>A step with each combination of its draws. Copies of the machine take it, so nothing changes.</summary>
    private List<NextStep> Branches(ExplorationStepKind kind, int number, SimulatedAgent agent, Input input, SimulatedCall? call = null)
    {
        var branches = new List<NextStep>();
        _draws.Begin();
        do
        {
            var machine = agent.Machine!.Clone();
            var effects = machine.Step(input);
            branches.Add(new NextStep(new(kind, number, [.. _draws.Choices]), agent.Index, call) { After = machine, Effects = effects });
        }
        while (_draws.Advance());
        return branches;
    }
}
