using Consensus.Protocol;

namespace Consensus.Simulation.Explanations;

/// <summary>
/// Explains what happened in a run. An agent is a machine that its inputs drive, so the causes of a step are found by executing it again:
/// of the inputs since the agent entered the round, those remain without which the same does not happen.
/// </summary>
/// <param name="trace">What happened.</param>
/// <param name="make">Makes the machines that took the steps; null: those with the sound rules.</param>
public sealed partial class Explainer(SimulationTrace trace, StateMachineFactory? make = null)
{
    internal const string RunRequested = "the request for a run";

    private readonly StateMachineFactory _make = make ?? SimulatedCluster.Core;
    private readonly Dictionary<int, ProcessReplay> _replays = [];
    private (bool Known, GuiltyStep? Step) _guilty;

    /// <summary>Of a broken rule: the first step that the sound rule would not take; else null.</summary>
    public GuiltyStep? Guilty
    {
        get
        {
            _guilty = _guilty.Known || make is null ? _guilty : (true, SoundRule.FindGuilty(trace, make, trace.Steps.Count - 1));
            return _guilty.Step;
        }
    }

    /// <summary>Explains an event.</summary>
    /// <param name="step">The step that has it: an index of the trace.</param>
    /// <param name="what">The event.</param>
    public Explanation Explain(int step, ProtocolEvent what)
    {
        ArgumentNullException.ThrowIfNull(what);
        var found = trace.Steps[step].Input is null ? Observe(step, what) : CausesOf(step, what);
        return Finish(found, EventFormatter.Of(what), ExplanationText.Of(what, found, this));
    }

    /// <summary>Explains a violation by the last thing that happened in its run; null where nothing did.</summary>
    /// <param name="run">The run that it concerns; null: any.</param>
    public Explanation? ExplainEnd(RunId? run = null)
    {
        for (var i = trace.Steps.Count - 1; i >= 0; i--)
        {
            if (trace.Steps[i].Events.LastOrDefault(one => run is null || one.Run == run) is { } last)
            {
                return Explain(i, last);
            }
        }

        return null;
    }

    /// <summary>Explains why a message was ignored or refused.</summary>
    /// <param name="step">The step that received it: an index of the trace.</param>
    /// <returns>Null where it was accepted.</returns>
    public Explanation? ExplainIgnored(int step)
    {
        var taken = trace.Steps[step];
        if (taken.Input is not MessageReceived { Message: { } message } input)
        {
            return null;
        }

        var replay = ReplayOf(step);
        var position = PositionOf(replay, step);
        var machine = replay.Before(position).Clone();
        var reply = replay.Take(machine, position).OfType<Reply>().Single().Response;
        if (reply.Status is not (ResponseStatus.Ignored or ResponseStatus.Refused))
        {
            return null;
        }

        // What brought the receiver where it ignores the message.
        var why = PositionOfState(replay, position, reply.Reason);
        bool IsReply(Reply one) => one.Response.Status == reply.Status && one.Response.Reason == reply.Reason;
        var found = Search(
            replay, why?.Position ?? position, position, message.Run?.Id ?? RunId.None, message.Content.Round,
            (_, given, effects) => ReferenceEquals(given, input) && effects.OfType<Reply>().Any(IsReply));
        var outcome = EventFormatter.Outcome(reply.Status, reply.Reason).Split(": ")[^1];
        var text = $"{(reply.Status == ResponseStatus.Refused ? "refuses" : "ignores")} {TextOf(step)}: {outcome}";
        return Finish(found, text, ExplanationText.OfIgnored(text, why?.Event, found));
    }

    /// <summary>Explains why an agent reports its run as stalled.</summary>
    /// <param name="agent">The agent, from 0.</param>
    /// <returns>Null where it reports none.</returns>
    public Explanation? ExplainStall(int agent)
    {
        for (var i = 0; i < trace.Steps.Count; i++)
        {
            if (trace.Steps[i].Process is null || trace.Steps[i].Agent != agent)
            {
                continue;
            }

            var replay = ReplayOf(i);
            for (var position = 0; position < replay.Steps.Count; position++)
            {
                if (replay.Before(position + 1) is { CurrentRun: { } run } machine && machine.Stalled() is { } reason)
                {
                    var joined = FindEvent(replay, position,
                        one => one.Run == run.Id && one.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner);
                    var found = Search(replay, joined?.Position ?? 0, position, run.Id, 0,
                        (now, _, _) => now.CurrentRun?.Id == run.Id && now.Stalled() is not null);
                    var text = $"reports run {run.Id} as stalled";
                    return Finish(found, text, ExplanationText.OfStall(text, reason, run, found));
                }
            }
        }

        return null;
    }

