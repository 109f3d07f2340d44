using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>Termination: without further faults every agent decides or rightly reports its run as stalled.</summary>
internal static class TerminationProperty
{
    /// <summary>Finds a violation at the end of a run.</summary>
    /// <param name="all">Each agent's machine, and whether that process was reset.</param>
    /// <returns>A clause without a full stop, or null: every agent holds a decision or rightly reports its run as stalled.</returns>
    public static string? FindViolation(ReadOnlySpan<(AgentStateMachine Machine, bool WasReset)> all)
    {
        var (size, newest, newestDisseminated) = (0, RunId.None, RunId.None);
        foreach (var (machine, wasReset) in all)
        {
            if (machine.ClusterSize != size)
            {
                size = machine.ClusterSize;
                (newest, newestDisseminated) = NewestOf(all, size);
            }

            if (machine.IsShakingHands)
            {
                return $"{machine.Id} never ends its start";
            }

            var isUndecided = machine.CurrentRun is not null && machine.CurrentDecision is null;
            if ((isUndecided ? newest : newestDisseminated) is var newer
                && newer > machine.HighestSeenRun && newer != machine.CurrentRun?.Id)
            {
                return $"{machine.Id} never learns of run {newer}";
            }

            if (machine.CurrentRun is not { } mine)
            {
                if (!machine.HighestSeenRun.IsNone && !wasReset)
                {
                    return $"{machine.Id} was never reset and ignores run {machine.HighestSeenRun}";
                }
            }
            else if (machine.CurrentDecision is null && !IsStalledWithReason(all, machine, mine, out var reason))
            {
                return reason is null
                    ? $"{machine.Id} never decides run {mine.Id}"
                    : $"{machine.Id} calls run {mine.Id} stalled, which is not true ({reason})";
            }
        }

        return null;
    }

    /// <summary>
    /// The newest run of this size that an agent is in, and the newest that an agent disseminates. A member and an agent with the
    /// decision disseminate their run. An undecided learner is only polled by undecided agents.
    /// </summary>
    private static (RunId Newest, RunId NewestDisseminated) NewestOf(ReadOnlySpan<(AgentStateMachine Machine, bool WasReset)> all, int size)
    {
        var (newest, newestDisseminated) = (RunId.None, RunId.None);
        foreach (var (machine, _) in all)
        {
            if (machine.CurrentRun is { } run && run.N == size)
            {
                var disseminates = machine.ClusterSize == size && (machine.CurrentDecision is not null || IsMember(machine, run));
                newest = run.Id > newest ? run.Id : newest;
                newestDisseminated = run.Id > newestDisseminated && disseminates ? run.Id : newestDisseminated;
            }
        }

        return (newest, newestDisseminated);
    }

    private static bool IsStalledWithReason(
        ReadOnlySpan<(AgentStateMachine Machine, bool WasReset)> all, AgentStateMachine machine, RunDescriptor run, out string? reason)
    {
        reason = machine.Stalled();
        var able = 0;
        foreach (var (other, _) in all)
        {
            if (other.CurrentRun?.Id == run.Id)
            {
                if (other.CurrentDecision is not null)
                {
                    return false;
                }

                able += IsMember(other, run) ? 1 : 0;
            }
        }

        // An agent that counts another number of agents does not know all members, so it need not report that they are stalled.
        var mustKnow = machine.ClusterSize == run.N;
        return reason is null ? !mustKnow : able < Quorum.Of(run.N);
    }

    private static bool IsMember(AgentStateMachine machine, RunDescriptor run) =>
        run.N == machine.ClusterSize && run.Members.TryGetValue(machine.Id, out var boot)
        && string.Equals(boot, machine.Boot, StringComparison.Ordinal);
}
