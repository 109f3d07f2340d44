using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Consensus.Agent.Timeline;

/// <summary>
/// Numbers the events of one agent, and streams them to followers. A follower can resume over the last
/// <see cref="MaxEvents"/> numbers.
/// </summary>
/// <param name="gate">The recorder's lock. A caller that adds an event holds it.</param>
/// <param name="names">The names of agents and boots.</param>
/// <param name="time">The clock of heartbeats.</param>
internal sealed class EventStream(Lock gate, NameTable names, TimeProvider time)
{
    /// <summary>Events that a follower can resume over.</summary>
    public const int MaxEvents = 4_096;

    private (RecordedEvent Entry, string? Run)[] _events = [];
    private TaskCompletionSource? _added;
    private long _lastId;

    /// <summary>The last number given to an event.</summary>
    public long LastId
    {
        get
        {
            lock (gate)
            {
                return _lastId;
            }
        }
    }

    /// <summary>The number of the next event. An event that is not recorded leaves a gap.</summary>
    public long NextId() => ++_lastId;

    /// <summary>Adds an event of a run; null: the event belongs to no run yet. A second addition of the same event changes nothing.</summary>
    public void Add(in RecordedEvent entry, string? run)
    {
        if (_events.Length == 0)
        {
            _events = new (RecordedEvent, string?)[MaxEvents];
        }

        if (_events[entry.Id % MaxEvents].Entry.Id < entry.Id)
        {
            _events[entry.Id % MaxEvents] = (entry, run);
            if (_added is { } waiting)
            {
                _added = null;
                waiting.SetResult();
            }
        }
    }

    /// <summary>Drops all events.</summary>
    public void Clear() => _events = [];

    /// <summary>Events as they happen, after the one with number <paramref name="after"/>; JSON of <see cref="TimelineEvent"/>.</summary>
    /// <remarks>Where those right after it are gone, it goes on with the oldest that is there.</remarks>
    /// <param name="after">The number.</param>
    /// <param name="atMostQuiet">The time without an event after which a heartbeat is sent.</param>
    /// <param name="cancellation">Ends the stream.</param>
    public async IAsyncEnumerable<(long Id, string Kind, string Json)> FollowAsync(
        long after, TimeSpan atMostQuiet, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var batch = new List<TimelineEvent>();
        while (!cancellation.IsCancellationRequested)
        {
            Task more;
            batch.Clear();
            lock (gate)
            {
                var first = Math.Max(after + 1, _lastId - Math.Min(_lastId, _events.Length) + 1);
                for (var id = first; id <= _lastId && batch.Count < 256; id++)
                {
                    if (_events[id % _events.Length] is var (entry, run) && entry.Id == id)
                    {
                        batch.Add(entry.ToEvent(names) with { Run = run });
                    }

                    after = id;
                }

                more = batch.Count > 0 ? Task.CompletedTask : (_added ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            foreach (var timelineEvent in batch)
            {
                yield return (timelineEvent.Id, timelineEvent.Kind, JsonSerializer.Serialize(timelineEvent, TimelineJson.Default.TimelineEvent));
            }

            var quiet = more.WaitAsync(atMostQuiet, time, cancellation);
            await quiet.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (quiet.Exception?.InnerException is TimeoutException)
            {
                yield return (after, "quiet", "{}");
            }
        }
    }
}
