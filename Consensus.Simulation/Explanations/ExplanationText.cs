using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Simulation.Explanations;

/// <summary>The sentences of an explanation, the most important first, and its quorums.</summary>
/// <param name="Claims">The sentences.</param>
/// <param name="Quorums">The quorums.</param>
internal sealed record ExplanationText(IReadOnlyList<string> Claims, IReadOnlyList<ExplainedQuorum> Quorums)
{
    /// <summary>Words an event.</summary>
    public static ExplanationText Of(ProtocolEvent what, Explainer.Found found, Explainer explainer)
    {
        var (evidence, round, value, n) = (found.Evidence, found.Evidence.Round, what.Value, found.N);
        var votes = evidence.Votes.Count > 0;
        List<ExplainedQuorum> quorums = [];
        string? reason = null;
        string? rule = null;
        switch (what.Kind)
        {
            case ProtocolEventKind.Voted when value > 0:
                reason = Majority("proposed", value, evidence.ProposersOf(value), n, quorums, round);
                break;
            case ProtocolEventKind.Voted:
                reason = $"{Proposals(evidence)}, so no value has a majority, {Quorum.Of(n)} of {n}";
                break;
            case ProtocolEventKind.Decided:
                reason = votes ? Majority("voted for", value, evidence.VotersFor(value), n, quorums, round)
                    : Majority("proposed", value, evidence.ProposersOf(value), n, quorums, round);
                rule = Agreement(what, found, explainer, quorums);
                break;
            case ProtocolEventKind.Adopted:
                List<string> voters = [.. evidence.Votes.Keys];
                quorums.Add(new(Invariant($"votes of round {round}"), voters, round, Votes: true));
                reason = Invariant($"of the votes of {EventFormatter.List(voters)} in round {round}, ")
                    + Invariant($"{EventFormatter.List(evidence.VotersFor(value))} voted for {value}");
                rule = Agreement(what, found, explainer, quorums)
                    ?? Invariant($"A decision of {value} needs {Quorum.Of(n)} of {n} votes, ")
                        + Invariant($"and any two such quorums share an agent: {value} may be decided.");
                break;
            case ProtocolEventKind.Drew when votes && round < what.Round:
                List<string> none = evidence.VotersFor(0);
                quorums.Add(new(Invariant($"votes of round {round}"), [.. evidence.Votes.Keys], round, Votes: true));
                var all = EventFormatter.List(
                    [.. evidence.Votes.Select(one => $"{one.Key} voted for {EventFormatter.ValueOrNone(one.Value)}")]);
                reason = none.Count < Quorum.Of(n) ? Invariant($"in round {round}, {all}")
                    : Invariant($"{EventFormatter.List(none)} voted for none in round {round}, so no value can be decided there");
                rule = none.Count < Quorum.Of(n) ? null : Invariant($"Any value may be next, and chance drew {value}.");
                break;
            case ProtocolEventKind.Drew when round < what.Round:
                reason = $"{Proposals(evidence)}, so no value has a majority, {Quorum.Of(n)} of {n}";
                break;
            case ProtocolEventKind.Drew:
                var starts = what.Run.Initiator == found.Agent && found.Causes.Any(cause => cause.Text == Explainer.RunRequested);
                var entered = what.Run.IsNone ? "the round" : $"run {what.Run}";
                reason = $"it {(starts ? "starts" : "enters")} {entered} by {Texts(found.Causes)}";
                break;
            case ProtocolEventKind.CaughtUp:
                reason = $"{Texts(found.Causes)} came while it was in an earlier round";
                rule = Invariant($"An agent that is behind copies, and never draws: {value} may be decided.");
                break;
            case ProtocolEventKind.Equivocated:
                reason = $"{Texts(found.Causes)} contradict each other";
                break;
            case ProtocolEventKind.AgreementViolated:
                reason = found.Before?.Decision is { } own
                    ? Invariant($"it decided {own.Value} in round {own.Round}, and {found.Causes[^1].Text} says otherwise") : null;
                rule = Disagreement(what, found, explainer, quorums);
                break;
        }

        reason ??= found.Causes.Count == 0 ? "nothing that was seen led to it" : null;
        var first = $"{found.Agent} {EventFormatter.Of(what)}{(reason is null ? "" : ":")} {reason ?? $"by {Texts(found.Causes)}"}.";
        var waited = found.Silent.Count == 0 || first.Contains(Texts(found.Causes), StringComparison.Ordinal)
            || what.Kind == ProtocolEventKind.AgreementViolated
            ? null : $"It waits no longer after {Texts(found.Silent)}.";
        var foreign = found.Before is null ? $"{found.Agent} gives no record, so this follows from the messages alone." : null;
        return new([.. new[] { first, foreign, waited, Alternatives(found), rule }.OfType<string>()], quorums);
    }

