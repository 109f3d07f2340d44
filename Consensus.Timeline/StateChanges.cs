using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>
/// Differences of an agent's snapshots. A difference that only adds is as small as what it adds. Where anything is gone, as after
/// a restart or in another run or round, it is the whole state.
/// </summary>
public static class StateChanges
{
    /// <summary>The change from one snapshot to the next.</summary>
    /// <param name="before">The snapshot before; null: there is none, so the change is the whole state.</param>
    /// <param name="after">The snapshot after.</param>
    /// <param name="at">The time of the step in µs.</param>
    /// <returns>Null where nothing changed.</returns>
    public static StateChange? Between(AgentSnapshot? before, AgentSnapshot after, long at)
    {
        ArgumentNullException.ThrowIfNull(after);
        if (before is null || HasLost(before, after))
        {
            return WholeOf(after, at);
        }

        var change = new StateChange(
            at,
            Phase: after.Phase == before.Phase ? null : after.Phase,
            Value: after.MyValue == before.MyValue ? null : after.MyValue,
            Attempts: after.Attempts == before.Attempts ? null : after.Attempts,
            Learner: after.Learner == before.Learner ? null : after.Learner,
            Decision: before.Decision is null ? DecisionOf(after) : null,
            Stalled: after.Stalled == before.Stalled ? null : after.Stalled,
            Proposals: Added(before.Proposals, after.Proposals, value => value),
            Votes: Added(before.Votes, after.Votes, value => value ?? 0));
        return change == new StateChange(at) ? null : change;
    }

    /// <summary>The changes over many steps.</summary>
    /// <param name="steps">The time of each step in µs, and the snapshot after it; null: the process has ended.</param>
    /// <param name="isShown">Whether to keep the changes of a round. After a gap comes the whole state.</param>
    public static IEnumerable<StateChange> Of(IEnumerable<(long At, AgentSnapshot? After)> steps, Func<int, bool> isShown)
    {
        AgentSnapshot? before = null;
        foreach (var (at, after) in steps)
        {
            // A decision stays, whatever round the agent was in.
            var shown = after is not null && (after.Decision is not null || isShown(after.Round));
            if (after is null)
            {
                yield return new StateChange(at, true, true);
            }
            else if (shown && Between(before, after, at) is { } change)
            {
                yield return change;
            }

            before = shown ? after : null;
        }
    }

    private static StateChange WholeOf(AgentSnapshot state, long at) => new(
        at, true, Run: state.Run?.Id.ToString(), Round: state.Round == 0 ? null : state.Round,
        Phase: state.Phase == Phase.Waiting ? null : state.Phase,
        Value: state.MyValue, Attempts: state.Attempts == 0 ? null : state.Attempts, Learner: state.Learner ? true : null,
        Decision: DecisionOf(state), Stalled: state.Stalled,
        Proposals: Added(new Dictionary<string, int>(), state.Proposals, value => value),
        Votes: Added(new Dictionary<string, int?>(), state.Votes, value => value ?? 0));

    private static StateDecision? DecisionOf(AgentSnapshot state) =>
        state.Decision is { } decision ? new(decision.Value, decision.Round) : null;

    /// <summary>Whether something of a state is no longer there.</summary>
    private static bool HasLost(AgentSnapshot before, AgentSnapshot after) =>
        before.Boot != after.Boot || before.Run?.Id != after.Run?.Id || before.Round != after.Round || after.Attempts < before.Attempts
        || (before.MyValue is not null && after.MyValue is null) || (before.Stalled is not null && after.Stalled is null)
        || (before.Decision is { } decision && decision != after.Decision)
        || IsMissingFrom(before.Proposals, after.Proposals) || IsMissingFrom(before.Votes, after.Votes);

    private static bool IsMissingFrom<T>(IReadOnlyDictionary<string, T> before, IReadOnlyDictionary<string, T> after) =>
        before.Any(one => !after.TryGetValue(one.Key, out var value) || !EqualityComparer<T>.Default.Equals(value, one.Value));

    private static SortedDictionary<string, int>? Added<T>(
        IReadOnlyDictionary<string, T> before, IReadOnlyDictionary<string, T> after, Func<T, int> valueOf)
    {
        // Nothing is missing from what was there before.
        if (after.Count == before.Count)
        {
            return null;
        }

        var added = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var (agent, value) in after)
        {
            if (!before.ContainsKey(agent))
            {
                added.Add(agent, valueOf(value));
            }
        }

        return added;
    }
}
