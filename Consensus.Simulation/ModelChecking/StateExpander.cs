using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

public sealed partial class ModelChecker
{
    /// <summary>What one thread needs to visit states.</summary>
    private sealed class StateExpander(ModelChecker explorer)
    {
        private readonly TransitionTable _agents = explorer._agents;
        private readonly AgentState[] _now = new AgentState[explorer._bounds.Agents];
        private readonly AgentState[] _after = new AgentState[explorer._bounds.Agents];
        private readonly TerminationCheck.FaultFreeWalk _walker = new(explorer._continuation);
        private readonly PartialOrderReduction _reduction = new(explorer._bounds, explorer._agents);
        private readonly List<AgentState>[] _invisible = [.. Enumerable.Range(0, explorer._bounds.Agents).Select(_ => new List<AgentState>())];
        private readonly List<AgentState> _visible = [];
        private readonly TerminationStartStates.Starter _starter = new(explorer._terminationStartStates, new(explorer._continuation), explorer._bounds.Agents);
        private long _from;

        public List<(ulong Key, uint Parent)> Found { get; } = [];

        public long Transitions { get; private set; }

        public long OrbitStates { get; private set; }

        /// <summary>Looks at the first state, which no step leads to.</summary>
        public void Begin()
        {
            explorer._key.Unpack(0, _agents, _now);
            if (explorer._bounds.Rule == Rule.Ratified && _walker.FindViolationFrom(_now) is { } complaint)
            {
                explorer.Report(0, 0, PropertyNames.Termination, complaint);
            }
        }

        public void Expand(long index)
        {
            _from = index;
            explorer._key.Unpack(explorer._log.Key(index), _agents, _now);
            if (!explorer._reduced)
            {
                foreach (var move in ActionEnumerator.From(explorer._bounds, _agents, _now))
                {
                    Take(move.Agent, move.Next);
                }

                return;
            }

            for (var agent = 0; agent < _now.Length; agent++)
            {
                _reduction.Find(_now, agent, _invisible[agent], _visible);
                foreach (var next in _visible)
                {
                    Take(agent, next);
                }
            }

            CheckInvisibleSteps();
        }

        private void CheckInvisibleSteps()
        {
            if (explorer._bounds.Durable && Array.Exists(_invisible, states => states.Exists(state => state.HasForgotten)))
            {
                explorer.Report(_from, 0, PropertyNames.Durability);
            }

            if (explorer._bounds.Rule == Rule.Ratified && _starter.ComplaintFrom(_invisible) is { } complaint)
            {
                explorer.Report(_from, 0, PropertyNames.Termination, complaint);
            }
        }

        private void Take(int agent, AgentState next)
        {
            Transitions++;
            if (explorer._reduced)
            {
                _reduction.Apply(_now, agent, next, _after);
            }
            else
            {
                ActionEnumerator.Apply(_agents, _now, agent, next, _after);
            }

            var key = explorer._symmetry.Canonical(explorer._key, _after, out var twins);
            if (!explorer._seen.Add(key))
            {
                return;
            }

            Found.Add((key, (uint)_from));
            OrbitStates += twins;
            if (BrokenBy(agent, next) is { } property)
            {
                explorer.Report(_from, key, property);
            }
            else if (!explorer._reduced && explorer._bounds.Rule == Rule.Ratified && _walker.FindViolationFrom(_after) is { } complaint)
            {
                explorer.Report(_from, key, PropertyNames.Termination, complaint);
            }
        }

        private string? BrokenBy(int agent, AgentState next)
        {
            if (explorer._bounds.Durable && next.HasForgotten)
            {
                return PropertyNames.Durability;
            }

            var (before, said) = (_now[agent].Sent, next.Sent);
            if (ReferenceEquals(before, said))
            {
                return null;
            }

            if (said.Broken is { } broken)
            {
                return broken;
            }

            foreach (var decision in said.Decisions)
            {
                if (Array.IndexOf(before.Decisions, decision) >= 0)
                {
                    continue;
                }

                // What somebody had decided before was valid then, and its draw may be forgotten since.
                var valid = Array.IndexOf(said.Draws, decision) >= 0;
                for (var other = 0; other < _now.Length; other++)
                {
                    if (other == agent)
                    {
                        continue;
                    }

                    var theirs = _now[other].Sent;
                    valid |= Array.IndexOf(theirs.Draws, decision) >= 0 || Array.IndexOf(theirs.Decisions, decision) >= 0;
                    foreach (var decided in theirs.Decisions)
                    {
                        if (decided >> 8 == decision >> 8 && decided != decision)
                        {
                            return PropertyNames.Agreement;
                        }
                    }
                }

                if (!valid)
                {
                    return PropertyNames.Validity;
                }
            }

            return null;
        }
    }
}