    /// <summary>Words why a message was ignored.</summary>
    /// <param name="text">What happened.</param>
    /// <param name="state">What brought the receiver where it ignores the message; null: nothing did.</param>
    /// <param name="found">The causes.</param>
    public static ExplanationText OfIgnored(string text, ProtocolEvent? state, Explainer.Found found)
    {
        List<Cause> others = [.. found.Causes.Where(cause => cause.Step != found.Step)];
        var before = state is null ? null
            : others.Count == 0 ? $"Before, {found.Agent} {EventFormatter.Of(state)}."
            : $"Before, {found.Agent} {EventFormatter.Of(state)}, by {Texts(others)}.";
        return new([.. new[] { $"{found.Agent} {text}.", before, Alternatives(found) }.OfType<string>()], []);
    }

    /// <summary>Words a stall.</summary>
    public static ExplanationText OfStall(string text, string reason, RunDescriptor run, Explainer.Found found) => new(
        [
            .. new[]
            {
                $"{found.Agent} {text}: {reason}.",
                Invariant($"A majority is {Quorum.Of(run.N)} of {run.N} agents, and fewer members can still take part."),
                $"It knows this by {Texts(found.Causes)}.", Alternatives(found),
            }.OfType<string>(),
        ],
        []);

    private static string Majority(string verb, int value, List<string> agents, int n, List<ExplainedQuorum> quorums, int round)
    {
        quorums.Add(new(Invariant($"{verb} {value} in round {round}"), agents, round, Votes: verb != "proposed"));
        return agents.Count == 0 ? Invariant($"no message shows who {verb} {value}, and a majority is {Quorum.Of(n)} of {n}")
            : Invariant($"{EventFormatter.List(agents)} {verb} {value}")
            + (agents.Count >= Quorum.Of(n)
                ? Invariant($", and {agents.Count} of {n} are a majority") : Invariant($", which is {agents.Count} of {n}"));
    }

    private static string Proposals(Evidence evidence) =>
        EventFormatter.List([.. evidence.Proposals.Select(one => Invariant($"{one.Key} proposed {one.Value}"))]);

    /// <summary>The quorum of another agent's decision, and who is in both.</summary>
    private static string? Agreement(ProtocolEvent what, Explainer.Found found, Explainer explainer, List<ExplainedQuorum> quorums)
    {
        if (explainer.OtherDecision(what.Run, found.Index) is not { } other
            || (what.Kind == ProtocolEventKind.Adopted && other.Decided.Round != found.Evidence.Round))
        {
            return null;
        }

        return Shared(other, quorums, other.Decided.Value == what.Value ? null : found.Evidence);
    }

    private static string? Disagreement(ProtocolEvent what, Explainer.Found found, Explainer explainer, List<ExplainedQuorum> quorums)
    {
        if (found.Before?.Decision is not { } own || explainer.OtherDecision(what.Run, -1, own.Value) is not { } mine
            || explainer.OtherDecision(what.Run, -1, what.Value) is not { } other)
        {
            return null;
        }

        Shared(mine, quorums, null);
        return Shared(other, quorums, mine.Support.Evidence);
    }

    private static string Shared((ProtocolEvent Decided, Explainer.Found Support) other, List<ExplainedQuorum> quorums, Evidence? differing)
    {
        var (decided, evidence) = (other.Decided, other.Support.Evidence);
        var votes = evidence.Votes.Count > 0;
        var agents = votes ? evidence.VotersFor(decided.Value) : evidence.ProposersOf(decided.Value);
        var common = quorums.Count == 0 ? [] : quorums[0].Agents.Intersect(agents).ToList();
        quorums.Add(
            new(Invariant($"{(votes ? "voted for" : "proposed")} {decided.Value} in round {decided.Round}"), agents, decided.Round, votes));
        var shared = common.Count == 0 ? "the quorums share no agent" : $"both quorums share {EventFormatter.List(common)}";
        var said = common.Count == 0 || differing is null || differing.Round == evidence.Round ? ""
            : ", which proposed " + EventFormatter.List([.. new[] { evidence, differing }.OrderBy(one => one.Round)
                .Where(one => one.Proposals.ContainsKey(common[0]))
                .Select(one => Invariant($"{one.Proposals[common[0]]} in round {one.Round}"))]);
        return Invariant($"{other.Support.Agent} decided {decided.Value} in round {decided.Round} on ")
            + Invariant($"the {(votes ? "votes" : "proposals")} of {EventFormatter.List(agents)}: {shared}{said}.");
    }

    private static string? Alternatives(Explainer.Found found)
    {
        List<string> missing = [.. found.Alternatives.Select(one => one.Missing.Text).Distinct()];
        List<string> instead =
            [.. found.Alternatives.SelectMany(one => one.Instead).Except(found.Causes).Select(one => one.Text).Distinct()];
        return missing.Count == 0 ? null
            : $"Without {string.Join(" or ", missing)}, "
                + $"{(instead.Except(missing).Any() ? string.Join(" or ", instead) : "another arrival of it")} would have led to the same.";
    }

    private static string Texts(IEnumerable<Cause> causes) => EventFormatter.List([.. causes.Select(cause => cause.Text).Distinct()]);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
