using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>What one agent of the cluster recorded of a run.</summary>
/// <param name="Address">Its address as the serving agent knows it.</param>
/// <param name="Timeline">What it recorded; null where it did not respond.</param>
/// <param name="Summary">The run in short, which outlives the events.</param>
/// <param name="AgentId">Its id as the serving agent knows it; null where it is unknown.</param>
public sealed record Source(string Address, AgentTimeline? Timeline, RunSummary? Summary = null, string? AgentId = null);

/// <summary>Makes one picture of what all agents recorded: matches sends with receipts and puts them on one clock.</summary>
public static class TimelineMerger
{
    /// <summary>Makes it.</summary>
    /// <param name="run">The run; null for none.</param>
    /// <param name="sources">The serving agent first: its clock is the one that counts.</param>
    /// <param name="folded">Rounds that were left out when the sources were read.</param>
    public static ClusterTimeline Merge(string? run, IReadOnlyList<Source> sources, IReadOnlyList<RoundRange> folded)
    {
        var descriptor = sources.Select(source => source.Timeline?.Descriptor).FirstOrDefault(found => found is not null);
        var names = new LaneResolver(sources, descriptor);
        var recorded = sources.Select(source => source.Timeline).OfType<AgentTimeline>()
            .Where(timeline => timeline.Events is not null).ToList();
        var links = Links(recorded, names);
        var offsets = OffsetsOf(sources, links, names);
        long At(int lane, long at) => lane < 0 ? at : at - offsets[lane];

        var start = recorded.SelectMany(timeline => timeline.Events!.Take(1).Select(first => At(names[timeline.AgentId], first.AtUs)))
            .DefaultIfEmpty(0).Min();
        double T(long corrected) => (corrected - start) / 1000.0;

        var decisions = new DecisionReader(recorded, sources.Count);
        var arrows = Arrows(links, decisions, At, T);
        var events = recorded.SelectMany(timeline => timeline.Events!.Where(IsInner)
            .Select(e => ToLaneEvent(e, names[timeline.AgentId], At, T) with { Support = decisions.SupportOf(timeline, e) }))
            .OrderBy(e => e.AtMs).ToList();
        ShowRuns(arrows, events);
        var lanes = names.Ids.Select((id, lane) => ToLane(id, lane, names, sources, descriptor, offsets, events)).ToList();
        var rounds = RoundsOf(recorded, names, At, T);
        var values = lanes.Where(lane => lane.Value is not null).Select(lane => lane.Value).Distinct().Count();
        return RunVerdict.AddTo(TimelineTexts.AddTo(new ClusterTimeline(
            run, sources.Count, Quorum.Of(sources.Count), start, lanes, events,
            arrows, rounds, folded, UnresponsiveOf(arrows, events, lanes.Count),
            values == 0 ? null : values == 1, descriptor, LastRoundOf(rounds, sources, descriptor), DurationMs: DurationOf(sources),
            States: [.. recorded.SelectMany(timeline => StatesOf(timeline, names, at => T(At(names[timeline.AgentId], at))))
                .OrderBy(state => state.AtMs)])));
    }

    private static IEnumerable<LaneState> StatesOf(AgentTimeline timeline, LaneResolver names, Func<long, double> t)
    {
        IReadOnlyDictionary<int, int>? ByLane(IReadOnlyDictionary<string, int>? values) => values
            ?.Select(one => (Lane: names.Resolve(timeline.AgentId, one.Key), one.Value))
                .Where(one => one.Lane >= 0).ToDictionary(one => one.Lane, one => one.Value);
        return (timeline.States ?? []).Select(change => new LaneState(
            t(change.AtUs), names[timeline.AgentId], change.Fresh, change.Down,
            change.Run, change.Round, change.Phase, change.Value, change.Attempts,
            change.Learner, change.Decision, change.Stalled, ByLane(change.Proposals), ByLane(change.Votes)));
    }

