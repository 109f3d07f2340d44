using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// Every state one agent was ever seen in, each once, and what every input makes of it: so the core takes each distinct
/// step once, however many global states it belongs to. Reading is free of locks; what is not known yet is worked out
/// under one.
/// </summary>
internal sealed partial class TransitionTable
{
    public const int Window = 0;
    public const int StartTimer = 1;
    public const int Start = 2;
    public const int Reset = 3;
    public const int CrashUp = 4;
    public const int CrashDown = 5;
    public const int Poll = 6;
    public const int Actions = 7;

    /// <summary>+ agent: drops the answers to a handshake of that agent, which nobody will read any more.</summary>
    public const int Forget = 8;
    public const int FirstMessage = 16;

    /// <summary>- number of a run: drops what was proposed and voted in it, for nobody may take part in it any more.</summary>
    public const int ForgetRun = -1;

    private const char FirstBoot = '5';

    private readonly ModelCheckerOptions _bounds;
    private readonly StateMachineFactory _make;
    private readonly AgentState[][] _states;
    private readonly int[] _counts;
    private readonly Dictionary<string, LocalState> _locals = new(StringComparer.Ordinal);
    private readonly Dictionary<(LocalState, SentMessages, FaultBudget), AgentState>[] _index;
    private readonly Dictionary<string, SentMessages> _sent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeliverableMessages> _deliverable = new(StringComparer.Ordinal);
    private readonly int _most;

    /// <param name="bounds">How far to look.</param>
    /// <param name="make">The core, or a broken version of it.</param>
    /// <param name="most">How many states one agent may have.</param>
    public TransitionTable(ModelCheckerOptions bounds, StateMachineFactory make, int most)
    {
        (_bounds, _make, _most, Messages) = (bounds, make, most, new MessageCatalog(FirstMessage, bounds));
        _states = [.. Enumerable.Range(0, bounds.Agents).Select(_ => new AgentState[64])];
        _index = [.. _states.Select(_ => new Dictionary<(LocalState, SentMessages, FaultBudget), AgentState>())];
        _counts = new int[bounds.Agents];
        for (var agent = 0; agent < bounds.Agents; agent++)
        {
            Intern(agent, LocalOf(First(agent), MayStart(agent, default)), Union(null, []), default);
        }
    }

    /// <summary>Held by whoever steps a machine: they share one source of draws.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The draws of all machines.</summary>
    public ChoiceEnumerator Random { get; } = new();

    public MessageCatalog Messages { get; }

    /// <summary>What was exercised: <see cref="ProtocolEventKind"/> and round.</summary>
    public HashSet<(ProtocolEventKind Kind, int Round)> Exercised { get; } = [];

    /// <summary>Whether some start ended because the agents count different numbers of agents.</summary>
    public bool RefusedAStart { get; private set; }

    public int Count => _counts.Sum();

    public int Locals => _locals.Count;

    public AgentState this[int agent, int index] => Volatile.Read(ref _states[agent])[index];

    /// <summary>True for the agents that may be told to start, as long as they have not been often enough.</summary>
    private bool MayStart(int agent, FaultBudget spent) => agent < _bounds.Initiators && spent.Starts < _bounds.Starts;

    /// <summary>Indices of the states an input may lead to; empty for none.</summary>
    public int Successors(AgentState state, int code)
    {
        lock (Gate)
        {
            var found = state.Find(code);
            return found != AgentState.Unknown ? found : state.Add(code, [.. Compute(state, code).Select(next => next.Index).Distinct()]);
        }
    }

    /// <summary>The outcome that leads from one state to another, for diagrams.</summary>
    public Outcome? OutcomeOf(AgentState state, int code, int next)
    {
        lock (Gate)
        {
            return OutcomesOf(state, code).FirstOrDefault(outcome => After(state, code, outcome).Index == next);
        }
    }

    /// <summary>
    /// The state with other names: what the renamed input makes of the renamed state it came from. Draws are among what is
    /// said, so they tell which outcome is the twin.
    /// </summary>
    /// <exception cref="InvalidOperationException">The step has no renamed twin: the rule minds names.</exception>
    public AgentState ImageOf(AgentState state, Permutation renaming, Func<AgentState, AgentState> imageOf)
    {
        if (state.Origin is not { } origin)
        {
            return this[renaming.Agents[state.Agent], 0];
        }

        var image = imageOf(origin.State);
        lock (Gate)
        {
            var code = Messages.Rename(origin.Code, renaming);
            if (code is >= Forget and < FirstMessage or <= ForgetRun)
            {
                return Compute(image, code).Single();
            }

            var said = origin.Sent.Select(fact => Messages.Rename(fact, renaming)).Order().ToArray();
            var twins = OutcomesOf(image, code).Where(outcome => outcome.Sent.AsSpan().SequenceEqual(said)).ToList();
            return twins.Count == 1 ? After(image, code, twins[0])
                : throw new InvalidOperationException($"'{Messages.Describe(origin.Code)}' has {twins.Count} renamed twins; explore without symmetry.");
        }
    }

