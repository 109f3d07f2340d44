using System.Text.Json;
using Consensus.Protocol;
using Consensus.Simulation.Worlds;

namespace Consensus.Agent.Timeline;

/// <summary>Makes the picture of a simulated world that the page draws of real ones. Here one clock rules, and nothing is guessed.</summary>
internal static class SimulatedTimeline
{
    /// <param name="log">What happened.</param>
    /// <param name="agents">How many agents there are.</param>
    /// <param name="sentence">What came of it.</param>
    /// <param name="detail">Rounds to show though they would be folded.</param>
    public static ClusterTimeline Of(WorldLog log, int agents, string sentence, IReadOnlyList<RoundRange> detail)
    {
        var descriptor = log.Calls.Select(call => call.Message.Run).OfType<RunDescriptor>().MaxBy(run => run.Id);
        var start = log.Steps.FirstOrDefault(step => step.Kind == StepKind.Start)?.At ?? 0;
        var end = log.Steps.Count == 0 ? 0 : log.Steps[^1].At;
        double T(long at) => (at - start) / 1000.0;

        var happenings = log.Steps.SelectMany(step => step.Happenings.Where(happened => happened.Run == descriptor?.Id).Select(happened => (Step: step, Happened: happened))).ToList();
        var rounds = RoundsOf(happenings, agents, T);
        var last = rounds.Count == 0 ? 0 : rounds[^1].Round;
        var (_, folded) = RoundFolding.Fold(1, last, detail);
        bool Shown(int round) => !folded.Exists(range => round >= range.From && round <= range.To);

        var events = Events(log, descriptor?.Id, T).Where(e => e.Kind is not ("drew" or "copied" or "adopted" or "voted") || Shown(e.Round)).ToList();

        // Of questions for state, those are shown whose answer taught something.
        var taught = log.Steps.Where(step => step.Kind == StepKind.Answer && step.Happenings.Count > 0).Select(step => step.Call!).ToHashSet();
        var arrows = log.Calls.Where(call => (call.Message is StateQuery ? taught.Contains(call) : Belongs(call.Message, descriptor?.Id)) && Shown(Entry.Describe(call.Message).Round))
            .SelectMany(call => ArrowsOf(call, descriptor?.Id, end, T)).OrderBy(arrow => arrow.Sent).ThenBy(arrow => arrow.To).ToList();
        Merge.KeepWhatIsNew(arrows);
        var values = happenings.Where(one => one.Happened.Kind is Happening.Decided or Happening.Learned).Select(one => one.Happened.Value).Distinct().Count();
        return new ClusterTimeline(
            descriptor?.Id.ToString(), agents, (agents / 2) + 1, start, [.. Enumerable.Range(0, agents).Select(agent => LaneOf(agent, log, happenings, descriptor))],
            events, arrows, rounds, folded, Silences(log, T), values == 0 ? null : values == 1, descriptor, last, sentence, DurationOf(happenings, descriptor, T));
    }

    /// <summary>As of a real run: to the initiator's decision, or, where it has none, to the first of the others.</summary>
    private static double? DurationOf(List<(WorldStep Step, Happened Happened)> happenings, RunDescriptor? run, Func<long, double> t)
    {
        var ends = happenings.Where(one => one.Happened.Kind is Happening.Decided or Happening.Learned).ToList();
        return (ends.Find(one => $"agent{one.Step.Agent + 1}" == run?.Id.Initiator) is { Step: not null } own ? own : ends.FirstOrDefault()).Step is { } decided
            ? t(decided.At) : null;
    }

    private static bool Belongs(Message message, RunId? run) => message is Handshake or Reset || message.Run?.Id == run;