    private static int LastRoundOf(List<RoundValues> rounds, IReadOnlyList<Source> sources, RunDescriptor? descriptor) =>
        sources.Select(source => source.Summary).OfType<RunSummary>().Select(summary => (descriptor?.StartRound ?? 1) + summary.Rounds - 1)
            .Append(rounds.Count == 0 ? 0 : rounds[^1].Round).Max();

    private static double? DurationOf(IReadOnlyList<Source> sources) =>
        sources.Where(source => source is { Timeline: not null, Summary: not null })
            .Select(source => (source.Timeline!.AgentId, source.Summary!)).ToList() is { Count: > 0 } known
            ? RunSummary.Choose(known).DurationMs
            : null;

    /// <summary>A message with whatever is known of its two ends, on the clocks of those who recorded them.</summary>
    private sealed class Link(int from, int to)
    {
        public readonly int From = from;
        public int To = to;
        public TimelineEvent? Sent;
        public TimelineEvent? Received;
        public TimelineEvent? Answered;
        public TimelineEvent? Lost;
    }

    private static bool IsInner(TimelineEvent e) =>
        e.KnownKind is not (TimelineEventKind.Sent or TimelineEventKind.Received or TimelineEventKind.Answered or TimelineEventKind.Lost);

    private static List<Link> Links(List<AgentTimeline> recorded, LaneResolver names)
    {
        var links = new List<Link>();
        var byKey = new Dictionary<(int From, string? Boot, long Id), Link>();
        foreach (var timeline in recorded)
        {
            var own = names[timeline.AgentId];
            foreach (var e in timeline.Events!)
            {
                var kind = e.KnownKind;
                if (kind == TimelineEventKind.Sent)
                {
                    var link = new Link(own, names.Resolve(timeline.AgentId, e.Other)) { Sent = e };
                    links.Add(link);
                    byKey[(own, timeline.Boot, e.MessageId ?? 0)] = link;
                }
                else if (kind is TimelineEventKind.Answered or TimelineEventKind.Lost
                    && byKey.TryGetValue((own, timeline.Boot, e.MessageId ?? 0), out var sent))
                {
                    sent.Answered = kind == TimelineEventKind.Answered ? e : sent.Answered;
                    sent.Lost = kind == TimelineEventKind.Lost ? e : sent.Lost;

                    // A response names the agent at the address.
                    sent.To = kind == TimelineEventKind.Answered ? names.Resolve(timeline.AgentId, e.Other) : sent.To;
                }
            }
        }

        foreach (var timeline in recorded)
        {
            var own = names[timeline.AgentId];
            foreach (var e in timeline.Events!.Where(e => e.KnownKind == TimelineEventKind.Received))
            {
                var from = e.Other is null ? -1 : names.Resolve(timeline.AgentId, e.Other);
                var link = e.MessageId is { } id ? byKey.GetValueOrDefault((from, e.OtherBoot, id)) : null;
                if (link is { Received: null })
                {
                    (link.Received, link.To) = (e, own);
                }
                else
                {
                    // Its sender has crashed since, or the network duplicated it.
                    links.Add(new Link(from, own) { Received = e, Sent = link?.Sent });
                }
            }
        }

        return links;
    }

    private static long[] OffsetsOf(IReadOnlyList<Source> sources, List<Link> links, LaneResolver names)
    {
        var root = sources[0].Timeline is { } serving ? names[serving.AgentId] : 0;
        int Swap(int lane) => lane == root ? 0 : lane == 0 ? root : lane;
        var clocks = new ClockOffsetEstimator(names.Ids.Count);
        foreach (var link in links)
        {
            if (link is { From: >= 0, Sent: { } sent, Received: { } received })
            {
                clocks.Observe(Swap(link.From), sent.AtUs, Swap(link.To), received.AtUs);
                if (link.Answered is { } answered)
                {
                    clocks.Observe(Swap(link.To), received.AtUs, Swap(link.From), answered.AtUs);
                }
            }
        }

        var offsets = clocks.Offsets();
        return [.. offsets.Select((_, lane) => offsets[Swap(lane)])];
    }

