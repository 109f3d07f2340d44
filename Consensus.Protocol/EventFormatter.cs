using System.Globalization;

namespace Consensus.Protocol;

/// <summary>Texts of messages, responses, events and timers: the same in transcripts, space-time diagrams and counterexamples.</summary>
public static class EventFormatter
{
    /// <summary>A message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="namesRun">Whether to name its run. A bare message is always called one.</param>
    public static string Of(Message message, bool namesRun = false)
    {
        ArgumentNullException.ThrowIfNull(message);
        return message switch
        {
            Handshake or Reset or StateQuery => message.Kind.WireName(),
            { Run: null } => Content(message) + ", bare",
            { Run: { } run } => Content(message) + Relays(message.Relayed) + (namesRun ? $", run {run.Id}" : ""),
        };
    }

    /// <summary>A response with all that it carries.</summary>
    public static string Of(Response response)
    {
        ArgumentNullException.ThrowIfNull(response);
        string?[] parts =
        [
            response.Status == ResponseStatus.Unknown ? null : response.Status.WireName(),
            response.Reason?.WireName(),
            response.Round is { } round ? Invariant($"round {round}") : null,
            response.CurrentRound is > 0 and var current ? Invariant($"being in round {current}") : null,
            response.Learner == true ? "a learner" : null,
            response.Boot is { } boot ? $"boot {boot}" : null,
            response.Agents is { } agents ? Invariant($"counts {agents}") : null,
            response.Floor is { } floor ? $"floor {floor}" : null,
            response.Descriptor is null ? null : $"in run {response.Run}",
            response.Proposal is { } proposal ? Invariant($"proposes {proposal.Value} in round {proposal.Round}") : null,
            response.Vote is { } vote ? Invariant($"votes for {Value(vote.Value)} in round {vote.Round}, having proposed {vote.Proposed}") : null,
            response.Decision is { } decision ? Of(decision) : null,
        ];
        return string.Join(", ", parts.Where(part => part is not null));
    }

    /// <summary>The first of these that a response holds: a decision, a vote, a proposal, a run, a reason; else its status.</summary>
    public static string Summary(Response response) => response switch
    {
        { Decision: { } decision } => Of(decision),
        { Vote: { } vote } => Content(vote),
        { Proposal: { } proposal } => Content(proposal),
        { Learner: true } => "a learner",
        { Descriptor: { } run } => $"in run {run.Id}",
        _ => response.Reason?.WireName() ?? response.Status.WireName(),
    };

    /// <summary>An event, as a verb whose subject is the agent.</summary>
    public static string Of(ProtocolEvent protocolEvent)
    {
        ArgumentNullException.ThrowIfNull(protocolEvent);
        var (run, round, value) = (protocolEvent.Run, protocolEvent.Round, protocolEvent.Value);
        return protocolEvent.Kind switch
        {
            ProtocolEventKind.Joined => $"joins run {run}",
            ProtocolEventKind.JoinedAsLearner => $"joins run {run} as a learner",
            ProtocolEventKind.Drew => Invariant($"draws {value} for round {round}, attempt {protocolEvent.Attempt}"),
            ProtocolEventKind.CaughtUp => Invariant($"copies {value} for round {round}"),
            ProtocolEventKind.Adopted => Invariant($"adopts {value} for round {round}"),
            ProtocolEventKind.Voted => Invariant($"votes for {Value(value == 0 ? null : value)} in round {round}"),
            ProtocolEventKind.Decided => Invariant($"decides {value} in round {round}"),
            ProtocolEventKind.Learned => Invariant($"learns the decision {value} of round {round}{(protocolEvent.Other is { } other ? $" from {other}" : "")}"),
            ProtocolEventKind.WasReset => "is reset",
            ProtocolEventKind.Restored => value == 0 ? $"goes on with run {run}" : Invariant($"goes on with run {run}, decided {value} in round {round}"),
            ProtocolEventKind.Equivocated => Invariant($"notes: {protocolEvent.Other} contradicts itself in round {round}"),
            ProtocolEventKind.AgreementViolated => Invariant($"notes: {protocolEvent.Other ?? "somebody"} disagrees, with {value}"),
            _ => throw new ArgumentOutOfRangeException(nameof(protocolEvent), protocolEvent.Kind, "No such kind."),
        };
    }

    /// <summary>How a start ended.</summary>
    public static string Of(StartOutcome outcome) => outcome switch
    {
        RunStarted { Run: { } run } started =>
            $"run {run.Id} started, rule {run.Rule.WireName()}, members {Pairs(run.Members, ':')}{Missing(started.Missing)}",
        RunStarted started => $"bare run started, rule classic{Missing(started.Missing)}",
        QuorumUnreachable unreachable => $"too few answered{Missing(unreachable.Missing)}",
        ClusterSizeMismatch mismatch => $"the agents count differently: {Pairs(mismatch.Sizes, '=')}",
        DuplicateAgentId duplicate => $"two agents are called {duplicate.AgentId}",
        LegacyPeer legacy => $"{legacy.Peer} is an original agent and knows only the classic rule",
        StartQueueFull => "too many starts are waiting",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "No such outcome."),
    };

    /// <summary>What an agent does when a timer fires.</summary>
    public static string Of(Timer timer) => timer switch
    {
        Timer.Window => "window over",
        Timer.Start => "start window over",
        Timer.Retransmit => "retransmits",
        Timer.Dissemination => "retransmits the decision",
        Timer.Poll => "polls",
        _ => throw new ArgumentOutOfRangeException(nameof(timer), timer, "No such timer."),
    };

    /// <summary>A decision.</summary>
    public static string Of(Decision decision)
    {
        ArgumentNullException.ThrowIfNull(decision);
        return Invariant($"decided {decision.Value} in round {decision.Round}");
    }

    /// <summary>A message in two or three words, as spans and their readers name it.</summary>
    public static string Title(Message message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return message switch
        {
            NewRound { Value: { } value } newRound => Invariant($"new_round {newRound.Round}, propose {value}"),
            NewRound newRound => Content(newRound),
            Proposal proposal => Invariant($"propose {proposal.Value}"),
            Vote vote => $"vote {Value(vote.Value)}",
            Final final => Invariant($"final {final.Value}"),
            _ => message.Kind.WireName(),
        };
    }

    /// <summary>A value, or that there is none.</summary>
    public static string Value(int? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "none";

    private static string Content(Message message) => message switch
    {
        NewRound { Value: { } value } newRound => Invariant($"new_round {newRound.Round}, proposing {value}"),
        NewRound newRound => Invariant($"new_round {newRound.Round}"),
        Proposal proposal => Invariant($"proposal {proposal.Value} in round {proposal.Round}"),
        Vote vote => Invariant($"vote for {Value(vote.Value)} in round {vote.Round}, having proposed {vote.Proposed}"),
        Final final => Invariant($"final {final.Value} of round {final.Round}"),
        _ => message.Kind.WireName(),
    };

    private static string Relays(RelayedMessages? relayed) => relayed is null ? ""
        : Invariant($", relaying {relayed.Count} message{(relayed.Count == 1 ? "" : "s")}");

    private static string Pairs<T>(IReadOnlyDictionary<string, T> pairs, char separator) =>
        string.Join(" ", pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Invariant($"{pair.Key}{separator}{pair.Value}")));

    private static string Missing(IReadOnlyList<string> missing) => missing.Count == 0 ? "" : $", missing {string.Join(" ", missing)}";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