    private static IEnumerable<Arrow> ArrowsOf(WorldCall call, RunId? run, long end, Func<long, double> t)
    {
        var (_, round, value, proposal) = Entry.Describe(call.Message);
        var answer = call.Answer ?? call.Receipts.FirstOrDefault().Answer;
        var news = call.Answer is { } told && told.Run == run ? NewsOf(told) : null;
        var lost = call.FailedAt ?? (call.Lost && call.Receipts.Count == 0 ? end : null);
        double? At(long? at) => at is null ? null : t(at.Value);
        for (var copy = 0; copy < Math.Max(1, call.Receipts.Count); copy++)
        {
            var first = copy == 0;
            yield return new Arrow(
                call.Message.Kind, call.From, call.To, t(call.SentAt), call.Receipts.Count == 0 ? null : t(call.Receipts[copy].At),
                first ? At(call.AnsweredAt) : null, first ? At(lost) : null, round, value == 0 ? null : value, call.Message is Vote ? proposal : null,
                first ? answer?.Status : call.Receipts[copy].Answer?.Status, first ? answer?.Reason : call.Receipts[copy].Answer?.Reason, first ? news : null);
        }
    }

    private static News? NewsOf(Answer answer)
    {
        var (kind, round, value, proposal) = Entry.News(answer);
        return kind == MessageKind.None ? null
            : new News(JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()), round, value == 0 ? null : value, kind == MessageKind.Vote ? proposal : null);
    }

    private static IEnumerable<LaneEvent> Events(WorldLog log, RunId? run, Func<long, double> t)
    {
        var booted = new HashSet<int>();
        foreach (var step in log.Steps)
        {
            if (step.Kind == StepKind.Boot && !booted.Add(step.Agent))
            {
                yield return new LaneEvent(t(step.At), step.Agent, "booted");
            }

            foreach (var happened in step.Happenings.Where(happened => happened.Run == run || happened.Kind == Happening.WasReset))
            {
                var enters = happened.Kind is Happening.Drew or Happening.Copied or Happening.Adopted;
                yield return new LaneEvent(
                    t(step.At), step.Agent, JsonNamingPolicy.SnakeCaseLower.ConvertName(happened.Kind.ToString()), happened.Round,
                    happened.Value == 0 ? null : happened.Value, Attempt: enters ? happened.Attempt : null, Other: happened.Other);
            }
        }
    }

    private static List<RoundValues> RoundsOf(List<(WorldStep Step, Happened Happened)> happenings, int agents, Func<long, double> t)
    {
        var rounds = new SortedDictionary<int, RoundValues>();
        foreach (var (step, happened) in happenings.Where(one => one.Happened.Kind is Happening.Drew or Happening.Copied or Happening.Adopted))
        {
            if (!rounds.TryGetValue(happened.Round, out var round))
            {
                rounds.Add(happened.Round, round = new RoundValues(happened.Round, t(step.At), new int?[agents]));
            }

            ((int?[])round.Values)[step.Agent] = happened.Value;
        }

        return [.. rounds.Values];
    }

    private static Lane LaneOf(int agent, WorldLog log, List<(WorldStep Step, Happened Happened)> happenings, RunDescriptor? run)
    {
        var id = $"agent{agent + 1}";
        var own = happenings.Where(one => one.Step.Agent == agent).Select(one => one.Happened).ToList();
        var decided = own.FindLast(happened => happened.Kind is Happening.Decided or Happening.Learned);
        var learner = own.FindLast(happened => happened.Kind is Happening.Joined or Happening.JoinedAsLearner)?.Kind == Happening.JoinedAsLearner;
        var life = log.Steps.LastOrDefault(step => step.Agent == agent && step.Kind is (StepKind.Boot or StepKind.Crash));
        return new Lane(
            id, life?.Kind != StepKind.Crash, learner ? "learner" : run is null || run.Members.ContainsKey(id) ? "member" : "absent",
            life?.Note, Value: decided?.Value, Round: decided?.Round);
    }

    private static List<Silence> Silences(WorldLog log, Func<long, double> t)
    {
        var silences = new List<Silence>();
        foreach (var step in log.Steps.Where(step => step.Kind is StepKind.Crash or StepKind.Pause))
        {
            var back = step.Kind == StepKind.Crash ? StepKind.Boot : StepKind.Resume;
            var ends = log.Steps.FirstOrDefault(later => later.Agent == step.Agent && later.Kind == back && later.At >= step.At);
            silences.Add(new Silence(step.Agent, t(step.At), ends is null ? null : t(ends.At)));
        }

        return silences;
    }
}
