using System.Runtime.CompilerServices;
using System.Text.Json;
using Consensus.Protocol;
using Consensus.Timeline;

namespace Consensus.Agent.Recorder;

/// <summary>
/// Streams the events of one agent as they happen. Each follower re-executes the steps that it has not seen. A follower can resume over
/// the last <see cref="MaxSteps"/> steps.
/// </summary>
/// <param name="gate">The recorder's lock.</param>
/// <param name="log">What the agent's core was given.</param>
/// <param name="runs">The agent's runs.</param>
/// <param name="time">The clock of heartbeats.</param>
/// <param name="rules">The rules that the core follows; null: those that are proved.</param>
internal sealed class EventStream(Lock gate, InputLog log, RunIndex runs, TimeProvider time, SafetyRules? rules)
{
    /// <summary>Steps that a follower can resume over.</summary>
    public const int MaxSteps = 4_096;

    private TaskCompletionSource? _next;

    /// <summary>The last id given to an event.</summary>
    public long LastId
    {
        get
        {
            lock (gate)
            {
                return EventProjector.LastIdOf(log.LastStep);
            }
        }
    }

    /// <summary>A step was recorded. The caller holds the lock.</summary>
    public void OnStep()
    {
        if (_next is { } waiting)
        {
            _next = null;
            waiting.SetResult();
        }
    }

    /// <summary>Events as they happen, after the one with id <paramref name="after"/>; JSON of <see cref="TimelineEvent"/>.</summary>
    /// <remarks>Where those right after it are gone, it goes on with the oldest that is there.</remarks>
    /// <param name="after">The id.</param>
    /// <param name="atMostQuiet">The time without an event after which a heartbeat is sent.</param>
    /// <param name="cancellation">Ends the stream.</param>
    public async IAsyncEnumerable<(long Id, string Kind, string Json)> FollowAsync(
        long after, TimeSpan atMostQuiet, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var projector = new EventProjector(IsRecorded);
        Reexecution? execution = null;
        var next = EventProjector.StepOf(after);
        var last = time.GetTimestamp();
        while (!cancellation.IsCancellationRequested)
        {
            Task more;
            Recording added;
            lock (gate)
            {
                next = Math.Max(next, log.LastStep - MaxSteps);
                added = log.Read(next, long.MaxValue);
                more = (_next ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            foreach (var segment in added.Segments)
            {
                execution = execution?.TryExtend(segment) == true ? execution : new Reexecution(added, segment, rules);
                while (execution.TryStep(out var step))
                {
                    next = step.Number + 1;
                    foreach (var (_, projected, run) in projector.Project(step))
                    {
                        if (projected.Id > after)
                        {
                            (after, last) = (projected.Id, time.GetTimestamp());
                            var named = projected with { Run = run is { } id ? RecordedRun.NameOf(id) : null };
                            yield return (named.Id, named.Kind, JsonSerializer.Serialize(named, TimelineJson.Default.TimelineEvent));
                        }
                    }
                }
            }

            var left = atMostQuiet - time.GetElapsedTime(last);
            if (left > TimeSpan.Zero)
            {
                await more.WaitAsync(left, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            if (!more.IsCompleted && time.GetElapsedTime(last) >= atMostQuiet)
            {
                last = time.GetTimestamp();
                yield return (after, "quiet", "{}");
            }
        }
    }

    private bool IsRecorded(RunId run)
    {
        lock (gate)
        {
            return runs.Find(run) is not null;
        }
    }
}
