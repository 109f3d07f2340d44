namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// Finds what an agent may do until it next speaks; one finder a thread. Agents meet in what they say and in nothing
/// else: a step reads its agent's state and what others said, and what was said may be delivered at any later time. So a
/// quiet step, one that adds nothing to what was said, can wait until right before the next step in which its agent
/// speaks, and every path can be put in an order in which each agent speaks at the end of a turn of its own (R. J.
/// Lipton, Reduction, CACM 1975). An exploration by turns visits the states between turns; each state that it leaves out
/// is one of those with some quiet steps more. Likewise of two states after a turn, one that the other becomes by quiet
/// steps is left out, for it comes up again at the next turn. Nothing of the rule goes into this, so it holds for broken
/// versions of the core as well.
/// </summary>
internal sealed class PartialOrderReduction(ModelCheckerOptions bounds, TransitionTable agents)
{
    private readonly AgentState[] _at = new AgentState[bounds.Agents];
    private readonly AgentState[] _after = new AgentState[bounds.Agents];
    private readonly List<AgentState> _later = [];

    /// <summary>Fills in where one agent may be.</summary>
    /// <param name="now">All agents.</param>
    /// <param name="agent">Which one.</param>
    /// <param name="quiet">Where quiet steps may bring it, what it is now first.</param>
    /// <param name="loud">Where it may be right after it next speaks.</param>
    public void Find(AgentState[] now, int agent, List<AgentState> quiet, List<AgentState> loud)
    {
        Walk(now, agent, quiet, loud);
        for (var i = 0; i < loud.Count; i++)
        {
            var state = loud[i];
            if (!loud.Exists(other => other != state && ReferenceEquals(other.Sent, state.Sent)))
            {
                continue;
            }

            Apply(now, agent, state, _after);
            Walk(_after, agent, _later, null);
            loud.RemoveAll(other => other != state && _later.Contains(other));
            i = loud.IndexOf(state);
        }
    }

    /// <summary>The global state after a turn, without what moves nobody any more.</summary>
    public void Apply(AgentState[] now, int agent, AgentState next, AgentState[] after)
    {
        ActionEnumerator.Apply(agents, now, agent, next, after);
        agents.EliminateDeadRuns(after);
    }

    private void Walk(AgentState[] now, int agent, List<AgentState> quiet, List<AgentState>? loud)
    {
        now.CopyTo(_at, 0);
        quiet.Clear();
        loud?.Clear();
        quiet.Add(now[agent]);
        for (var i = 0; i < quiet.Count; i++)
        {
            var state = _at[agent] = quiet[i];
            foreach (var move in ActionEnumerator.Of(bounds, agents, _at, agent))
            {
                var found = IsInvisible(state, move.Next) ? quiet : loud;
                if (found is not null && !found.Contains(move.Next))
                {
                    found.Add(move.Next);
                }
            }
        }
    }

    private static bool IsInvisible(AgentState before, AgentState after) =>
        ReferenceEquals(before.Sent, after.Sent) && before.Local.Shaking == after.Local.Shaking && before.MessagesTo.AsSpan().SequenceEqual(after.MessagesTo);
}
