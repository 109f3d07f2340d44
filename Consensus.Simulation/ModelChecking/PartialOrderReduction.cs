namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// Partial-order reduction (R. J. Lipton, Reduction, CACM 1975); one object a thread. A step reads its agent's state and the
/// messages of others, and a sent message may be delivered at any later time. A step is invisible where it adds nothing to the
/// sent messages. An invisible step can wait until right before its agent's next visible step. So every path can be reordered
/// into one where each agent takes its invisible steps right before a visible step. Only states after visible steps are
/// visited. Each state left out is a visited one plus some invisible steps. Of two states after a visible step, one that
/// follows from the other by invisible steps is left out too, since the next visible step reaches it again. None of this
/// depends on the rule, so it also holds for mutants.
/// </summary>
internal sealed class PartialOrderReduction(ModelCheckerOptions bounds, TransitionTable agents)
{
    private readonly AgentState[] _at = new AgentState[bounds.Agents];
    private readonly AgentState[] _after = new AgentState[bounds.Agents];
    private readonly List<AgentState> _later = [];

    /// <summary>A step on the way whose guard does not hold (<see cref="GuardedStep"/>), or null.</summary>
    public GuardedStep? Refused { get; private set; }

    /// <summary>Finds the states of one agent.</summary>
    /// <param name="now">The states of all agents.</param>
    /// <param name="agent">The agent.</param>
    /// <param name="invisible">Receives the states that invisible steps lead to, the current state first.</param>
    /// <param name="visible">Receives the states after its next visible step.</param>
    public void Find(AgentState[] now, int agent, List<AgentState> invisible, List<AgentState> visible)
    {
        Walk(now, agent, invisible, visible);
        for (var i = 0; i < visible.Count; i++)
        {
            var state = visible[i];
            if (!visible.Exists(other => other != state && ReferenceEquals(other.Sent, state.Sent)))
            {
                continue;
            }

            Apply(now, agent, state, _after);
            Walk(_after, agent, _later, null);
            visible.RemoveAll(other => other != state && _later.Contains(other));
            i = visible.IndexOf(state);
        }
    }

    /// <summary>The global state after a visible step, without messages of dead runs.</summary>
    public void Apply(AgentState[] now, int agent, AgentState next, AgentState[] after)
    {
        TransitionEnumerator.Apply(agents, now, agent, next, after);
        agents.EliminateDeadRuns(after);
    }

    private void Walk(AgentState[] now, int agent, List<AgentState> invisible, List<AgentState>? visible)
    {
        now.CopyTo(_at, 0);
        invisible.Clear();
        visible?.Clear();
        invisible.Add(now[agent]);
        for (var i = 0; i < invisible.Count; i++)
        {
            var state = _at[agent] = invisible[i];
            foreach (var move in TransitionEnumerator.Of(bounds, agents, _at, agent))
            {
                Refused ??= move.FindRefused(_at);
                var found = IsInvisible(state, move.Next) ? invisible : visible;
                if (found is not null && !found.Contains(move.Next))
                {
                    found.Add(move.Next);
                }
            }
        }
    }

    private static bool IsInvisible(AgentState before, AgentState after) =>
        ReferenceEquals(before.Sent, after.Sent) && before.Local.IsShakingHands == after.Local.IsShakingHands
        && before.MessagesTo.AsSpan().SequenceEqual(after.MessagesTo);
}
