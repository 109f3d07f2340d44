using Consensus.Protocol;
using Consensus.Agent.Storage;

namespace Consensus.Agent.Hosting;

/// <summary>
/// What a step changed is kept before anything of the step is seen: sends, the answer, the timeline and all that is read
/// wait for it within the lock. Two writes a run, and what is said between them hangs on the first, so there is nothing to
/// gather into one. An agent that cannot keep what it would have to announce says nothing more at all: to the others
/// it has crashed, which they are made for. A write that failed is not tried again, as a file system may report a
/// failed write once and then forget the pages (as PostgreSQL learned of fsync in 2018).
/// </summary>
public sealed partial class AgentService
{
    private readonly RunStore? _store;
    private Restored _persisted = new(RunId.None);
    private volatile string? _failure;

    /// <summary>Why this agent says nothing more, or null.</summary>
    public string? Failure => _failure;

    private void Restore()
    {
        if (_store is not null)
        {
            _machine.Step(_store.Restored);
            _recorder.Restore(_store.History);
            _persisted = _machine.ToPersist();
        }
    }

    /// <returns>False where it failed, and nothing of this step may be told.</returns>
    private bool Persist()
    {
        if (ReferenceEquals(_machine.CurrentDecision, _persisted.Decision) && ReferenceEquals(_machine.CurrentRun, _persisted.Run) && _machine.Floor == _persisted.Floor)
        {
            return true;
        }

        var now = _machine.ToPersist();
        try
        {
            Write(now, before: ReferenceEquals(now.Run, _persisted.Run) ? null : _persisted);
            _persisted = now;
            return true;
        }
#pragma warning disable CA1031 // Whatever it is, what is not kept must not be told.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail($"DATA: '{_options.Data}' cannot be written ({e.Message}). Nothing that is not kept is announced: make room there, and start this agent again.");
            return false;
        }
    }

    // The run before has gone on since it was last written.
    private void Write(Restored now, Restored? before)
    {
        var runs = new List<RunRecord>(2);
        foreach (var kept in (Restored?[])[before, now])
        {
            if (kept is { Run: not null } or { Decision: not null })
            {
                runs.Add(_recorder.ToPersist(kept.Run, kept.Decision));
            }
        }

        _store!.Save(now, force: now.Run is null || now.Decision is not null, [.. runs]);
    }

    private void Fail(string why)
    {
        _failure = why;
        _recorder.Forget();
        _telemetry.NotPersisted(why);
        AbandonStarts();
    }

    private void AbandonStarts()
    {
        if (_failure is null)
        {
            return;
        }

        lock (_gate)
        {
            foreach (var waiting in _starts.Values)
            {
                waiting.Ended.TrySetException(new PersistenceException(_failure));
            }

            _starts.Clear();
        }
    }

    /// <summary>What was said after the decision counts in the history too.</summary>
    private void PersistHistory()
    {
        lock (_gate)
        {
            if (_store is not null && _failure is null && (_persisted.Run is not null || _persisted.Decision is not null))
            {
                try
                {
                    Write(_persisted, before: null);
                }
                catch (Microsoft.Data.Sqlite.SqliteException)
                {
                    // The decision is there; its count of messages is a few short.
                }
            }
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } why)
        {
            throw new PersistenceException(why);
        }
    }
}

/// <summary>The agent cannot keep what it would have to announce; the message says what to do.</summary>
public sealed class PersistenceException(string message) : Exception(message);
