using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>Whether agents that nothing fails any more have come to a good end.</summary>
internal static class TerminationProperty
{
    /// <summary>What is wrong with how a cluster stands, or null: every agent is decided, or says truthfully why it cannot be.</summary>
    /// <param name="all">Each agent's machine, and whether that process was reset.</param>
    public static string? FindViolation(ReadOnlySpan<(AgentStateMachine Machine, bool WasReset)> all)
    {
        var (size, newest, newestTold) = (0, RunId.None, RunId.None);
        foreach (var (machine, wasReset) in all)
        {
            if (machine.ClusterSize != size)
            {
                size = machine.ClusterSize;
                (newest, newestTold) = NewestOf(all, size);
            }

            if (machine.IsShakingHands)
            {
                return $"{machine.Id} never ends its start";
            }

            var waits = machine.CurrentRun is not null && machine.CurrentDecision is null;
            if ((waits ? newest : newestTold) is var newer && newer > machine.Floor && newer != machine.CurrentRun?.Id)
            {
                return $"{machine.Id} never hears of run {newer}";
            }

            if (machine.CurrentRun is not { } mine)
            {
                if (!machine.Floor.IsNone && !wasReset)
                {
                    return $"{machine.Id} was never reset and is locked out of run {machine.Floor}";
                }
            }
            else if (machine.CurrentDecision is null && !IsStalledWithReason(all, machine, mine, out var reason))
            {
                return reason is null ? $"{machine.Id} waits for ever in run {mine.Id}" : $"{machine.Id} calls run {mine.Id} stalled, which is not true ({reason})";
            }
        }

        return null;
    }

    /// <summary>
    /// The newest run of a cluster of this size that anybody is in, and the newest that its holder tells. Who takes part or has
    /// decided tells everybody; a learner that waits is only asked by those who wait as well.
    /// </summary>
    private static (RunId Newest, RunId NewestTold) NewestOf(ReadOnlySpan<(AgentStateMachine Machine, bool WasReset)> all, int size)
    {
        var (newest, newestTold) = (RunId.None, RunId.None);
        foreach (var (machine, _) in all)
        {
            if (machine.CurrentRun is { } run && run.N == size)
            {
                var tells = machine.ClusterSize == size && (machine.CurrentDecision is not null || IsMember(machine, run));
                newest = run.Id > newest ? run.Id : newest;
                newestTold = run.Id > newestTold && tells ? run.Id : newestTold;
            }
        }

        return (newest, newestTold);
    }

    private static bool IsStalledWithReason(ReadOnlySpan<(AgentStateMachine Machine, bool WasReset)> all, AgentStateMachine machine, RunDescriptor run, out string? reason)
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

        // An agent that counts another number of agents does not know all members, so it need not see that they cannot go on.
        var mustKnow = machine.ClusterSize == run.N;
        return reason is null ? !mustKnow : able < (run.N / 2) + 1;
    }

    private static bool IsMember(AgentStateMachine machine, RunDescriptor run) =>
        run.N == machine.ClusterSize && run.Members.TryGetValue(machine.Id, out var boot) && string.Equals(boot, machine.Boot, StringComparison.Ordinal);
}
