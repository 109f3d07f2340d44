using System.Collections.Concurrent;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// From where fault-free continuations start in an exploration by turns: from the states between turns and from all that
/// quiet steps make of them. Agents take quiet steps independently, so these are all combinations, as far as crashes and
/// resets are left.
/// </summary>
internal sealed class TerminationStartStates(ModelCheckerOptions bounds, TerminationCheck continuation)
{
    private readonly ConcurrentDictionary<(int Agent, int Before, int Machine), int> _numbers = new();
    private readonly PackedState _key = new(bounds.Agents);
    private readonly VisitedSet _known = new();
    private int _count;

    /// <summary>Starts continuations on one thread.</summary>
    public sealed class Starter(TerminationStartStates standpoints, TerminationCheck.FaultFreeWalk walker, int agents)
    {
        private readonly AgentState[] _start = new AgentState[agents];

        /// <summary>What is wrong with the end of some continuation, or null.</summary>
        /// <param name="quiet">By agent: where quiet steps may bring it, what it is now first.</param>
        public string? ComplaintFrom(List<AgentState>[] quiet)
        {
            var crashes = standpoints.CrashesLeft(quiet);
            var resets = standpoints.ResetsLeft(quiet);
            return standpoints.Enter(quiet, (crashes << 2) | resets) ? From(0, quiet, crashes, resets) : null;
        }

        private string? From(int agent, List<AgentState>[] quiet, int crashes, int resets)
        {
            if (agent == quiet.Length)
            {
                return walker.FindViolationFrom(_start);
            }

            var spent = quiet[agent][0].FaultBudget;
            foreach (var state in quiet[agent])
            {
                var (crashesLeft, resetsLeft) = (crashes - (state.FaultBudget.Crashes - spent.Crashes), resets - (state.FaultBudget.Resets - spent.Resets));
                if (crashesLeft >= 0 && resetsLeft >= 0)
                {
                    _start[agent] = state;
                    if (From(agent + 1, quiet, crashesLeft, resetsLeft) is { } complaint)
                    {
                        return complaint;
                    }
                }
            }

            return null;
        }
    }

    private int CrashesLeft(List<AgentState>[] quiet)
    {
        var left = bounds.Crashes;
        foreach (var states in quiet)
        {
            left -= states[0].FaultBudget.Crashes;
        }

        return left;
    }

    private int ResetsLeft(List<AgentState>[] quiet)
    {
        var left = bounds.Resets;
        foreach (var states in quiet)
        {
            left -= states[0].FaultBudget.Resets;
        }

        return left;
    }

    // Many states differ in what was said alone, and continuations do not mind that.
    private bool Enter(List<AgentState>[] quiet, int left)
    {
        var key = 0UL;
        for (var agent = 0; agent < quiet.Length; agent++)
        {
            var spent = quiet[agent][0].FaultBudget;
            var number = -1 - left;
            foreach (var state in quiet[agent])
            {
                var faults = ((state.FaultBudget.Crashes - spent.Crashes) << 2) | (state.FaultBudget.Resets - spent.Resets);
                number = _numbers.GetOrAdd((agent, number, (continuation.NumberOf(state) << 4) | faults), _ => Interlocked.Increment(ref _count));
            }

            if (number >= _key.Most)
            {
                throw new BoundsTooLargeException("Continuations start from too many states; choose smaller bounds.");
            }

            key |= _key.At(agent, number);
        }

        return _known.Add(key);
    }
}
