using Consensus.Protocol;
using Consensus.Simulation.Seeded;

namespace Consensus.Agent.Timeline;

/// <summary>Makes the picture of a simulated world that the page draws of real ones. Here one clock rules, and nothing is guessed.</summary>
internal static class SimulatedTimeline
{
    /// <param name="log">What protocolEvent.</param>
    /// <param name="agents">How many agents there are.</param>
    /// <param name="sentence">What came of it.</param>
    /// <param name="detail">Rounds to show though they would be folded.</param>
    public static ClusterTimeline Of(SimulationTrace log, int agents, string sentence, IReadOnlyList<RoundRange> detail)
    {
        var descriptor = log.Calls.Select(call => call.Message.Run).OfType<RunDescriptor>().MaxBy(run => run.Id);
        var start = log.Steps.FirstOrDefault(step => step.Kind == TraceStepKind.Start)?.At ?? 0;
        var end = log.Steps.Count == 0 ? 0 : log.Steps[^1].At;
        double T(long at) => (at - start) / 1000.0;

        var recorded = log.Steps.SelectMany(step => step.Events.Where(protocolEvent => protocolEvent.Run == descriptor?.Id).Select(protocolEvent => (Step: step, Happened: protocolEvent))).ToList();
        var rounds = RoundsOf(recorded, agents, T);
        var last = rounds.Count == 0 ? 0 : rounds[^1].Round;
        var (_, folded) = RoundFolding.Fold(1, last, detail);
        bool Shown(int round) => !folded.Exists(range => round >= range.From && round <= range.To);

        var events = Events(log, descriptor?.Id, T).Where(e => e.Kind is not ("drew" or "copied" or "adopted" or "voted") || Shown(e.Round)).ToList();

        // Of questions for state, those are shown whose answer taught something.
        var taught = log.Steps.Where(step => step.Kind == TraceStepKind.Response && step.Events.Count > 0).Select(step => step.Call!).ToHashSet();
        var arrows = log.Calls.Where(call => (call.Message is StateQuery ? taught.Contains(call) : Belongs(call.Message, descriptor?.Id)) && Shown(RecordedEvent.Describe(call.Message).Round))
            .SelectMany(call => ArrowsOf(call, descriptor?.Id, end, T)).OrderBy(arrow => arrow.Sent).ThenBy(arrow => arrow.To).ToList();
        TimelineMerger.KeepNewInformation(arrows);
        var values = recorded.Where(one => one.Happened.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned).Select(one => one.Happened.Value).Distinct().Count();
        return new ClusterTimeline(
            descriptor?.Id.ToString(), agents, (agents / 2) + 1, start, [.. Enumerable.Range(0, agents).Select(agent => LaneOf(agent, log, recorded, descriptor))],
            events, arrows, rounds, folded, Silences(log, T), values == 0 ? null : values == 1, descriptor, last, sentence, DurationOf(recorded, descriptor, T));
    }

    /// <summary>As of a real run: to the initiator's decision, or, where it has none, to the first of the others.</summary>
    private static double? DurationOf(List<(TraceStep Step, ProtocolEvent Happened)> events, RunDescriptor? run, Func<long, double> t)
    {
        var ends = events.Where(one => one.Happened.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned).ToList();
        return (ends.Find(one => $"agent{one.Step.Agent + 1}" == run?.Id.Initiator) is { Step: not null } own ? own : ends.FirstOrDefault()).Step is { } decided
            ? t(decided.At) : null;
    }

    private static bool Belongs(Message message, RunId? run) => message is Handshake or Reset || message.Run?.Id == run;

    private static IEnumerable<MessageArrow> ArrowsOf(TraceCall call, RunId? run, long end, Func<long, double> t)
    {
        var (_, round, value, proposal) = RecordedEvent.Describe(call.Message);
        var answer = call.Response ?? call.Receipts.FirstOrDefault().Response;
        var news = call.Response is { } told && told.Run == run ? NewsOf(told) : null;
        var lost = call.FailedAt ?? (call.Lost && call.Receipts.Count == 0 ? end : null);
        double? At(long? at) => at is null ? null : t(at.Value);
        for (var copy = 0; copy < Math.Max(1, call.Receipts.Count); copy++)
        {
            var first = copy == 0;
            yield return new MessageArrow(
                call.Message.Kind, call.From, call.To, t(call.SentAt), call.Receipts.Count == 0 ? null : t(call.Receipts[copy].At),
                first ? At(call.RespondedAt) : null, first ? At(lost) : null, round, value == 0 ? null : value, call.Message is Vote ? proposal : null,
                first ? answer?.Status : call.Receipts[copy].Response?.Status, first ? answer?.Reason : call.Receipts[copy].Response?.Reason, first ? news : null);
        }
    }

