using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// Every state of each single agent, once, with its successors by input. So the core takes each distinct step once, however
/// many global states the step is part of. Reading takes no lock. A successor that is not known yet is computed under one.
/// </summary>
internal sealed partial class TransitionTable
{
    public const char FirstBoot = '5';

    private readonly ModelCheckerOptions _bounds;
    private readonly StateMachineFactory _make;
    private readonly AgentState[][] _states;
    private readonly int[] _counts;
    private readonly Dictionary<string, LocalState> _locals = new(StringComparer.Ordinal);
    private readonly Dictionary<(LocalState, SentMessages, FaultBudget), AgentState>[] _index;
    private readonly Dictionary<string, SentMessages> _sent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeliverableMessages> _deliverable = new(StringComparer.Ordinal);
    private readonly int _maxStates;
    private readonly bool _refinement;

    /// <param name="bounds">The bounds.</param>
    /// <param name="make">Makes a machine: the core or a mutant.</param>
    /// <param name="maxStates">How many states one agent may have.</param>
    /// <param name="refinement">Whether to find the steps of the proof's model that transitions take.</param>
    public TransitionTable(ModelCheckerOptions bounds, StateMachineFactory make, int maxStates, bool refinement)
    {
        _refinement = refinement;
        (_bounds, _make, _maxStates, Messages) = (bounds, make, maxStates, new MessageCatalog(TransitionCode.FirstMessage, bounds));
        _states = [.. Enumerable.Range(0, bounds.Agents).Select(_ => new AgentState[64])];
        _index = [.. _states.Select(_ => new Dictionary<(LocalState, SentMessages, FaultBudget), AgentState>())];
        _counts = new int[bounds.Agents];
        for (var agent = 0; agent < bounds.Agents; agent++)
        {
            Intern(agent, LocalOf(FirstMachine(agent), MayStart(agent, default)), Union(null, []), default);
        }
    }

    /// <summary>Held while a machine takes a step, because all machines share one source of draws.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The draws of all machines.</summary>
    public ChoiceEnumerator Random { get; } = new();

    public MessageCatalog Messages { get; }

    /// <summary>The events that were reached, by kind and round.</summary>
    public HashSet<(ProtocolEventKind Kind, int Round)> Exercised { get; } = [];

    /// <summary>Whether some start ended because agents count different numbers of agents.</summary>
    public bool RefusedAStart { get; private set; }

    public int Count => _counts.Sum();

    public int Locals => _locals.Count;

    /// <summary>Every machine that was reached.</summary>
    public IEnumerable<AgentStateMachine> Machines => _locals.Values.Select(local => local.Machine);

    /// <summary>Every message that a relay sent with copies of others, by its text.</summary>
    public Dictionary<string, Message> Composed { get; } = new(StringComparer.Ordinal);

    public AgentState this[int agent, int index] => Volatile.Read(ref _states[agent])[index];

    /// <summary>Whether an agent may start another run within the bounds.</summary>
    private bool MayStart(int agent, FaultBudget used) => agent < _bounds.Initiators && used.Starts < _bounds.Starts;

    /// <summary>
    /// Finds the states that an input leads to: an index, or the complement of an index of <see cref="AgentState.Branch"/>.
    /// </summary>
    public int Successors(AgentState state, TransitionCode code)
    {
        lock (Gate)
        {
            var found = state.Find(code);
            return found != AgentState.Unknown ? found : state.Add(code, [.. Compute(state, code).Select(next => next.Index).Distinct()]);
        }
    }

    /// <summary>The outcome that leads from one state to another, for diagrams.</summary>
    public Outcome? OutcomeOf(AgentState state, TransitionCode code, int next)
    {
        lock (Gate)
        {
            return OutcomesOf(state, code).FirstOrDefault(outcome => After(state, code, outcome).Index == next);
        }
    }

    /// <summary>
    /// The permuted state: the successor of the permuted predecessor under the permuted input. The permuted messages
    /// and draws identify the outcome.
    /// </summary>
    /// <exception cref="InvalidOperationException">The step has no permuted counterpart: the rule depends on names.</exception>
    public AgentState ImageOf(AgentState state, Permutation permutation, Func<AgentState, AgentState> imageOf)
    {
        if (state.Origin is not { } origin)
        {
            return this[permutation.Agents[state.Agent], 0];
        }

        var image = imageOf(origin.State);
        lock (Gate)
        {
            var code = Messages.Rename(origin.Code, permutation);
            if (code.IsDrop)
            {
                return Compute(image, code).Single();
            }

            var sent = origin.Sent.Select(message => Messages.Rename(message, permutation)).Order().ToArray();
            var images = OutcomesOf(image, code).Where(outcome => outcome.Sent.AsSpan().SequenceEqual(sent)).ToList();
            return images.Count == 1 ? After(image, code, images[0])
                : throw new InvalidOperationException(
                    $"'{Messages.Describe(origin.Code)}' has {images.Count} permuted counterparts. Check without symmetry reduction.");
        }
    }

