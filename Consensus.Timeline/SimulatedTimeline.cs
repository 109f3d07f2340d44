using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Timeline;

/// <summary>
/// Makes the timeline of a simulated run. Each agent's part of the trace becomes a timeline of its own, and
/// <see cref="TimelineMerger"/> merges them like those of real agents. The simulator knows exactly when an agent was down or
/// paused, which the merger must guess for real agents.
/// </summary>
public static class SimulatedTimeline
{
    /// <summary>Makes it.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="agents">How many agents there are.</param>
    /// <param name="sentence">The result in a sentence.</param>
    /// <param name="detail">Rounds to show though they would be folded.</param>
    /// <param name="violation">The violated property; null: none. The timeline is of its run, else of the newest.</param>
    /// <param name="showsQueries">Whether all queries for state are shown, also those whose response caused no event.</param>
    /// <remarks>A trace with states shows its other runs too: an agent that has not joined the newest is still in one of them.</remarks>
    public static ClusterTimeline Of(
        SimulationTrace trace, int agents, string sentence, IReadOnlyList<RoundRange> detail, Violation? violation = null,
        bool showsQueries = false)
    {
        var runs = trace.Calls.Select(call => call.Message.Run).OfType<RunDescriptor>().ToList();
        var run = runs.Find(run => run.Id == violation?.Run) ?? runs.MaxBy(run => run.Id);
        var entered = trace.Steps.SelectMany(step => step.Events)
            .Where(protocolEvent => protocolEvent.Run == run?.Id && protocolEvent.EntersRound);
        var (_, folded) = RoundFolding.Fold(1, entered.Select(protocolEvent => protocolEvent.Round).DefaultIfEmpty(0).Max(), detail);
        var processes = trace.Steps.Where(step => step.Kind is TraceStepKind.Boot or TraceStepKind.Crash).ToLookup(step => step.Agent);
        var reader = new TraceReader(trace, processes, run, folded, showsQueries);
        var merged = TimelineMerger.Merge(run?.Id.ToString(), reader.Sources(agents), folded);
        var ends = merged.Events.Where(
            e => e.Run is null && e.KnownKind is TimelineEventKind.Decided or TimelineEventKind.Learned).ToList();
        return RunVerdict.AddTo(merged with
        {
            Lanes = [.. merged.Lanes.Select((lane, agent) => lane with { Up = processes[agent].Last().Kind != TraceStepKind.Crash })],
            Unresponsive = [.. UnresponsivePeriods(trace, at => (at - merged.StartUs) / 1000.0)],
            Sentence = sentence,
            Violation = violation is null ? null : new ViolatedProperty(violation.Property, violation.Explanation),
            DurationMs = (ends.Find(e => merged.Lanes[e.Lane].AgentId == run?.Id.Initiator) ?? ends.FirstOrDefault())?.AtMs,
        });
    }

    private static IEnumerable<UnresponsivePeriod> UnresponsivePeriods(SimulationTrace trace, Func<long, double> t)
    {
        foreach (var step in trace.Steps.Where(step => step.Kind is TraceStepKind.Crash or TraceStepKind.Pause))
        {
            var back = step.Kind == TraceStepKind.Crash ? TraceStepKind.Boot : TraceStepKind.Resume;
            var end = trace.Steps.FirstOrDefault(later => later.Agent == step.Agent && later.Kind == back && later.At >= step.At);
            yield return new UnresponsivePeriod(step.Agent, t(step.At), end is null ? null : t(end.At));
        }
    }