    private static NewInformation? NewsOf(Response answer)
    {
        var (kind, round, value, proposal) = RecordedEvent.News(answer);
        return kind == MessageKind.None ? null
            : new NewInformation(TimelineNames.OfMessageKinds[(int)kind], round, value == 0 ? null : value, kind == MessageKind.Vote ? proposal : null);
    }

    private static IEnumerable<LaneEvent> Events(SimulationTrace log, RunId? run, Func<long, double> t)
    {
        var booted = new HashSet<int>();
        foreach (var step in log.Steps)
        {
            if (step.Kind == TraceStepKind.Boot && !booted.Add(step.Agent))
            {
                yield return new LaneEvent(t(step.At), step.Agent, "booted");
            }

            foreach (var protocolEvent in step.Events.Where(protocolEvent => protocolEvent.Run == run || protocolEvent.Kind == ProtocolEventKind.WasReset))
            {
                var enters = protocolEvent.Kind is ProtocolEventKind.Drew or ProtocolEventKind.CaughtUp or ProtocolEventKind.Adopted;
                yield return new LaneEvent(
                    t(step.At), step.Agent, protocolEvent.Kind.WireName(), protocolEvent.Round,
                    protocolEvent.Value == 0 ? null : protocolEvent.Value, Attempt: enters ? protocolEvent.Attempt : null, Other: protocolEvent.Other);
            }
        }
    }

    private static List<RoundValues> RoundsOf(List<(TraceStep Step, ProtocolEvent Happened)> events, int agents, Func<long, double> t)
    {
        var rounds = new SortedDictionary<int, RoundValues>();
        foreach (var (step, protocolEvent) in events.Where(one => one.Happened.Kind is ProtocolEventKind.Drew or ProtocolEventKind.CaughtUp or ProtocolEventKind.Adopted))
        {
            if (!rounds.TryGetValue(protocolEvent.Round, out var round))
            {
                rounds.Add(protocolEvent.Round, round = new RoundValues(protocolEvent.Round, t(step.At), new int?[agents]));
            }

            ((int?[])round.Values)[step.Agent] = protocolEvent.Value;
        }

        return [.. rounds.Values];
    }

    private static Lane LaneOf(int agent, SimulationTrace log, List<(TraceStep Step, ProtocolEvent Happened)> events, RunDescriptor? run)
    {
        var id = $"agent{agent + 1}";
        var own = events.Where(one => one.Step.Agent == agent).Select(one => one.Happened).ToList();
        var decided = own.FindLast(protocolEvent => protocolEvent.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned);
        var learner = own.FindLast(protocolEvent => protocolEvent.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner)?.Kind == ProtocolEventKind.JoinedAsLearner;
        var life = log.Steps.LastOrDefault(step => step.Agent == agent && step.Kind is (TraceStepKind.Boot or TraceStepKind.Crash));
        return new Lane(
            id, life?.Kind != TraceStepKind.Crash, learner ? "learner" : run is null || run.Members.ContainsKey(id) ? "member" : "absent",
            life?.Note, Value: decided?.Value, Round: decided?.Round);
    }

    private static List<UnresponsivePeriod> Silences(SimulationTrace log, Func<long, double> t)
    {
        var silences = new List<UnresponsivePeriod>();
        foreach (var step in log.Steps.Where(step => step.Kind is TraceStepKind.Crash or TraceStepKind.Pause))
        {
            var back = step.Kind == TraceStepKind.Crash ? TraceStepKind.Boot : TraceStepKind.Resume;
            var ends = log.Steps.FirstOrDefault(later => later.Agent == step.Agent && later.Kind == back && later.At >= step.At);
            silences.Add(new UnresponsivePeriod(step.Agent, t(step.At), ends is null ? null : t(ends.At)));
        }

        return silences;
    }
}
