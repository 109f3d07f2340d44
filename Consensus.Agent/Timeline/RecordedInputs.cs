using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>What an agent's core was given, and the states that it had: those come from executing it again.</summary>
/// <param name="log">The inputs.</param>
/// <param name="rules">The rules that the core follows; null: those that are proved.</param>
internal sealed class RecordedInputs(InputLog log, SafetyRules? rules)
{
    /// <summary>The inputs.</summary>
    public InputLog Log => log;

    /// <summary>The changes of the agent's state in a run. The caller holds the recorder's lock; the result needs none.</summary>
    /// <param name="run">The run.</param>
    /// <param name="detail">The rounds that the caller needs; null for all.</param>
    public Func<List<StateChange>>? StatesOf(RunEventLog run, IReadOnlyList<RoundRange>? detail)
    {
        // Recorded by an earlier process.
        if (run.FirstStep == 0)
        {
            return null;
        }

        bool IsWanted(int first, int last) => detail is null || first == 0 || detail.Any(range => range.From <= last && range.To >= first);
        var (id, from, to) = (run.Id, run.FirstStep, run.LastStep);
        var recording = log.Read(from, to, IsWanted);
        return () => Read(recording, id, from, to, round => IsWanted(round, round));
    }

    private List<StateChange> Read(Recording recording, RunId run, long from, long to, Func<int, bool> isWanted)
    {
        var changes = new List<StateChange>();
        AgentSnapshot? before = null;
        var next = from;
        foreach (var step in recording.Reexecute(rules))
        {
            if (step.Number < from || step.Number > to)
            {
                continue;
            }

            // What lies between two segments is gone or was not asked for, so a whole state follows.
            before = step.Number == next ? before : null;
            next = step.Number + 1;
            var after = step.Snapshot();
            if ((after.Run?.Id ?? RunId.None) != run && (after.Run is not null || before is null))
            {
                before = null;
                continue;
            }

            if (isWanted(after.Round))
            {
                if (StateChanges.Between(before, after, step.At) is { } change)
                {
                    changes.Add(change);
                }

                before = after.Run is null && !run.IsNone ? null : after;
            }
            else
            {
                before = null;
            }
        }

        return changes;
    }
}
