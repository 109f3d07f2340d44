using System.Globalization;

namespace Consensus.Protocol;

/// <summary>
/// Texts of messages, responses, events and timers: the same in transcripts, diagrams, counterexamples, the timeline and on the page.
/// A number always stands beside a word that says whether it is a round or a value.
/// </summary>
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
            Handshake or Reset or StateQuery => NameOf(message.Kind),
            { Run: null } => Of(message.Content) + ", bare",
            { Run: { } run } => Of(message.Content) + Relays(message.Relayed) + (namesRun ? $", run {run.Id}" : ""),
        };
    }

    /// <summary>What a message says, or what a response carries, as a noun.</summary>
    public static string Of(MessageContent content) => content switch
    {
        { Kind: MessageKind.NewRound, Value: 0 } => Invariant($"new round {content.Round}"),
        { Kind: MessageKind.NewRound } => Invariant($"new round {content.Round}, proposing {content.Value}"),
        { Kind: MessageKind.Proposal } => Invariant($"proposal of {content.Value} in round {content.Round}"),
        { Kind: MessageKind.Vote, Proposed: 0 } => Invariant($"vote for {ValueOrNone(content.Value)} in round {content.Round}"),
        { Kind: MessageKind.Vote } =>
            Invariant($"vote for {ValueOrNone(content.Value)} in round {content.Round}, having proposed {content.Proposed}"),
        { Kind: MessageKind.Final } => Invariant($"final of {content.Value}, decided in round {content.Round}"),
        _ => NameOf(content.Kind),
    };

    /// <summary>The name of a kind of message, for people.</summary>
    public static string NameOf(MessageKind kind) => kind == MessageKind.StateQuery ? "state query" : kind.WireName().Replace('_', ' ');

    /// <summary>What became of a message by the response to it, and why where it was not accepted.</summary>
    public static string Outcome(ResponseStatus status, ResponseReason? reason)
    {
        var what = status switch
        {
            ResponseStatus.Ok => "accepted",
            ResponseStatus.Ack => "acknowledged",
            ResponseStatus.Reset => "answered with boot and floor",
            ResponseStatus.Started => "accepted: the round is entered",
            ResponseStatus.AlreadyStarted => "accepted before: the round was entered already",
            ResponseStatus.Ignored => "ignored",
            ResponseStatus.Refused => "refused",
            _ => "answered",
        };
        return reason switch
        {
            null => what,
            ResponseReason.StaleRound => $"{what}: its round is over",
            ResponseReason.AlreadyDecided => $"{what}: its receiver has decided",
            ResponseReason.RoundMismatch => $"{what}: its receiver is in another round or run",
            ResponseReason.StaleRun => $"{what}: its receiver knows a newer run",
            ResponseReason.NotAMember => $"{what}: its sender is no member of the run",
            ResponseReason.Contradiction => $"{what}: its sender sent another one in this round (equivocation)",
            ResponseReason.Disagreement => $"{what}: its receiver decided another value",
            ResponseReason.ClusterSize => $"{what}: its receiver counts another number of agents than the run, and only learns",
            ResponseReason.OutOfRange => $"{what}: a number in it is out of range",
            _ => $"{what}: for a reason that this version does not know",
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
            response.HighestSeenRun is { } highestSeenRun ? $"floor {highestSeenRun}" : null,
            response.Descriptor is null ? null : $"in run {response.Run}",
            response.Proposal is { } proposal ? Invariant($"proposes {proposal.Value} in round {proposal.Round}") : null,
            response.Vote is { } vote
                ? Invariant($"votes for {ValueOrNone(vote.Value ?? 0)} in round {vote.Round}, having proposed {vote.Proposed}") : null,
            response.Decision is { } decision ? Of(decision) : null,
        ];
        return string.Join(", ", parts.Where(part => part is not null));
    }

    /// <summary>The first of these that a response holds: a decision, a vote, a proposal, a run, a reason; else its status.</summary>
    public static string Summary(Response response) => response switch
    {
        { Decision: { } decision } => Of(decision),
        { Carried: { Kind: not MessageKind.None } carried } => Of(carried),
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
            ProtocolEventKind.Voted => Invariant($"votes for {ValueOrNone(value)} in round {round}"),
            ProtocolEventKind.Decided => Invariant($"decides {value} in round {round}"),
            ProtocolEventKind.Learned =>
                Invariant($"learns the decision {value} of round {round}{(protocolEvent.Other is { } other ? $" from {other}" : "")}"),
            ProtocolEventKind.WasReset => "is reset",
            ProtocolEventKind.Restored =>
                value == 0 ? $"goes on with {NameOf(run)}" : Invariant($"goes on with {NameOf(run)}, decided {value} in round {round}"),
            ProtocolEventKind.Equivocated => Invariant($"detects equivocation by {protocolEvent.Other} in round {round}"),
            ProtocolEventKind.AgreementViolated =>
                Invariant($"detects that {protocolEvent.Other ?? "another agent"} decided {value}: agreement is violated"),
            _ => throw new ArgumentOutOfRangeException(nameof(protocolEvent), protocolEvent.Kind, "No such kind."),
        };
    }

    /// <summary>A process started that knows nothing of the run.</summary>
    public const string Booted = "restarts without the run";

    /// <summary>How a start ended.</summary>
    public static string Of(StartOutcome outcome) => outcome switch
    {
        RunStarted { Run: { } run } started =>
            $"run {run.Id} started, rule {run.Rule.WireName()}, members {Pairs(run.Members, ':')}{Missing(started.Missing)}",
        RunStarted started => $"bare run started, rule classic{Missing(started.Missing)}",
        QuorumUnreachable unreachable => $"too few answered{Missing(unreachable.Missing)}",
        ClusterSizeMismatch mismatch => $"the agents count differently: {Pairs(mismatch.Sizes, '=')}",
        DuplicateAgentId duplicate => $"two agents are called {duplicate.AgentId}",
        OriginalPeer original => $"{original.Peer} is an original agent and knows only the classic rule",
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
        var (kind, round, value, _) = message.Content;
        return kind switch
        {
            MessageKind.NewRound => Invariant($"new_round {round}") + (value == 0 ? "" : Invariant($", propose {value}")),
            MessageKind.Proposal => Invariant($"propose {value}"),
            MessageKind.Vote => $"vote {ValueOrNone(value)}",
            MessageKind.Final => Invariant($"final {value}"),
            _ => kind.WireName(),
        };
    }

    /// <summary>A time with a readable unit.</summary>
    public static string Of(TimeSpan time) => time.TotalMilliseconds switch
    {
        < 0.095 => Invariant($"{time.TotalMicroseconds:0} µs"),
        < 9.95 => Invariant($"{time.TotalMilliseconds:0.0} ms"),
        < 999.5 => Invariant($"{time.TotalMilliseconds:0} ms"),
        < 99_500 => Invariant($"{time.TotalSeconds:0.0} s"),
        _ => Invariant($"{time.TotalMinutes:0} min"),
    };

    /// <summary>Who supports a decision: "2 of 3 votes: agent1, agent2".</summary>
    /// <param name="agents">How many agents the cluster has.</param>
    /// <param name="votes">Whether they voted for the value; else they proposed it.</param>
    /// <param name="supporters">Those who did.</param>
    public static string Support(int agents, bool votes, IReadOnlyCollection<string> supporters) =>
        Invariant($"{supporters.Count} of {agents} {(votes ? "votes" : "proposals")}: {string.Join(", ", supporters)}");

    /// <summary>Names in a sentence: "a", "a and b", "a, b and c".</summary>
    public static string List(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return names.Count < 2 ? string.Concat(names) : $"{string.Join(", ", names.Take(names.Count - 1))} and {names[^1]}";
    }

    /// <summary>A value; 0: that there is none.</summary>
    public static string ValueOrNone(int value) => value == 0 ? "none" : value.ToString(CultureInfo.InvariantCulture);

    private static string NameOf(RunId run) => run.IsNone ? "the bare run" : $"run {run}";

    private static string Relays(RelayedMessages? relayed) => relayed is null ? ""
        : Invariant($", relaying {relayed.Count} message{(relayed.Count == 1 ? "" : "s")}");

    private static string Pairs<T>(IReadOnlyDictionary<string, T> pairs, char separator) =>
        string.Join(
            " ", pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Invariant($"{pair.Key}{separator}{pair.Value}")));

    private static string Missing(IReadOnlyList<string> missing) => missing.Count == 0 ? "" : $", missing {string.Join(" ", missing)}";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