    private IEnumerable<AgentState> Compute(AgentState state, TransitionCode code)
    {
        if (code.IsDrop)
        {
            int[] remaining = [.. state.Sent.Codes.Where(sent => !IsStale(Messages[sent], code))];
            return [remaining.Length == state.Sent.Codes.Length
                ? state : Intern(state.Agent, state.Local, Union(null, remaining), state.FaultBudget, new(state, code, []))];
        }

        // The order of an agent's boots matters only where the agent names two runs.
        var mayStart = MayStart(state.Agent, state.FaultBudget);
        if ((code.Kind == TransitionKind.Start && !mayStart) || (code.LowersBoot && !(mayStart && state.FaultBudget.Starts > 0))
            || (code.IsLosing && !MayLose(state.Local.Machine)))
        {
            return [];
        }

        var outcomes = OutcomesOf(state, code);
        if (!code.IsCrash && outcomes.All(
            outcome => outcome.Next == state.Local && outcome.Sent.All(sent => state.Local.RepeatedMessages.Contains(sent))))
        {
            state.Local.Ignore(code);
            return [];
        }

        return outcomes.Select(outcome =>
        {
            var next = After(state, code, outcome);
            if (_refinement)
            {
                state.AddSteps(code, next.Index, [.. StepsOf(state, outcome)]);
            }

            return next;
        });
    }

    private AgentState After(AgentState state, TransitionCode code, Outcome outcome) =>
        Intern(state.Agent, outcome.Next, Union(state.Sent, outcome.Sent),
            BudgetUsedBy(state.FaultBudget, code), new(state, code, outcome.Sent));

    private static FaultBudget BudgetUsedBy(FaultBudget before, TransitionCode code) => code.Kind switch
    {
        TransitionKind.Start => before with { Starts = (byte)(before.Starts + 1) },
        TransitionKind.Reset => before with { Resets = (byte)(before.Resets + 1) },
        _ when code.IsCrash => before with { Crashes = (byte)(before.Crashes + 1) },
        _ => before,
    };

    private Outcome[] OutcomesOf(AgentState state, TransitionCode code)
    {
        var mayStart = MayStart(state.Agent, BudgetUsedBy(state.FaultBudget, code));
        // After an agent's last start, its machine's knowledge of its peers matters less.
        var key = (code.Number << 1) | (mayStart ? 1 : 0);
        if (!state.Local.Outcomes.TryGetValue(key, out var outcomes))
        {
            state.Local.Outcomes.Add(key, outcomes = [.. Take(state, code, mayStart)]);
            foreach (var protocolEvent in outcomes.SelectMany(outcome => outcome.Events))
            {
                Exercised.Add((protocolEvent.Kind, protocolEvent.Round));
            }
        }

        return outcomes;
    }

    private List<Outcome> Take(AgentState state, TransitionCode code, bool mayStart)
    {
        var outcomes = new List<Outcome>();
        var agent = state.Agent;
        if (InputOf(state, code) is not { } input)
        {
            return outcomes;
        }

        Random.Begin();
        do
        {
            var machine = MachineBefore(state, code);
            var effects = machine.Step(input).ToList();
            RefusedAStart |= effects.Exists(effect => effect is StartEnded { Outcome: ClusterSizeMismatch });
            if (machine.CurrentRound > _bounds.Rounds)
            {
                continue;
            }

            if (code.Kind == TransitionKind.Deliver && Messages[code.Message] is { Kind: CatalogMessageKind.Handshake } handshake
                && effects.OfType<Reply>().Single().Response is var response)
            {
                effects.Add(new Introduction(handshake.Sender, response));
            }

            foreach (var send in effects.OfType<Send>().Where(send => send.Message.Relayed is not null))
            {
                Composed.TryAdd($"{send.Message}", send.Message);
            }

            var next = LocalOf(machine, mayStart, effects);
            var sent = MessagesOf(agent, machine, effects, new RelayedCopies(state.Local.Machine, input, machine));
            // Different draws may have the same outcome.
            var same = outcomes.Find(outcome => outcome.Next == next && outcome.Sent.AsSpan().SequenceEqual(sent));
            ProtocolEvent[] events = [.. effects.OfType<ProtocolEvent>()];
            if (same is null)
            {
                outcomes.Add(new Outcome(next, sent, events));
            }
            else if (!same.Events.AsSpan().SequenceEqual(events))
            {
                same.OtherEvents.Add(events);
            }
        }
        while (Random.Advance());
        return outcomes;
    }

    private AgentState Intern(int agent, LocalState local, SentMessages sent, FaultBudget budget, Origin? origin = null)
    {
        if (_index[agent].TryGetValue((local, sent, budget), out var state))
        {
            return state;
        }

        var index = _counts[agent];
        if (index >= _maxStates)
        {
            throw new BoundsTooLargeException(
                $"One agent has more than {_maxStates} states within these bounds; choose fewer agents, rounds, starts or faults.");
        }

        state = new AgentState(agent, index, local, sent, budget, origin,
            [.. Enumerable.Range(0, _bounds.Agents).Select(receiver => MessagesTo(receiver, local, sent))])
        {
            SentByRun = !_refinement ? []
                : origin is not null && ReferenceEquals(origin.State.Sent, sent) ? origin.State.SentByRun
                : SentByRun(agent, sent),
            Runs = [.. sent.Codes.Select(code => Messages[code]).Where(IsOfMember).Select(message => message.Run).Distinct()],
            HasForgotten = local.Machine is { CurrentRun: { } run, CurrentDecision: null }
                && Messages.NumberOf(Messages.CodeOf(run)) is var number && sent.Decisions.Any(decision => decision >> 8 == number),
        };
        _index[agent].Add((local, sent, budget), state);
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

/// <summary>A check has more states than a key or a log can number.</summary>
public sealed class BoundsTooLargeException(string message) : Exception(message);