    private static List<MessageArrow> Arrows(List<Link> links, DecisionReader decisions, Func<int, long, long> at, Func<long, double> t)
    {
        var arrows = new List<MessageArrow>(links.Count);
        foreach (var link in links)
        {
            var what = link.Sent ?? link.Received!;
            var answered = link.Answered is { } a ? at(link.From, a.AtUs) : (long?)null;
            var received = link.Received is { } r ? at(link.To, r.AtUs) : (long?)null;

            // Who records one end only leaves the other to be estimated: a moment before, or in the middle of the exchange.
            var sent = link.Sent is { } s ? at(link.From, s.AtUs) : received!.Value - 200;
            received ??= answered is null ? null : sent + ((answered - sent) / 2);
            received = received is null ? null : Math.Max(received.Value, sent);
            answered = answered is null ? null : Math.Max(answered.Value, received!.Value);
            var end = link.Answered ?? link.Received;
            arrows.Add(new MessageArrow(
                what.Message!, link.From, link.To, t(sent), received is null ? null : t(received.Value),
                answered is null ? null : t(answered.Value),
                link.Lost is { } lost ? t(at(link.From, lost.AtUs)) : null,
                what.Round ?? 0, what.Value, what.Proposal, end?.Status, end?.Reason,
                link.Answered is { Message: { } kind } carried
                    ? new NewInformation(kind, carried.Round ?? 0, carried.Value, carried.Proposal, carried.Run) : null,
                link.Sent is null || (link.Received is null && answered is not null), what.MessageId, what.Run,
                decisions.AreCompletedBy(link.Received), decisions.AreCompletedBy(link.Answered)));
        }

        arrows.Sort((x, y) => x.Sent != y.Sent ? x.Sent.CompareTo(y.Sent) : x.To.CompareTo(y.To));
        KeepNewInformation(arrows);
        return arrows;
    }

    /// <summary>A response repeats its sender's state. Only the first copy that an agent receives is new information.</summary>
    private static void KeepNewInformation(List<MessageArrow> arrows)
    {
        var arrivals = new List<(double AtMs, int Index, bool IsResponse)>(arrows.Count * 2);
        for (var i = 0; i < arrows.Count; i++)
        {
            if (arrows[i] is { Received: { } received } arrow
                && WireNames.Parse<MessageKind>(arrow.Kind)
                    is MessageKind.Proposal or MessageKind.Vote or MessageKind.Final or MessageKind.NewRound)
            {
                arrivals.Add((received, i, false));
            }

            if (arrows[i] is { Answered: { } answered, Piggybacked: not null })
            {
                arrivals.Add((answered, i, true));
            }
        }

        arrivals.Sort();
        var known = new HashSet<(int From, int To, string? Run, MessageKind? Kind, int Round, int? Value)>();
        bool Informs(int from, int to, string? run, string name, int round, int? value, int? proposal)
        {
            var kind = WireNames.Parse<MessageKind>(name);
            if (kind == MessageKind.Vote)
            {
                known.Add((from, to, run, MessageKind.Proposal, round, proposal));
            }

            // A decision is the same in whatever round a message reports it.
            return known.Add(
                (from, to, run, kind == MessageKind.NewRound ? MessageKind.Proposal : kind, kind == MessageKind.Final ? 0 : round, value));
        }

        foreach (var (_, i, isResponse) in arrivals)
        {
            var arrow = arrows[i];
            if (!isResponse)
            {
                Informs(arrow.From, arrow.To, arrow.Run, arrow.Kind, arrow.Round, arrow.Value, arrow.Proposal);
            }
            else if (arrow.Piggybacked is { } carried
                && !Informs(arrow.To, arrow.From, carried.Run, carried.Kind, carried.Round, carried.Value, carried.Proposal)
                && arrow.ResponseCompletes != true)
            {
                arrows[i] = arrow with { Piggybacked = null };
            }
        }
    }