    /// <summary>The first decision of a run that is not this one, and who supports it; null: none.</summary>
    internal (ProtocolEvent Decided, Found Support)? OtherDecision(RunId run, int agent, int? value = null)
    {
        for (var i = 0; i < trace.Steps.Count; i++)
        {
            if (trace.Steps[i].Agent != agent && trace.Steps[i].Events.FirstOrDefault(one =>
                one.Kind == ProtocolEventKind.Decided && one.Run == run && (value is null || one.Value == value)) is { } decided)
            {
                return (decided, trace.Steps[i].Input is null ? Observe(i, decided) : CausesOf(i, decided));
            }
        }

        return null;
    }

    /// <summary>The causes of an event.</summary>
    internal Found CausesOf(int step, ProtocolEvent what)
    {
        var replay = ReplayOf(step);
        var position = PositionOf(replay, step);
        var (from, round) = SpanOf(replay, position, what);
        return Search(replay, from, position, what.Run, round,
            (_, _, effects) => effects.OfType<ProtocolEvent>().Any(one => IsSame(one, what)));
    }

    /// <summary>The inputs that caused something.</summary>
    /// <param name="Step">The step in which it happened.</param>
    /// <param name="Agent">The agent's id.</param>
    /// <param name="Index">The agent, from 0.</param>
    /// <param name="From">The first step that a cause may be.</param>
    /// <param name="Causes">The causes.</param>
    /// <param name="Alternatives">What else would have caused it.</param>
    /// <param name="Evidence">What the causes say of the round.</param>
    /// <param name="Silent">Causes that say nothing of the round.</param>
    /// <param name="N">How many agents it counts.</param>
    /// <param name="Before">What it knew before the step; null: it gives no record.</param>
    internal sealed record Found(
        int Step, string Agent, int Index, int From, IReadOnlyList<Cause> Causes,
        IReadOnlyList<AlternativeCause> Alternatives, Evidence Evidence,
        IReadOnlyList<Cause> Silent, int N, AgentSnapshot? Before);

    private Explanation Finish(Found found, string text, ExplanationText written)
    {
        var past = CausalPast.Of(trace, found.Step);
        IEnumerable<string> sentences = [.. written.Claims];
        if (Guilty is { } guilty && guilty.Run == found.Evidence.Run && guilty.Step <= past[trace.Steps[guilty.Step].Agent])
        {
            sentences = [.. sentences.Take(Explanation.MaxSentences - 1), guilty.Sentence];
        }

        List<string> shared = written.Quorums.Count < 2 ? []
            : [.. written.Quorums.Skip(1).Aggregate(written.Quorums[0].Agents, (common, quorum) => [.. common.Intersect(quorum.Agents)])];
        return new(
            found.Step, found.Agent, text, [.. sentences.Take(Explanation.MaxSentences)],
            found.From, found.Causes, found.Alternatives, written.Quorums, shared, Guilty, past);
    }

    private Found Search(ProcessReplay replay, int from, int position, RunId run, int round, Wanted wanted)
    {
        var span = Enumerable.Range(from, position - from + 1).ToList();

        // The first and the last are what happened, where they suffice.
        List<int> ends = [.. new[] { from, position }.Distinct()];
        var minimal = replay.Minimize(from, replay.Happens(from, ends, wanted) ? ends : span, wanted);
        List<AlternativeCause> alternatives = [];
        foreach (var missing in minimal)
        {
            List<int> rest = [.. span.Where(one => one != missing)];
            if (replay.Happens(from, rest, wanted))
            {
                alternatives.Add(
                    new(CauseOf(replay, missing), [.. replay.Minimize(from, rest, wanted).Select(one => CauseOf(replay, one))]));
            }
        }

        var evidence = new Evidence(run, round);
        evidence.Add(replay.Before(from).Snapshot());
        List<Cause> silent = [];
        foreach (var one in minimal)
        {
            if (!evidence.Add(trace.Steps[replay.Steps[one]].Input!))
            {
                silent.Add(CauseOf(replay, one));
            }
        }

        var agent = trace.IdOf(replay.Agent);
        foreach (var did in replay.Steps.Take(position + 1).SelectMany(step => trace.Steps[step].Events))
        {
            evidence.Add(agent, did);
        }

        return new(
            replay.Steps[position], agent, replay.Agent, replay.Steps[from],
            [.. minimal.Select(one => CauseOf(replay, one))], alternatives, evidence,
            silent, replay.Before(position).ClusterSize, replay.Before(position).Snapshot());
    }

    private Cause CauseOf(ProcessReplay replay, int position)
    {
        var step = replay.Steps[position];
        return new(step, TextOf(step), trace.Steps[step].Call?.Number ?? 0);
    }

