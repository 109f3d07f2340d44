using Consensus.Protocol;

namespace Consensus.Simulation.Exploring;

public sealed partial class Explorer
{
    /// <summary>What one thread needs to visit states.</summary>
    private sealed class Visitor(Explorer explorer)
    {
        private readonly AgentStates _agents = explorer._agents;
        private readonly AgentState[] _now = new AgentState[explorer._bounds.Agents];
        private readonly AgentState[] _after = new AgentState[explorer._bounds.Agents];
        private readonly Continuation.Walker _walker = new(explorer._continuation);
        private readonly Turns _turns = new(explorer._bounds, explorer._agents);
        private readonly List<AgentState>[] _quiet = [.. Enumerable.Range(0, explorer._bounds.Agents).Select(_ => new List<AgentState>())];
        private readonly List<AgentState> _loud = [];
        private readonly Standpoints.Starter _starter = new(explorer._standpoints, new(explorer._continuation), explorer._bounds.Agents);
        private long _from;

        public List<(ulong Key, uint Parent)> Found { get; } = [];

        public long Transitions { get; private set; }

        public long Twins { get; private set; }

        /// <summary>Looks at the first state, which no step leads to.</summary>
        public void Begin()
        {
            explorer._key.Unpack(0, _agents, _now);
            if (explorer._bounds.Rule == Rule.Ratified && _walker.ComplaintFrom(_now) is { } complaint)
            {
                explorer.Report(0, 0, Properties.Termination, complaint);
            }
        }

        public void Expand(long index)
        {
            _from = index;
            explorer._key.Unpack(explorer._log.Key(index), _agents, _now);
            if (!explorer._byTurns)
            {
                foreach (var move in Moves.From(explorer._bounds, _agents, _now))
                {
                    Take(move.Agent, move.Next);
                }

                return;
            }

            for (var agent = 0; agent < _now.Length; agent++)
            {
                _turns.Find(_now, agent, _quiet[agent], _loud);
                foreach (var next in _loud)
                {
                    Take(agent, next);
                }
            }

            CheckQuietSteps();
        }

        private void CheckQuietSteps()
        {
            if (explorer._bounds.Durable && Array.Exists(_quiet, states => states.Exists(state => state.Forgot)))
            {
                explorer.Report(_from, 0, Properties.Durability);
            }

            if (explorer._bounds.Rule == Rule.Ratified && _starter.ComplaintFrom(_quiet) is { } complaint)
            {
                explorer.Report(_from, 0, Properties.Termination, complaint);
            }
        }

        private void Take(int agent, AgentState next)
        {
            Transitions++;
            if (explorer._byTurns)
            {
                _turns.Apply(_now, agent, next, _after);
            }
            else
            {
                Moves.Apply(_agents, _now, agent, next, _after);
            }

            var key = explorer._symmetry.Canonical(explorer._key, _after, out var twins);
            if (!explorer._seen.Add(key))
            {
                return;
            }

            Found.Add((key, (uint)_from));
            Twins += twins;
            if (BrokenBy(agent, next) is { } property)
            {
                explorer.Report(_from, key, property);
            }
            else if (!explorer._byTurns && explorer._bounds.Rule == Rule.Ratified && _walker.ComplaintFrom(_after) is { } complaint)
            {
                explorer.Report(_from, key, Properties.Termination, complaint);
            }
        }

        private string? BrokenBy(int agent, AgentState next)
        {
            if (explorer._bounds.Durable && next.Forgot)
            {
                return Properties.Durability;
            }

            var (before, said) = (_now[agent].Said, next.Said);
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

                    var theirs = _now[other].Said;
                    valid |= Array.IndexOf(theirs.Draws, decision) >= 0 || Array.IndexOf(theirs.Decisions, decision) >= 0;
                    foreach (var decided in theirs.Decisions)
                    {
                        if (decided >> 8 == decision >> 8 && decided != decision)
                        {
                            return Properties.Agreement;
                        }
                    }
                }

                if (!valid)
                {
                    return Properties.Validity;
                }
            }

            return null;
        }
    }
}
