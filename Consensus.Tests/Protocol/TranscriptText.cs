using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>What agents say and do, in words a transcript can hold.</summary>
internal static class TranscriptText
{
    public static string Of(Message message, bool namesRun)
    {
        var run = message switch
        {
            Handshake or Reset or StateQuery => "",
            { Run: null } => ", bare",
            _ => namesRun ? $", run {message.Run.Id}" : "",
        };
        return run.Length == 0 ? Words(message) : Words(message) + run;
    }

    private static string Words(Message message) => message switch
    {
        NewRound { Value: { } value } newRound => $"new_round {newRound.Round}, proposing {value}",
        NewRound newRound => $"new_round {newRound.Round}",
        Proposal proposal => $"proposal {proposal.Value} in round {proposal.Round}",
        Vote vote => $"vote for {Value(vote.Value)} in round {vote.Round}, having proposed {vote.Proposed}",
        Final final => $"final {final.Value} of round {final.Round}",
        _ => message.Kind,
    };

    public static string Of(Response answer)
    {
        var words = new List<string> { answer.Status };
        Add(answer.Reason is { } reason, () => answer.Reason!);
        Add(answer.Round is not null, () => $"round {answer.Round}");
        Add(answer.CurrentRound is > 0, () => $"being in round {answer.CurrentRound}");
        Add(answer.Learner == true, () => "a learner");
        Add(answer.Boot is not null, () => $"boot {answer.Boot}");
        Add(answer.Agents is not null, () => $"counts {answer.Agents}");
        Add(answer.Floor is not null, () => $"floor {answer.Floor}");
        Add(answer.Descriptor is not null, () => $"in run {answer.Run}");
        Add(answer.Proposal is not null, () => $"proposes {answer.Proposal!.Value} in round {answer.Proposal.Round}");
        Add(answer.Vote is not null, () =>
            $"votes for {Value(answer.Vote!.Value)} in round {answer.Vote.Round}, having proposed {answer.Vote.Proposed}");
        Add(answer.Decision is not null, () => $"decided {answer.Decision!.Value} in round {answer.Decision.Round}");
        return string.Join(", ", words);

        void Add(bool said, Func<string> word)
        {
            if (said)
            {
                words.Add(word());
            }
        }
    }

    /// <summary>Null for what a reader need not see: timers other than the two that wait for stragglers.</summary>
    public static string? Of(Effect effect) => effect switch
    {
        ProtocolEvent protocolEvent => Of(protocolEvent),
        Reply reply => $"answers: {Of(reply.Response)}",
        StartEnded ended => $"tells the caller: {Of(ended.Outcome)}",
        SetTimer { Timer: Timer.Window } arm => $"waits {arm.DelayMs} ms for stragglers",
        SetTimer { Timer: Timer.Start } arm => $"waits {arm.DelayMs} ms for the silent",
        _ => null,
    };

    private static string Of(ProtocolEvent it) => it.Kind switch
    {
        ProtocolEventKind.Joined => $"joins run {it.Run}",
        ProtocolEventKind.JoinedAsLearner => $"joins run {it.Run} as a learner",
        ProtocolEventKind.Drew => $"draws {it.Value} for round {it.Round}, attempt {it.Attempt}",
        ProtocolEventKind.CaughtUp => $"copies {it.Value} for round {it.Round}",
        ProtocolEventKind.Adopted => $"adopts {it.Value} for round {it.Round}",
        ProtocolEventKind.Voted => $"votes for {(it.Value == 0 ? "none" : it.Value)} in round {it.Round}",
        ProtocolEventKind.Decided => $"decides {it.Value} in round {it.Round}",
        ProtocolEventKind.Learned => $"learns the decision {it.Value} of round {it.Round}{(it.Other is null ? "" : $" from {it.Other}")}",
        ProtocolEventKind.WasReset => "is reset",
        ProtocolEventKind.Restored => it.Value == 0 ? $"goes on with run {it.Run}" : $"goes on with run {it.Run}, decided {it.Value} in round {it.Round}",
        ProtocolEventKind.Equivocated => $"notes: {it.Other} contradicts itself in round {it.Round}",
        ProtocolEventKind.AgreementViolated => $"notes: {it.Other ?? "somebody"} disagrees, with {it.Value}",
        _ => throw new ArgumentOutOfRangeException(nameof(it)),
    };

    private static string Of(StartOutcome outcome) => outcome switch
    {
        RunStarted { Run: { } run } started =>
            $"run {run.Id} started, rule {run.Rule.ToString().ToLowerInvariant()}, members {Boots(run.Members)}{Missing(started.Missing)}",
        RunStarted started => $"bare run started, rule classic{Missing(started.Missing)}",
        QuorumUnreachable few => $"too few answered{Missing(few.Missing)}",
        ClusterSizeMismatch mismatch => $"the agents count differently: {string.Join(" ", mismatch.Sizes.Select(size => $"{size.Key}={size.Value}"))}",
        DuplicateAgentId same => $"two agents are called {same.AgentId}",
        LegacyPeer original => $"{original.Peer} is an original agent and knows only the classic rule",
        StartQueueFull => "too many starts are waiting",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

    /// <summary>One agent's standing, for the command <c>state</c>.</summary>
    public static IEnumerable<string> Of(AgentSnapshot view)
    {
        var run = view.Run is { } described ? $"run {described.Id}" : view.Round > 0 ? "bare run" : "no run";
        var place = view switch
        {
            { Decision: { } decision } => $", decided {decision.Value} in round {decision.Round}",
            { Learner: true } => ", a learner",
            { Phase: Phase.Waiting, Run: null } => "",
            { Phase: Phase.Waiting } => ", not begun",
            _ => $", {view.Phase.ToString().ToLowerInvariant()} in round {view.Round}",
        };
        var floor = view.Run is null && !view.Floor.IsNone ? $", floor {view.Floor}" : "";
        yield return $"{view.AgentId} (boot {view.Boot}): {run}{place}{floor}{(view.Attempts > 0 ? $", attempts {view.Attempts}" : "")}";
        if (view.Proposals.Count > 0 && view.Decision is null)
        {
            yield return $"  proposals {string.Join(" ", view.Proposals.Select(p => $"{p.Key}={p.Value}"))}";
        }

        if (view.Votes.Count > 0 && view.Decision is null)
        {
            yield return $"  votes {string.Join(" ", view.Votes.Select(v => $"{v.Key}={Value(v.Value)}"))}";
        }

        if (view.Stalled is { } why)
        {
            yield return $"  stalled: {why}";
        }
    }

    private static string Value(int? value) => value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none";

    private static string Boots(IReadOnlyDictionary<string, string> members) =>
        string.Join(" ", members.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"{m.Key}:{m.Value}"));

    private static string Missing(IReadOnlyList<string> missing) => missing.Count == 0 ? "" : $", missing {string.Join(" ", missing)}";
}