    // What a step draws is chance.
    private static bool IsSame(ProtocolEvent one, ProtocolEvent other) =>
        one.Kind == other.Kind && one.Run == other.Run && one.Round == other.Round
        && (one.Value == other.Value || one.Kind == ProtocolEventKind.Drew);

    /// <summary>From which step on causes are looked for, and the round whose proposals and votes matter.</summary>
    private (int From, int Round) SpanOf(ProcessReplay replay, int position, ProtocolEvent what)
    {
        switch (what.Kind)
        {
            case ProtocolEventKind.Voted or ProtocolEventKind.Decided or ProtocolEventKind.Equivocated:
                return (SinceEntryOf(replay, position, what.Run, what.Round) ?? position, what.Round);
            case ProtocolEventKind.Drew or ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner
                when IsStart(replay, position, what):
                return (SinceStartOf(replay, position, what), what.Round);
            case ProtocolEventKind.Drew or ProtocolEventKind.Adopted
                when SinceEntryOf(replay, position, what.Run, what.Round - 1) is { } before:
                return (before, what.Round - 1);
            case ProtocolEventKind.AgreementViolated:
                return (FindEvent(replay, position, one => one.Run == what.Run && IsDecision(one))?.Position ?? position, what.Round);
            default:
                return (position, what.Round);
        }
    }

    /// <summary>
    /// The first step after an agent entered a round; the step itself where it brought others' proposals or votes with it.
    /// </summary>
    private int? SinceEntryOf(ProcessReplay replay, int position, RunId run, int round)
    {
        if (FindEvent(replay, position, one => one.EntersRound && one.Run == run && one.Round == round) is not { Position: var entered })
        {
            return trace.Steps[replay.First].Process!.State.IsEmpty ? null : 0;
        }

        if (entered == position)
        {
            return position;
        }

        var known = new Evidence(run, round);
        known.Add(replay.Before(entered + 1).Snapshot());
        return known.Proposals.Count > 1 ? entered : entered + 1;
    }

    /// <summary>Whether the agent joined the run in this trace and has entered no round before.</summary>
    private bool IsStart(ProcessReplay replay, int position, ProtocolEvent what) =>
        FindEvent(replay, position,
            one => one.Run == what.Run && one.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner) is not null
        && FindEvent(replay, position, one => one.EntersRound && one.Run == what.Run && one.Round < what.Round) is null;

    /// <summary>The step by which an agent joined a run, or by which a client asked the agent to start it.</summary>
    private int SinceStartOf(ProcessReplay replay, int position, ProtocolEvent what)
    {
        var joined = FindEvent(
            replay, position, one => one.Run == what.Run && one.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner);
        var from = joined?.Position ?? position;
        for (var i = from; i >= 0 && what.Run.Initiator == trace.IdOf(replay.Agent); i--)
        {
            if (trace.Steps[replay.Steps[i]].Input is StartRun
                && replay.Happens(i, Enumerable.Range(i, position - i + 1),
                    (_, _, effects) => effects.OfType<ProtocolEvent>().Any(one => IsSame(one, what))))
            {
                return i;
            }
        }

        return from;
    }

    private (int Position, ProtocolEvent Event)? PositionOfState(
        ProcessReplay replay, int position, ResponseReason? reason) => reason switch
        {
            ResponseReason.AlreadyDecided or ResponseReason.Disagreement => FindEvent(replay, position, IsDecision),
            ResponseReason.RoundMismatch or ResponseReason.StaleRound =>
                FindEvent(replay, position, one => one.EntersRound || one.Kind == ProtocolEventKind.Joined),
            ResponseReason.StaleRun => FindEvent(
                replay, position,
                one => one.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner or ProtocolEventKind.Restored),
            _ => null,
        };

    private static bool IsDecision(ProtocolEvent one) => one.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned;

    /// <summary>The last such event up to a step.</summary>
    private (int Position, ProtocolEvent Event)? FindEvent(ProcessReplay replay, int position, Func<ProtocolEvent, bool> isIt)
    {
        for (; position >= 0; position--)
        {
            if (trace.Steps[replay.Steps[position]].Events.LastOrDefault(isIt) is { } found)
            {
                return (position, found);
            }
        }

        return null;
    }

    private static int PositionOf(ProcessReplay replay, int step) => replay.Steps.BinarySearch(step);

    private ProcessReplay ReplayOf(int step)
    {
        if (!_replays.TryGetValue(step, out var replay))
        {
            replay = new ProcessReplay(trace, _make, step);
            foreach (var one in replay.Steps)
            {
                _replays[one] = replay;
            }

            _replays[step] = replay;
        }

        return replay;
    }
}
