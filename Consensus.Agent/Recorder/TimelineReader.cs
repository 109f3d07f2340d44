using Consensus.Protocol;
using Consensus.Timeline;

namespace Consensus.Agent.Recorder;

/// <summary>Reads what one agent recorded, by executing its core again. Thread safe.</summary>
internal sealed class TimelineReader
{
    /// <summary>The id by which a caller asks for the run of bare messages.</summary>
    public const string AnonymousRun = RunRecord.AnonymousRun;

    private readonly Lock _gate;
    private readonly RunIndex _runs;
    private readonly InputLog _log;
    private readonly EventStream _stream;
    private readonly SafetyRules? _rules;

    internal TimelineReader(Lock gate, RunIndex runs, InputLog log, EventStream stream, SafetyRules? rules) =>
        (_gate, _runs, _log, _stream, _rules) = (gate, runs, log, stream, rules);

    /// <summary>This agent.</summary>
    public string AgentId => _log.AgentId;

    /// <summary>This agent's boot.</summary>
    public string Boot => _log.Boot;

    /// <summary>The last id given to an event.</summary>
    public long LastEventId => _stream.LastId;

    /// <summary>The first and last round that this agent entered in a run; (0, 0) for none.</summary>
    public (int First, int Last) RoundsOf(string? run)
    {
        lock (_gate)
        {
            return Find(run) is { } found ? (found.Descriptor?.StartRound ?? 1, found.LastRound) : (0, 0);
        }
    }

    /// <summary>The recorded events and states of a run: an id, <see cref="AnonymousRun"/>, or null for the newest.</summary>
    /// <param name="run">The run.</param>
    /// <param name="detail">The rounds whose draws, votes and messages the caller needs; null for all.</param>
    /// <returns>The timeline; without events where this agent does not know the run.</returns>
    public AgentTimeline Read(string? run = null, IReadOnlyList<RoundRange>? detail = null)
    {
        RunReader reader;
        AgentTimeline timeline;
        lock (_gate)
        {
            if (Find(run) is not { } found)
            {
                return new AgentTimeline(AgentId, Boot);
            }

            reader = new RunReader(found, _runs, _log, detail, _rules);
            timeline = new AgentTimeline(
                AgentId, Boot, found.Name, found.Descriptor, found.Learner, found.LastRound, reader.GoneSteps,
                [.. found.Rounds.ToArray().Select(mark => new RoundEntry(mark.Round, mark.Value, mark.At))]);
        }

        // Outside the lock: executing many steps takes longer than a step may wait.
        var (events, states) = reader.Read();
        return timeline with { Events = events, States = states };
    }

    /// <summary>What the core was given in a run, in whole segments; null: this agent does not know the run.</summary>
    /// <param name="run">A run id, <see cref="AnonymousRun"/>, or null for all that is recorded.</param>
    public Recording? ReadRecording(string? run)
    {
        lock (_gate)
        {
            var found = run is null ? null : Find(run);
            return run is not null && found is null ? null : _log.Read(found?.FirstStep ?? 1, found?.LastStep ?? long.MaxValue);
        }
    }

    /// <summary>The recorded runs, newest first.</summary>
    public RunHistory Runs()
    {
        lock (_gate)
        {
            return new RunHistory(AgentId, [.. _runs.All.Reverse().Select(run => run.Summary())]);
        }
    }

    /// <inheritdoc cref="EventStream.FollowAsync"/>
    public IAsyncEnumerable<(long Id, string Kind, string Json)> FollowAsync(
        long after, TimeSpan atMostQuiet, CancellationToken cancellation) =>
        _stream.FollowAsync(after, atMostQuiet, cancellation);

    private RecordedRun? Find(string? run) =>
        run is null ? _runs.Newest : run == AnonymousRun ? _runs.Find(RunId.None) : RunId.TryParse(run, out var id) ? _runs.Find(id) : null;
}
