using Consensus.Conformance;
using Consensus.Protocol;
using Consensus.Timeline;

namespace Consensus.Agent.Links;

/// <summary>One run as the links saw it.</summary>
/// <param name="Number">Counts the observed runs, from 1.</param>
/// <param name="BeganAtUs">When the first message was sent, in µs since 1970.</param>
/// <param name="History">What was observed.</param>
/// <param name="First">The agent that sent the first message, from 0.</param>
internal sealed record ObservedRun(int Number, long BeganAtUs, ObservedHistory History, int First)
{
    private volatile KnownSummary? _summary;

    private sealed record KnownSummary(int Events, RunSummary? Summary);

    /// <summary>The run that the messages name; null: they name none.</summary>
    public RunDescriptor? Named { get; set; }

    /// <summary>Whether a message of the run itself was sent, not only what comes before one.</summary>
    public bool HasBegun { get; set; }

    /// <summary>Names the run where its messages name none; null: they name it.</summary>
    public RunDescriptor? AnonymousRun => Named is not null ? null : new(
        new RunId(Number, History.Agents[First], "bare"), History.Agents.Count, 1, Rule.Classic, 3, DrawStrategy.Fresh, 200,
        History.Agents.ToDictionary(agent => agent, _ => "the first process"));

    /// <summary>The run as the page draws it.</summary>
    public ClusterTimeline Draw(IReadOnlyList<RoundRange> detail)
    {
        var drawn = SimulatedTimeline.Of(HistoryTrace.Of(History, AnonymousRun), History.Agents.Count, "", detail);
        return drawn with { StartUs = BeganAtUs + drawn.StartUs };
    }

    /// <summary>Explains an event by the messages of the run; null: the run has no such event.</summary>
    public EventExplanation? Explain(WhyQuestion why)
    {
        var trace = HistoryTrace.Of(History, AnonymousRun);
        return why.Answer(trace, null, SimulatedTimeline.Of(trace, History.Agents.Count, "", []).StartUs);
    }

    /// <summary>The run in short; null: it has not begun. It is drawn again only where something was observed since.</summary>
    public RunSummary? Summarize()
    {
        var events = History.Count;
        if (_summary?.Events != events)
        {
            _summary = new(events, SummaryOf());
        }

        return _summary.Summary;
    }

    private RunSummary? SummaryOf()
    {
        var drawn = Draw([]);
        return drawn is not { Run: { } run, Descriptor: { } descriptor } ? null : new RunSummary(
            run, descriptor.Rule, descriptor.Draw, drawn.StartUs, Math.Max(1, drawn.LastRound - descriptor.StartRound + 1),
            drawn.Messages.Count, drawn.DurationMs, drawn.Lanes.Select(lane => lane.Value).FirstOrDefault(value => value is not null));
    }
}

/// <summary>The last runs that the links saw. Thread safe.</summary>
/// <param name="agents">The ids of the agents.</param>
/// <param name="time">The clock.</param>
internal sealed class ObservedRuns(IReadOnlyList<string> agents, TimeProvider time)
{
    private const int MostRuns = 100;

    // A run that goes on and on is drawn from its newest part.
    private const int MostMessages = 5_000;

    private readonly Lock _gate = new();
    private readonly List<ObservedRun> _runs = [];
    private int _number;
    private int _messages;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends with the next message.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>The last runs, newest first.</summary>
    public IReadOnlyList<ObservedRun> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _runs.AsEnumerable().Reverse()];
            }
        }
    }

    /// <summary>
    /// The newest run with this name, or <see cref="RunRecord.AnonymousRun"/> for one that no message names. Null: the links saw none.
    /// </summary>
    public ObservedRun? Find(string name) => All.FirstOrDefault(one =>
        name == RunRecord.AnonymousRun ? one.Named is null : (one.Named ?? one.AnonymousRun)!.Id.ToString() == name);

    /// <summary>Takes a message to the run that it belongs to.</summary>
    /// <returns>The run, and whether this message is its first.</returns>
    public (ObservedRun Run, bool IsNew) Enter(int from, Message? message)
    {
        lock (_gate)
        {
            var isNew = _runs.Count == 0 || Begins(_runs[^1], message) || ++_messages > MostMessages;
            if (isNew)
            {
                _messages = 0;
                var now = time.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
                _runs.Add(new ObservedRun(++_number, now, new ObservedHistory(agents, time), from));
                _runs.RemoveRange(0, Math.Max(0, _runs.Count - MostRuns));
            }

            var run = _runs[^1];
            run.Named ??= message?.Run;
            run.HasBegun |= message is NewRound or Proposal or Vote or Final;
            if (message is not null)
            {
                Publish();
            }

            return (run, isNew);
        }
    }

    /// <summary>Says that something was observed beside a message.</summary>
    public void Publish()
    {
        lock (_gate)
        {
            var changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            changed.SetResult();
        }
    }

    /// <summary>What comes before a run begins the next one, and so does a message that names a newer run.</summary>
    private static bool Begins(ObservedRun run, Message? message) => run.HasBegun && (message is Handshake or Reset
        || (message?.Run is { } named && (run.Named is null || named.Id > run.Named.Id)));
}
