using Consensus.Protocol;
using Consensus.Simulation.ModelChecking;

namespace Consensus.Simulation.Exploration;

/// <summary>
/// What can still happen in the newest run of a cluster, if no agent crashes, is reset or is asked for another run. Messages arrive at any
/// time, in any order, any number of times or never, and windows end at will. A silent agent is among these futures, so a crash of an
/// agent with sound rules would add no decision. The model checker's table takes the steps.
/// </summary>
/// <param name="Values">The values that some agent holds or can still decide, in order.</param>
/// <param name="Disagreement">Whether two agents can hold different decisions.</param>
/// <param name="CrashesToStall">The run cannot stall before so many more agents have crashed; null: it cannot stall at all.</param>
/// <param name="States">How many states were visited.</param>
/// <param name="LastRound">No agent enters a round after this one.</param>
/// <param name="IsComplete">Whether every state within these bounds was visited. Else more may be possible than is said.</param>
/// <param name="AllValues">Whether every value of the run is among <paramref name="Values"/>.</param>
public sealed record Possibilities(
    IReadOnlyList<int> Values, bool Disagreement, int? CrashesToStall, int States, int LastRound, bool IsComplete, bool AllValues)
{
    /// <summary>How many states one search visits at most: less than 0.3 s of a core.</summary>
    public const int MaxStates = 10_000;

    // An agent that draws in the next round can keep all others from adopting there. In the round after it all can draw any value.
    private const int MoreRounds = 2;

    /// <summary>
    /// Visits what can follow, breadth first, until all is known. A further round is tried only where a value is missing.
    /// </summary>
    /// <param name="cluster">The cluster now.</param>
    /// <param name="maxStates">How many states to visit at most.</param>
    /// <returns>Null where no agent knows a run.</returns>
    public static Possibilities? Of(ExploredCluster cluster, int maxStates = MaxStates)
    {
        Possibilities? found = null;
        for (var rounds = 1; rounds <= MoreRounds && found is not { IsComplete: false } and not { AllValues: true }; rounds++)
        {
            found = Search.From(cluster, rounds)?.Run(int.MaxValue, maxStates);
        }

        return found;
    }

    /// <summary>
    /// Finds the step from which on only one value was possible. What is possible only shrinks along a run, so the step is found by
    /// bisection among those since the newest run began.
    /// </summary>
    /// <param name="options">What is explored.</param>
    /// <param name="path">The path.</param>
    /// <returns>
    /// The number of steps, those of the recorded run included, and the value; null: several are possible at the end, or it is not known.
    /// </returns>
    public static (int Steps, int Value)? OnlyValueSince(ExplorationOptions options, IReadOnlyList<ExplorationStep> path)
    {
        var end = ExploredCluster.TimesOf(options, path).Count;
        if (OnlyValue(end) is not { } last)
        {
            return null;
        }

        var from = 0;
        while (from < end)
        {
            var middle = (from + end) / 2;
            (from, end) = OnlyValue(middle) == last ? (from, middle) : (middle + 1, end);
        }

        return (end, last.Value);

        (RunId Run, int Value)? OnlyValue(int steps)
        {
            var search = Search.From(ExploredCluster.After(options, path, steps), MoreRounds);
            return search?.Run(2, MaxStates) is { IsComplete: true, Values: [var value] } ? (search.Id, value) : null;
        }
    }

    private sealed class Search
    {
        private readonly ExploredCluster _cluster;
        private readonly RunDescriptor _descriptor;
        private readonly ModelCheckerOptions _bounds;
        private readonly PackedState _key;
        private readonly TransitionTable _agents;
        private readonly PartialOrderReduction _reduction;
        private readonly SortedSet<int> _values = [];
        private readonly VisitedSet _seen = new();
        private readonly Queue<ulong> _queue = new();
        private readonly AgentState[] _now;
        private readonly int _run;
        private bool _disagreement;
        private int _states;
        private int _maxStates;
        private bool _isFull;

        private Search(ExploredCluster cluster, RunDescriptor run, int lastRound)
        {
            (_cluster, _descriptor) = (cluster, run);
            _bounds = new(cluster.Agents.Count, run.Values, lastRound, Crashes: 0, Resets: 0, Initiators: 0, Rule: run.Rule, Draw: run.Draw)
            {
                Peers = new(cluster.Agents.Select(agent => agent.Id), cluster.Agents.Select(agent => agent.Peers)),
            };
            _key = new(_bounds.Agents);
            _agents = new(_bounds, cluster.Make, _key.MaxStates, refinement: false);
            _reduction = new(_bounds, _agents);
            _now = _agents.StatesOf(cluster.Agents, cluster.Calls, cluster.IsDurable);
            _run = _agents.Messages.NumberOf(_agents.Messages.CodeOf(run));
        }

        public RunId Id => _descriptor.Id;

        /// <summary>A search of the newest run; null: no agent knows a run.</summary>
        public static Search? From(ExploredCluster cluster, int moreRounds)
        {
            if (cluster.NewestRun is not { } run)
            {
                return null;
            }

            var rounds = cluster.Agents.Select(agent => agent.Machine).OfType<AgentStateMachine>()
                .Select(machine => machine.CurrentRun?.Id == run.Id ? machine.CurrentRound : run.StartRound);
            return new(cluster, run, rounds.Max() + moreRounds);
        }

        /// <param name="enough">How many values end the search; with all of them it goes on to a disagreement.</param>
        /// <param name="maxStates">How many states to visit at most.</param>
        public Possibilities Run(int enough, int maxStates)
        {
            var after = new AgentState[_now.Length];
            var (invisible, visible) = (new List<AgentState>(), new List<AgentState>());
            _maxStates = maxStates;
            Visit(_now);
            try
            {
                while (!_isFull && _values.Count < enough && !(_disagreement && _values.Count == _bounds.Values)
                    && _queue.TryDequeue(out var key))
                {
                    _key.Unpack(key, _agents, _now);
                    for (var agent = 0; agent < _now.Length; agent++)
                    {
                        _reduction.Find(_now, agent, invisible, visible);
                        foreach (var next in visible)
                        {
                            _reduction.Apply(_now, agent, next, after);
                            Visit(after);
                        }
                    }
                }
            }
            catch (BoundsTooLargeException)
            {
                _isFull = true;
            }

            return new([.. _values], _disagreement, CrashesToStall(), _states, _bounds.Rounds, !_isFull, _values.Count == _bounds.Values);
        }

        private void Visit(AgentState[] state)
        {
            var key = _key.Pack(state);
            if (_isFull || !_seen.Add(key))
            {
                return;
            }

            if (_states == _maxStates)
            {
                _isFull = true;
                return;
            }

            _states++;
            _queue.Enqueue(key);
            var first = 0;
            foreach (var agent in state)
            {
                foreach (var decision in agent.Sent.Decisions)
                {
                    if (decision >> 8 == _run)
                    {
                        var value = decision & 0xff;
                        _values.Add(value);
                        _disagreement |= first != 0 && first != value;
                        first = value;
                    }
                }
            }
        }

        // A run stalls when too few members for a quorum can go on, and no agent holds a decision.
        private int? CrashesToStall()
        {
            var machines = _cluster.Agents.Select(agent => agent.Machine).OfType<AgentStateMachine>().ToList();
            var decided = _cluster.Decisions.Count();
            var able = machines.Count(machine => _descriptor.N == machine.ClusterSize
                && _descriptor.Members.GetValueOrDefault(machine.Id) == machine.Boot
                && (machine.CurrentRun?.Id == _descriptor.Id || _descriptor.Id > machine.HighestSeenRun));
            return decided > 0 && _cluster.IsDurable ? null : Math.Max(decided, able - Quorum.Of(_descriptor.N) + 1);
        }
    }
}