    /// <summary>The run is new information where an agent joined it by a response to its query for state that carries no message.</summary>
    private static void ShowRuns(List<MessageArrow> arrows, List<LaneEvent> events)
    {
        var query = MessageKind.StateQuery.WireName();
        foreach (var joined in events.Where(e => e.KnownKind is TimelineEventKind.Joined or TimelineEventKind.JoinedAsLearner))
        {
            var i = arrows.FindIndex(arrow =>
                arrow.Kind == query && arrow.From == joined.Lane && arrow.Answered == joined.AtMs && arrow.Piggybacked is null);
            if (i >= 0)
            {
                arrows[i] = arrows[i] with { Piggybacked = new NewInformation(query, 0, Run: joined.Run) };
            }
        }
    }

    private static LaneEvent ToLaneEvent(TimelineEvent e, int lane, Func<int, long, long> at, Func<long, double> t) =>
        new(t(at(lane, e.AtUs)), lane, e.Kind, e.Round ?? 0, e.Value, e.Proposal, e.Attempt, e.Other, e.Run);

    private static Lane ToLane(
        string id, int lane, LaneResolver names, IReadOnlyList<Source> sources,
        RunDescriptor? descriptor, long[] offsets, List<LaneEvent> events)
    {
        var source = sources.FirstOrDefault(source => source.Timeline?.AgentId == id);
        var timeline = source?.Timeline;
        var decided = events.Find(e => e.Lane == lane && e.Run is null
            && (e.KnownKind is TimelineEventKind.Decided or TimelineEventKind.Learned
                || e is { KnownKind: TimelineEventKind.Restored, Value: not null }));
        var part = names.IsFormer(id) ? "former" : timeline?.Learner == true ? "learner"
            : descriptor is null || descriptor.Members.ContainsKey(id) ? "member" : "absent";
        return new Lane(id, timeline is not null, part, timeline?.Boot, offsets[lane] / 1000.0,
            decided?.Value ?? source?.Summary?.Value, decided?.Round ?? source?.Summary?.DecisionRound, timeline?.Dropped ?? 0,
            timeline is { States: not null } or { Events: null });
    }

    private static List<RoundValues> RoundsOf(
        List<AgentTimeline> recorded, LaneResolver names, Func<int, long, long> at, Func<long, double> t)
    {
        var rounds = new SortedDictionary<int, (long At, int?[] Values)>();
        foreach (var timeline in recorded)
        {
            var lane = names[timeline.AgentId];
            foreach (var entry in timeline.Rounds ?? [])
            {
                var when = at(lane, entry.AtUs);
                var (first, values) = rounds.TryGetValue(entry.Round, out var known) ? known : (when, new int?[names.Ids.Count]);
                values[lane] = entry.Value;
                rounds[entry.Round] = (Math.Min(first, when), values);
            }
        }

        return [.. rounds.Select(round => new RoundValues(round.Key, t(round.Value.At), round.Value.Values))];
    }

    /// <summary>From the first message that an agent did not respond to until its next message.</summary>
    private static List<UnresponsivePeriod> UnresponsiveOf(List<MessageArrow> arrows, List<LaneEvent> events, int lanes)
    {
        var periods = new List<UnresponsivePeriod>();
        for (var lane = 0; lane < lanes; lane++)
        {
            double[] sentAt =
            [
                .. events.Where(e => e.Lane == lane).Select(e => e.AtMs)
                    .Concat(arrows.Where(a => a.From == lane && !(a.Estimated && a.Answered is null)).Select(a => a.Sent))
                    .Concat(arrows.Where(a => a.To == lane && a.Received is not null).Select(a => a.Received!.Value)).Order(),
            ];
            var until = double.MinValue;
            foreach (var lost in arrows.Where(a => a.To == lane && a.Received is null && a.LostAt is not null))
            {
                if (lost.Sent < until)
                {
                    continue;
                }

                var next = Array.BinarySearch(sentAt, lost.Sent);
                next = next < 0 ? ~next : next;
                until = next < sentAt.Length ? sentAt[next] : double.MaxValue;
                if (until - lost.Sent > MinSilenceMs)
                {
                    periods.Add(new UnresponsivePeriod(lane, lost.Sent, until == double.MaxValue ? null : until));
                }
            }
        }

        return periods;
    }

    /// <summary>An agent that sends within this time of a lost message is up.</summary>
    private const double MinSilenceMs = 20;
}
