using Consensus.Agent.Storage;
using Consensus.Protocol;

namespace Consensus.Agent.Timeline;

/// <summary>Reads what one agent recorded. Recording stores numbers; reading makes texts of them. Thread safe.</summary>
public sealed class TimelineReader
{
    /// <summary>The id by which a caller asks for the run of bare messages.</summary>
    public const string Bare = RunRecord.Bare;

    private readonly Lock _gate;
    private readonly RunEventLogs _logs;
    private readonly NameTable _names;
    private readonly EventStream _stream;

    internal TimelineReader(string agentId, string boot, Lock gate, RunEventLogs logs, NameTable names, EventStream stream)
    {
        (AgentId, Boot) = (agentId, boot);
        (_gate, _logs, _names, _stream) = (gate, logs, names, stream);
    }

    /// <summary>What the core was given; null: it is not recorded.</summary>
    internal RecordedInputs? Inputs { get; set; }

    /// <summary>This agent.</summary>
    public string AgentId { get; }

    /// <summary>This agent's boot.</summary>
    public string Boot { get; }

    /// <summary>The last number given to an event.</summary>
    public long LastEventId => _stream.LastId;

    /// <summary>The first and last round that this agent entered in a run; (0, 0) for none.</summary>
    public (int First, int Last) RoundsOf(string? run)
    {
        lock (_gate)
        {
            return Find(run) is { } log ? (log.Descriptor?.StartRound ?? 1, log.LastRound) : (0, 0);
        }
    }

    /// <summary>The recorded events of a run: an id, <see cref="Bare"/>, or null for the newest.</summary>
    /// <param name="run">The run.</param>
    /// <param name="detail">The rounds whose draws, votes and messages the caller needs; null for all.</param>
    /// <returns>The timeline; without events where this agent does not know the run.</returns>
    public AgentTimeline Read(string? run = null, IReadOnlyList<RoundRange>? detail = null)
    {
        List<RecordedEvent> entries;
        AgentTimeline timeline;
        Func<List<StateChange>>? states;
        lock (_gate)
        {
            if (Find(run) is not { } log)
            {
                return new AgentTimeline(AgentId, Boot);
            }

            entries = log.Read();
            states = Inputs?.StatesOf(log, detail);
            timeline = new AgentTimeline(
                AgentId, Boot, log.Name, log.Descriptor, log.Learner, log.LastRound, log.Dropped,
                [.. log.Rounds.ToArray().Select(mark => new RoundEntry(mark.Round, mark.Value, mark.At))]);
        }

        // Outside the lock: texts of many events take longer than a step may wait.
        return timeline with { Events = [.. Select(entries, detail).Select(entry => entry.ToEvent(_names))], States = states?.Invoke() };
    }

    /// <summary>What the core was given in a run, in whole segments; null: this agent does not know the run, or records no inputs.</summary>
    /// <param name="run">A run id, <see cref="Bare"/>, or null for all that is recorded.</param>
    public Recording? ReadRecording(string? run)
    {
        lock (_gate)
        {
            var log = run is null ? null : Find(run);
            return run is not null && log is null ? null : Inputs?.Log.Read(log?.FirstStep ?? 1, log?.LastStep ?? long.MaxValue);
        }
    }

    /// <summary>The recorded runs, newest first.</summary>
    public RunHistory Runs()
    {
        lock (_gate)
        {
            return new RunHistory(AgentId, [.. _logs.All.Reverse().Select(log => log.Summary())]);
        }
    }

    /// <inheritdoc cref="EventStream.FollowAsync"/>
    public IAsyncEnumerable<(long Id, string Kind, string Json)> FollowAsync(long after, TimeSpan atMostQuiet, CancellationToken cancellation) =>
        _stream.FollowAsync(after, atMostQuiet, cancellation);

    private RunEventLog? Find(string? run) =>
        run is null ? _logs.Newest : run == Bare ? _logs.FindBare() : RunId.TryParse(run, out var id) ? _logs.Find(id) : null;

    private static List<RecordedEvent> Select(List<RecordedEvent> entries, IReadOnlyList<RoundRange>? detail)
    {
        if (detail is null)
        {
            return entries;
        }

        var sent = new HashSet<long>();
        return entries.FindAll(entry =>
        {
            var isInDetail = entry.Round == 0 || detail.Any(range => entry.Round >= range.From && entry.Round <= range.To);
            switch (entry.Kind)
            {
                case TimelineEventKind.Sent when isInDetail:
                    sent.Add(entry.MessageId);
                    return true;
                case TimelineEventKind.Answered or TimelineEventKind.Lost:
                    return sent.Contains(entry.MessageId);
                case TimelineEventKind.Drew or TimelineEventKind.CaughtUp or TimelineEventKind.Adopted or TimelineEventKind.Voted or TimelineEventKind.Received or TimelineEventKind.Sent:
                    return isInDetail;
                default:
                    return true;
            }
        });
    }
}
