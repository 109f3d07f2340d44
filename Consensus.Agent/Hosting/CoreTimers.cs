using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Agent.Hosting;

/// <summary>The timers of a core, by one timer of the system. Thread safe.</summary>
internal sealed class CoreTimers : IDisposable
{
    private const long Never = long.MaxValue;

    private readonly Lock _gate = new();
    private readonly long[] _deadlines = [.. Enum.GetValues<Timer>().Select(_ => Never)];
    private readonly TimeProvider _time;
    private readonly Action<Timer> _fired;
    private readonly ITimer _timer;
    private long _wakeAt = Never;
    private bool _disposed;

    /// <param name="time">The clock.</param>
    /// <param name="fired">Called for each timer that fires, outside the lock.</param>
    public CoreTimers(TimeProvider time, Action<Timer> fired)
    {
        (_time, _fired) = (time, fired);
        _timer = time.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Sets a timer, in place of its earlier deadline.</summary>
    public void Set(SetTimer effect)
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            var at = now + (effect.DelayMs * _time.TimestampFrequency / 1000);
            _deadlines[(int)effect.Timer] = at;
            if (at < _wakeAt)
            {
                _wakeAt = at;
                _timer.Change(_time.GetElapsedTime(now, at), Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Cancels a timer.</summary>
    public void Cancel(Timer timer)
    {
        lock (_gate)
        {
            _deadlines[(int)timer] = Never;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _timer.Dispose();
    }

    private void Fire()
    {
        Span<bool> due = stackalloc bool[_deadlines.Length];
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            _wakeAt = Never;
            for (var i = 0; i < _deadlines.Length; i++)
            {
                if (_deadlines[i] <= now)
                {
                    due[i] = true;
                    _deadlines[i] = Never;
                }

                _wakeAt = Math.Min(_wakeAt, _deadlines[i]);
            }

            if (_wakeAt != Never && !_disposed)
            {
                // The system's timers may fire a little early. One ms more prevents a busy loop.
                _timer.Change(_time.GetElapsedTime(now, _wakeAt) + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            }
        }

        for (var i = 0; i < due.Length; i++)
        {
            if (due[i])
            {
                _fired((Timer)i);
            }
        }
    }
}
