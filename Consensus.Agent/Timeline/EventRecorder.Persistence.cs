using System.Diagnostics;
using Consensus.Protocol;
using Consensus.Agent.Storage;

namespace Consensus.Agent.Timeline;

/// <summary>The data that survives the process.</summary>
public sealed partial class EventRecorder
{
    /// <summary>Blocks readers until the events recorded meanwhile are persisted.</summary>
    internal Lock.Scope Hold() => _gate.EnterScope();

    /// <summary>The history of earlier processes, oldest first. Before anything is recorded.</summary>
    internal void Restore(IReadOnlyList<RunRecord> history)
    {
        lock (_gate)
        {
            _logs.AddRange(history.Select(RunEventLog.Restore));
        }
    }

    /// <summary>The record to persist of <paramref name="run"/>; null: of the run of bare messages.</summary>
    internal RunRecord ToPersist(RunDescriptor? run, Decision? decision)
    {
        lock (_gate)
        {
            var log = run is null ? _logs.FindLast(log => log.Descriptor is null) : _logs.FindLast(log => log.Id == run.Id);
            return (log ?? throw new UnreachableException("A run is recorded when it is joined.")).ToPersist(decision);
        }
    }

    /// <summary>Drops all events: some could not be persisted, and no reader may see those.</summary>
    internal void Forget()
    {
        lock (_gate)
        {
            _logs.Clear();
            _stream = [];
            _total = 0;
        }
    }
}
