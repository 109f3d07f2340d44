using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>Executes an agent's steps of one run again, for their events and states.</summary>
public sealed class RunReader
{
    private readonly Recording _recording;
    private readonly RunId _run;
    private readonly long _from;
    private readonly long _to;
    private readonly IReadOnlyList<RoundRange>? _detail;
    private readonly SafetyRules? _rules;
    private readonly List<TimelineEvent> _events = [];
    private readonly List<StateChange> _states = [];
    private readonly HashSet<long> _sent = [];
    private AgentSnapshot? _before;
    private long _next;

    /// <summary>The caller holds the recorder's lock.</summary>
    /// <param name="run">The run.</param>
    /// <param name="runs">The agent's runs.</param>
    /// <param name="log">What the core was given.</param>
    /// <param name="detail">The rounds that the caller needs; null for all.</param>
    /// <param name="rules">The rules that the core follows; null: those that are proved.</param>
    public RunReader(RecordedRun run, RunIndex runs, InputLog log, IReadOnlyList<RoundRange>? detail, SafetyRules? rules)
    {
        (_run, _from, _to, _next) = (run.Id, run.FirstStep, run.LastStep, run.FirstStep);
        (_detail, _rules) = (detail, rules);
        _recording = log.Read(_from, _to, IsWanted);
        if (_from == 0)
        {
            // An earlier process recorded it.
            return;
        }

        GoneSteps = (int)log.CountGone(_from, _to);
        if (runs.BootedAt != 0 && run.Descriptor is { } descriptor
            && descriptor.Members.GetValueOrDefault(_recording.AgentId) != _recording.Boot)
        {
            // An earlier process of this agent was in the run. So the run shows the restart.
            _events.Add(EventProjector.Booted(runs.BootedAt));
        }
    }

    /// <summary>Steps that were recorded and are gone.</summary>
    public int GoneSteps { get; }

    /// <summary>The events, and the changes of the agent's state; null: an earlier process had it. Needs no lock.</summary>
    public (List<TimelineEvent> Events, List<StateChange>? States) Read()
    {
        if (_from == 0)
        {
            return ([], null);
        }

        var projector = new EventProjector(run => run == _run);
        foreach (var step in _recording.Reexecute(_rules))
        {
            if (step.Number >= _from && step.Number <= _to)
            {
                foreach (var projected in projector.Project(step))
                {
                    if (projected.Run == _run && IsShown(projected))
                    {
                        _events.Add(projected.Event);
                    }
                }

                Add(step);
            }
        }

        return (_events, _states);
    }

    private void Add(in ReexecutedStep step)
    {
        // What lies between two segments is gone or was not asked for, so a whole state follows.
        var before = step.Number == _next ? _before : null;
        (_next, _before) = (step.Number + 1, null);
        var after = step.Snapshot();
        var isOfRun = after.Run is null ? before is not null || _run.IsNone : after.Run.Id == _run;
        if (isOfRun && IsWanted(after.Round, after.Round))
        {
            if (StateChanges.Between(before, after, step.At) is { } change)
            {
                _states.Add(change);
            }

            _before = after.Run is null && !_run.IsNone ? null : after;
        }
    }

    private bool IsShown(in ProjectedEvent projected)
    {
        var round = projected.Event.Round ?? 0;
        switch (projected.Kind)
        {
            case TimelineEventKind.Sent when IsWanted(round, round):
                _sent.Add(projected.Event.MessageId ?? 0);
                return true;
            case TimelineEventKind.Answered or TimelineEventKind.Lost:
                return _detail is null || _sent.Contains(projected.Event.MessageId ?? 0);
            case TimelineEventKind.Drew or TimelineEventKind.CaughtUp or TimelineEventKind.Adopted or TimelineEventKind.Voted
                or TimelineEventKind.Received or TimelineEventKind.Sent:
                return IsWanted(round, round);
            default:
                return true;
        }
    }

    private bool IsWanted(int first, int last) =>
        _detail is null || first == 0 || _detail.Any(range => range.From <= last && range.To >= first);
}
