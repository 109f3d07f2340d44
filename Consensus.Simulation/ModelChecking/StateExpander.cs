using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

public sealed partial class ModelChecker
{
    /// <summary>Visits states on one thread.</summary>
    private sealed class StateExpander(ModelChecker checker)
    {
        private readonly TransitionTable _agents = checker._agents;
        private readonly AgentState[] _now = new AgentState[checker._bounds.Agents];
        private readonly AgentState[] _after = new AgentState[checker._bounds.Agents];
        private readonly TerminationCheck.FaultFreeWalk _walk = new(checker._termination);
        private readonly PartialOrderReduction _reduction = new(checker._bounds, checker._agents);
        private readonly List<AgentState>[] _invisible =
            [.. Enumerable.Range(0, checker._bounds.Agents).Select(_ => new List<AgentState>())];
        private readonly List<AgentState> _visible = [];
        private readonly TerminationStartStates.Starter _starter = new(
            checker._terminationStartStates, new(checker._termination), checker._bounds.Agents);
        private long _from;

        public List<(ulong Key, uint Parent)> Found { get; } = [];

        public long Transitions { get; private set; }

        public long OrbitStates { get; private set; }

        /// <summary>Checks the first state, which no step leads to.</summary>
        public void Begin()
        {
            checker._key.Unpack(0, _agents, _now);
            if (checker._bounds.Rule == Rule.Ratified && _walk.FindViolationFrom(_now) is { } violation)
            {
                checker.Report(0, 0, PropertyNames.Termination, violation);
            }
        }

        public void Expand(long index)
        {
            _from = index;
            checker._key.Unpack(checker._log.Key(index), _agents, _now);
            if (!checker._reduced)
            {
                foreach (var move in TransitionEnumerator.From(checker._bounds, _agents, _now))
                {
                    Take(move.Agent, move.Next, move.FindRefused(_now));
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

                if (_reduction.Refused is { } refused)
                {
                    checker.Report(_from, 0, PropertyNames.Refinement, ReasonOf(refused));
                }
            }

            CheckInvisibleSteps();
        }

        private void CheckInvisibleSteps()
        {
            if (checker._bounds.Durable && Array.Exists(_invisible, states => states.Exists(state => state.HasForgotten)))
            {
                checker.Report(_from, 0, PropertyNames.Durability);
            }

            if (checker._bounds.Rule == Rule.Ratified && _starter.FindViolationFrom(_invisible) is { } violation)
            {
                checker.Report(_from, 0, PropertyNames.Termination, violation);
            }
        }

        private static string ReasonOf(GuardedStep refused) =>
            $"\"{EventFormatter.Of(refused.Event)}\" "
            + $"is {(refused.Step is { } step ? $"the model's {step}, whose guard does not hold" : "no step of the model")}";

        private void Take(int agent, AgentState next, GuardedStep? refused = null)
        {
            Transitions++;
            if (checker._reduced)
            {
                _reduction.Apply(_now, agent, next, _after);
            }
            else
            {
                TransitionEnumerator.Apply(_agents, _now, agent, next, _after);
            }

            var key = checker._symmetry.Canonical(checker._key, _after, out var orbitSize);
            if (refused is not null)
            {
                checker.Report(_from, key, PropertyNames.Refinement, ReasonOf(refused));
            }

            if (!checker._seen.Add(key))
            {
                return;
            }

            Found.Add((key, (uint)_from));
            OrbitStates += orbitSize;
            if (BrokenBy(agent, next) is { } property)
            {
                checker.Report(_from, key, property);
            }
            else if (!checker._reduced && checker._bounds.Rule == Rule.Ratified && _walk.FindViolationFrom(_after) is { } violation)
            {
                checker.Report(_from, key, PropertyNames.Termination, violation);
            }
        }

        private string? BrokenBy(int agent, AgentState next)
        {
            if (checker._bounds.Durable && next.HasForgotten)
            {
                return PropertyNames.Durability;
            }

            var (before, sent) = (_now[agent].Sent, next.Sent);
            if (ReferenceEquals(before, sent))
            {
                return null;
            }

            if (sent.Broken is { } broken)
            {
                return broken;
            }

            foreach (var decision in sent.Decisions)
            {
                if (Array.IndexOf(before.Decisions, decision) >= 0)
                {
                    continue;
                }

                // A value that another agent decided before was valid then. Its draw may have been dropped since.
                var valid = Array.IndexOf(sent.Draws, decision) >= 0;
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