    /// <summary>Reads each agent's timeline from a trace. Folded rounds are left out.</summary>
    private sealed class TraceReader(
        SimulationTrace trace, ILookup<int, TraceStep> processes, RunDescriptor? run, List<RoundRange> folded, bool showsQueries)
    {
        private readonly ILookup<int, TraceStep> _steps = trace.Steps.ToLookup(step => step.Agent);

        // Unless all are shown, a query for state is shown where its response caused an event.
        private readonly HashSet<TraceCall> _shown =
        [
            .. trace.Calls.Where(call => call.Message is Handshake or Reset || (showsQueries && call.Message is StateQuery)
                || (call.Message.Run is { } named && (trace.KeepsStates || named.Id == run?.Id))),
            .. trace.Steps.Where(step => step is { Kind: TraceStepKind.Response, Call.Message: StateQuery, Events.Count: > 0 })
                .Select(step => step.Call!),
        ];

        public List<Source> Sources(int agents) =>
            [.. Enumerable.Range(0, agents).Select(agent => new Source(trace.IdOf(agent), TimelineOf(agent)))];

        private AgentTimeline TimelineOf(int agent)
        {
            var own = _steps[agent].ToList();
            var states = own.Where(step => step.Kind == TraceStepKind.Crash || step.After is not null)
                .Select(step => (step.At, step.Kind == TraceStepKind.Crash ? null : step.After));
            var events = own.SelectMany(step => step.Events.Where(protocolEvent => protocolEvent.Run == run?.Id)
                .Select(protocolEvent => (step.At, Event: protocolEvent))).ToList();
            var joined = events.FindLast(one => one.Event.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner).Event;
            return new AgentTimeline(
                trace.IdOf(agent), BootOf(agent), run?.Id.ToString(), run, joined?.Kind == ProtocolEventKind.JoinedAsLearner,
                Rounds: [.. events.Where(one => one.Event.EntersRound)
                    .Select(one => new RoundEntry(one.Event.Round, one.Event.Value, one.At))],
                Events: [
                    .. own.SelectMany(step => EventsOf(step, isFirst: step == own[0])),
                    .. trace.Calls.Where(call => call.From == agent && IsShown(call) && NeverEnds(call))
                        .Select(call => EventOf(call, trace.Steps[^1].At, TimelineEventKind.Lost)),
                ],
                States: trace.KeepsStates ? [.. StateChanges.Of(states, IsShown)] : null);
        }

        // A lost message whose caller did not wait until the end.
        private static bool NeverEnds(TraceCall call) => call is { Lost: true, Receipts.Count: 0, FailedAt: null };

        private IEnumerable<TimelineEvent> EventsOf(TraceStep step, bool isFirst)
        {
            if (step.Kind == TraceStepKind.Boot && !isFirst)
            {
                yield return TimelineEvent.Of(TimelineEventKind.Booted, step.At);
            }
            else if (step.Call is { } call && IsShown(call))
            {
                yield return step.Kind switch
                {
                    TraceStepKind.Receive => EventOf(call, step.At, TimelineEventKind.Received, call.Receipts[step.Copy].Response) with
                    {
                        Other = trace.IdOf(call.From),
                        OtherBoot = BootOf(call.From),
                    },
                    TraceStepKind.Response => AnswerOf(call, step.At),
                    _ => EventOf(call, step.At, TimelineEventKind.Lost),
                };
            }

            foreach (var protocolEvent in step.Events.Where(IsOfPicture))
            {
                if (IsShown(protocolEvent.Round) || !protocolEvent.IsOfOneRound)
                {
                    yield return TimelineEvent.Of(protocolEvent, step.At) with { Run = OtherRun(protocolEvent.Run) };
                }
            }

            foreach (var sent in step.Sent.Where(IsShown))
            {
                yield return EventOf(sent, step.At, TimelineEventKind.Sent);
            }
        }

        private bool IsOfPicture(ProtocolEvent protocolEvent) =>
            trace.KeepsStates || protocolEvent.Run == run?.Id || protocolEvent.Kind == ProtocolEventKind.WasReset;

        /// <summary>The id of another run than the timeline's, else null.</summary>
        private string? OtherRun(RunId? id) => id is null || id == run?.Id || id.Value.IsNone ? null : id.ToString();

        private TimelineEvent EventOf(TraceCall call, long at, TimelineEventKind kind, Response? response = null) =>
            EventOf(call, at, kind, call.Message.Content, response) with { Run = OtherRun(call.Message.Run?.Id) };

        private TimelineEvent AnswerOf(TraceCall call, long at)
        {
            var response = call.Response!;
            var carried = trace.KeepsStates || response.Run == run?.Id ? response.Carried : default;
            return EventOf(call, at, TimelineEventKind.Answered, carried, response) with { Run = OtherRun(response.Run) };
        }

        private TimelineEvent EventOf(TraceCall call, long at, TimelineEventKind kind, MessageContent content, Response? response) =>
            TimelineEvent.Of(kind, at, content, call.Number) with
            {
                Other = trace.IdOf(call.To),
                Status = response?.Status.WireName(),
                Reason = response?.Reason?.WireName(),
            };

        private string BootOf(int agent) => processes[agent].Last(step => step.Kind == TraceStepKind.Boot).Note!;

        private bool IsShown(TraceCall call) => _shown.Contains(call) && IsShown(call.Message.Content.Round);

        private bool IsShown(int round) => !folded.Exists(range => round >= range.From && round <= range.To);
    }
}
