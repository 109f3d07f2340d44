using System.Text.Json;
using System.Runtime.CompilerServices;
using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

public sealed partial class EventRecorder
{
    /// <summary>The id by which the run of bare messages is asked for.</summary>
    public const string Bare = "bare";

    private static readonly string[] EventKinds = TimelineNames.OfEventKinds;
    private static readonly string[] MessageKinds = TimelineNames.OfMessageKinds;

    private (RecordedEvent Entry, string? Run)[] _stream = [];
    private TaskCompletionSource? _streamed;

    /// <summary>The last number given to an event.</summary>
    public long LastEventId
    {
        get
        {
            lock (_gate)
            {
                return _lastId;
            }
        }
    }

    /// <summary>The first and last round that this agent entered in a run; (0, 0) for none.</summary>
    public (int First, int Last) RoundsOf(string? run)
    {
        lock (_gate)
        {
            return Find(run) is { } log ? (log.Descriptor?.StartRound ?? 1, log.LastRound) : (0, 0);
        }
    }

    /// <summary>What is recorded of a run: an id, <see cref="Bare"/>, or null for the newest.</summary>
    /// <param name="run">Which.</param>
    /// <param name="detail">Rounds whose draws, votes and messages are wanted; null for all.</param>
    /// <returns>It; without events where the run is not known here.</returns>
    public AgentTimeline Read(string? run = null, IReadOnlyList<RoundRange>? detail = null)
    {
        List<RecordedEvent> entries;
        RunEventLog? log;
        List<RoundEntry> rounds = [];
        lock (_gate)
        {
            log = Find(run);
            if (log is null)
            {
                return new AgentTimeline(agentId, boot);
            }

            entries = log.Read();
            foreach (var mark in log.Rounds)
            {
                rounds.Add(new RoundEntry(mark.Round, mark.Value, mark.At));
            }
        }

        return new AgentTimeline(
            agentId, boot, log.Name, log.Descriptor, log.Learner, log.LastRound, log.Dropped, rounds, [.. Select(entries, detail).Select(entry => ToEvent(entry))]);
    }

    /// <summary>The recorded runs, newest first.</summary>
    public RunHistory Runs()
    {
        lock (_gate)
        {
            var runs = new List<RunSummary>(_logs.Count);
            for (var i = _logs.Count - 1; i >= 0; i--)
            {
                runs.Add(_logs[i].Summary());
            }

            return new RunHistory(agentId, runs);
        }
    }

    /// <summary>Events as they happen, after the one with number <paramref name="after"/>; JSON of <see cref="TimelineEvent"/>.</summary>
    /// <remarks>Where those right after it are gone, it goes on with the oldest that is there.</remarks>
    public async IAsyncEnumerable<(long Id, string Kind, string Json)> FollowAsync(
        long after, TimeSpan atMostQuiet, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var batch = new List<TimelineEvent>();
        while (!cancellation.IsCancellationRequested)
        {
            Task more;
            batch.Clear();
            lock (_gate)
            {
                var first = Math.Max(after + 1, _lastId - Math.Min(_lastId, _stream.Length) + 1);
                for (var id = first; id <= _lastId && batch.Count < 256; id++)
                {
                    // Numbers of repetitions, which are not recorded, leave gaps.
                    if (_stream[id % _stream.Length] is var (entry, run) && entry.Id == id)
                    {
                        batch.Add(ToEvent(entry) with { Run = run });
                    }

                    after = id;
                }

                more = batch.Count > 0 ? Task.CompletedTask : (_streamed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            foreach (var protocolEvent in batch)
            {
                yield return (protocolEvent.Id, protocolEvent.Kind, JsonSerializer.Serialize(protocolEvent, TimelineJson.Default.TimelineEvent));
            }

            var quiet = more.WaitAsync(atMostQuiet, time, cancellation);
            await quiet.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (quiet.Exception?.InnerException is TimeoutException)
            {
                yield return (after, "quiet", "{}");
            }
        }
    }

    private RecordedEvent Stream(in RecordedEvent entry, RunEventLog? log)
    {
        if (_stream.Length == 0)
        {
            _stream = new (RecordedEvent, string?)[MaxStreamed];
        }

        if (_stream[entry.Id % MaxStreamed].Entry.Id < entry.Id)
        {
            _stream[entry.Id % MaxStreamed] = (entry, log?.Name);
            if (_streamed is { } waiting)
            {
                _streamed = null;
                waiting.SetResult();
            }
        }

        return entry;
    }

    private RunEventLog? Find(string? run) =>
        run is null ? Newest : run == Bare ? _logs.FindLast(log => log.Descriptor is null)
        : RunId.TryParse(run, out var id) ? _logs.FindLast(log => log.Id == id) : null;

    private static List<RecordedEvent> Select(List<RecordedEvent> entries, IReadOnlyList<RoundRange>? detail)
    {
        if (detail is null)
        {
            return entries;
        }

        var sent = new HashSet<long>();
        return entries.FindAll(entry =>
        {
            var wanted = entry.Round == 0 || detail.Any(range => entry.Round >= range.From && entry.Round <= range.To);
            switch (entry.Kind)
            {
                case TimelineEventKind.Sent when wanted:
                    sent.Add(entry.MessageId);
                    return true;
                case TimelineEventKind.Answered or TimelineEventKind.Lost:
                    return sent.Contains(entry.MessageId);
                case TimelineEventKind.Drew or TimelineEventKind.CaughtUp or TimelineEventKind.Adopted or TimelineEventKind.Voted or TimelineEventKind.Received or TimelineEventKind.Sent:
                    return wanted;
                default:
                    return true;
            }
        });
    }

    private TimelineEvent ToEvent(in RecordedEvent entry)
    {
        return new TimelineEvent(
            entry.Id, entry.At, EventKinds[(int)entry.Kind],
            entry.Message == MessageKind.None ? null : MessageKinds[(int)entry.Message],
            entry.MessageId == 0 ? null : entry.MessageId,
            _names[entry.Other], _names[entry.Boot],
            entry.Round == 0 ? null : entry.Round, entry.Value == 0 ? null : entry.Value,
            entry.Message == MessageKind.Vote ? entry.Extra : null,
            entry.Kind is TimelineEventKind.Drew or TimelineEventKind.CaughtUp or TimelineEventKind.Adopted ? entry.Extra : null,
            RecordedEvent.Word(entry.Status), RecordedEvent.Word(entry.Reason));
    }
}
