using System.Collections.Concurrent;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// Where fault-free walks start with partial-order reduction: from the visited states and from all states that invisible
/// steps lead to from there. Agents take invisible steps independently, so these are all combinations, as far as the
/// allowed crashes and resets suffice.
/// </summary>
internal sealed class TerminationStartStates(ModelCheckerOptions bounds, TerminationCheck termination)
{
    private readonly ConcurrentDictionary<(int Agent, int Before, int Machine), int> _numbers = new();
    private readonly PackedState _key = new(bounds.Agents);
    private readonly VisitedSet _known = new();
    private int _count;

    /// <summary>Starts walks on one thread.</summary>
    public sealed class Starter(TerminationStartStates startStates, TerminationCheck.FaultFreeWalk walk, int agents)
    {
        private readonly AgentState[] _start = new AgentState[agents];

        /// <summary>The violation at the end of some walk, or null.</summary>
        /// <param name="invisible">By agent: the states that invisible steps lead to, its current state first.</param>
        public string? FindViolationFrom(List<AgentState>[] invisible)
        {
            var crashes = startStates.CrashesLeft(invisible);
            var resets = startStates.ResetsLeft(invisible);
            return startStates.Enter(invisible, (crashes << 2) | resets) ? From(0, invisible, crashes, resets) : null;
        }

        private string? From(int agent, List<AgentState>[] invisible, int crashes, int resets)
        {
            if (agent == invisible.Length)
            {
                return walk.FindViolationFrom(_start);
            }

            var used = invisible[agent][0].FaultBudget;
            foreach (var state in invisible[agent])
            {
                var (crashesLeft, resetsLeft) =
                    (crashes - (state.FaultBudget.Crashes - used.Crashes), resets - (state.FaultBudget.Resets - used.Resets));
                if (crashesLeft >= 0 && resetsLeft >= 0)
                {
                    _start[agent] = state;
                    if (From(agent + 1, invisible, crashesLeft, resetsLeft) is { } violation)
                    {
                        return violation;
                    }
                }
            }

            return null;
        }
    }

    private int CrashesLeft(List<AgentState>[] invisible)
    {
        var left = bounds.Crashes;
        foreach (var states in invisible)
        {
            left -= states[0].FaultBudget.Crashes;
        }

        return left;
    }

    private int ResetsLeft(List<AgentState>[] invisible)
    {
        var left = bounds.Resets;
        foreach (var states in invisible)
        {
            left -= states[0].FaultBudget.Resets;
        }

        return left;
    }

    // Many states differ only in sent messages, on which walks do not depend.
    private bool Enter(List<AgentState>[] invisible, int left)
    {
        var key = 0UL;
        for (var agent = 0; agent < invisible.Length; agent++)
        {
            var used = invisible[agent][0].FaultBudget;
            var number = -1 - left;
            foreach (var state in invisible[agent])
            {
                var faults = ((state.FaultBudget.Crashes - used.Crashes) << 2) | (state.FaultBudget.Resets - used.Resets);
                number = _numbers.GetOrAdd(
                    (agent, number, (termination.NumberOf(state) << 4) | faults), _ => Interlocked.Increment(ref _count));
            }

            if (number >= _key.MaxStates)
            {
                throw new BoundsTooLargeException("Walks without faults start from too many states; choose smaller bounds.");
            }

            key |= _key.At(agent, number);
        }

        return _known.Add(key);
    }
}