    private IEnumerable<AgentState> Compute(AgentState state, int code)
    {
        if (code is >= Forget and < FirstMessage or <= ForgetRun)
        {
            int[] kept = [.. state.Sent.Codes.Where(said => !IsStale(Messages[said], code))];
            return [kept.Length == state.Sent.Codes.Length ? state : Intern(state.Agent, state.Local, Union(null, kept), state.FaultBudget, new(state, code, []))];
        }

        // The order of its boots counts where one agent names two runs.
        if ((code == Start && !MayStart(state.Agent, state.FaultBudget))
            || (code == CrashDown && !(MayStart(state.Agent, state.FaultBudget) && state.FaultBudget.Starts > 0)))
        {
            return [];
        }

        var outcomes = OutcomesOf(state, code);
        if (outcomes.All(outcome => outcome.Next == state.Local && outcome.Sent.All(said => state.Local.Standing.Contains(said))) && code is not (CrashUp or CrashDown))
        {
            state.Local.Ignore(code);
            return [];
        }

        return outcomes.Select(outcome => After(state, code, outcome));
    }

    private AgentState After(AgentState state, int code, Outcome outcome) =>
        Intern(state.Agent, outcome.Next, Union(state.Sent, outcome.Sent), BudgetUsedBy(state.FaultBudget, code), new(state, code, outcome.Sent));

    private static FaultBudget BudgetUsedBy(FaultBudget before, int code) => code switch
    {
        Start => before with { Starts = (byte)(before.Starts + 1) },
        Reset => before with { Resets = (byte)(before.Resets + 1) },
        CrashUp or CrashDown => before with { Crashes = (byte)(before.Crashes + 1) },
        _ => before,
    };

    private Outcome[] OutcomesOf(AgentState state, int code)
    {
        var mayStart = MayStart(state.Agent, BudgetUsedBy(state.FaultBudget, code));
        // Told to start for the last time, a machine is the same and what it knows of its peers counts less.
        var key = (code << 1) | (mayStart ? 1 : 0);
        if (!state.Local.Outcomes.TryGetValue(key, out var outcomes))
        {
            state.Local.Outcomes.Add(key, outcomes = [.. Play(state, code, mayStart)]);
            foreach (var protocolEvent in outcomes.SelectMany(outcome => outcome.Events))
            {
                Exercised.Add((protocolEvent.Kind, protocolEvent.Round));
            }
        }

        return outcomes;
    }

    private List<Outcome> Play(AgentState state, int code, bool mayStart)
    {
        var outcomes = new List<Outcome>();
        var agent = state.Agent;
        Input? input = code switch
        {
            Window => new TimerFired(Protocol.Timer.Window),
            StartTimer => new TimerFired(Protocol.Timer.Start),
            Reset => new MessageReceived(new Reset()),
            Poll => new TimerFired(Protocol.Timer.Poll),
            CrashUp or CrashDown => new Started(),
            Start => state.Local.Shaking ? null : new StartRun(1, new RunRequest(Rule: _bounds.Rule, Values: _bounds.Values, Draw: _bounds.Draw)),
            _ => Messages.InputFor(code, agent),
        };
        if (input is null)
        {
            return outcomes;
        }

        Random.Begin();
        do
        {
            var machine = code is CrashUp or CrashDown ? Restart(state.Local.Machine, code == CrashUp ? 1 : -1) : state.Local.Machine.Clone();
            var effects = machine.Step(input).ToList();
            RefusedAStart |= effects.Exists(effect => effect is StartEnded { Outcome: ClusterSizeMismatch });
            if (machine.CurrentRound > _bounds.Rounds)
            {
                continue;
            }

            if (code >= FirstMessage && Messages[code] is { Kind: CatalogMessageKind.Handshake } handshake
                && effects.OfType<Reply>().Single().Response is var answer)
            {
                effects.Add(new Introduction(handshake.Sender, answer));
            }

            var next = LocalOf(machine, mayStart, effects);
            var said = MessagesOf(agent, machine, effects);
            // Different draws may come to the same.
            if (!outcomes.Exists(outcome => outcome.Next == next && outcome.Sent.AsSpan().SequenceEqual(said)))
            {
                outcomes.Add(new Outcome(next, said, [.. effects.OfType<ProtocolEvent>()]));
            }
        }
        while (Random.Advance());
        return outcomes;
    }

    private AgentState Intern(int agent, LocalState local, SentMessages said, FaultBudget spent, Origin? origin = null)
    {
        if (_index[agent].TryGetValue((local, said, spent), out var state))
        {
            return state;
        }

        var index = _counts[agent];
        if (index >= _most)
        {
            throw new BoundsTooLargeException($"One agent has more than {_most} states within these bounds; choose fewer agents, rounds, starts or faults.");
        }

        state = new AgentState(agent, index, local, said, spent, origin, [.. Enumerable.Range(0, _bounds.Agents).Select(receiver => MessagesTo(receiver, local, said))])
        {
            Runs = [.. said.Codes.Select(code => Messages[code]).Where(OfTakingPart).Select(fact => fact.Run).Distinct()],
            HasForgotten = local.Machine is { CurrentRun: { } run, CurrentDecision: null } && Messages.NumberOf(Messages.CodeOf(run)) is var number && said.Decisions.Any(decision => decision >> 8 == number),
        };
        _index[agent].Add((local, said, spent), state);
        var states = _states[agent];
        if (index == states.Length)
        {
            Array.Resize(ref states, index * 2);
        }

        states[index] = state;
        Volatile.Write(ref _states[agent], states);
        _counts[agent]++;
        return state;
    }
}

/// <summary>The bounds need more memory than a state's key has room for.</summary>
public sealed class BoundsTooLargeException(string message) : Exception(message);
