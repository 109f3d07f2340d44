namespace Consensus.Protocol;

/// <summary>What a machine is told.</summary>
public abstract record Input;

/// <summary>A message came in; the step replies to it exactly once.</summary>
public sealed record MessageReceived(Message Message) : Input;

/// <summary>A peer answered what was sent to it.</summary>
public sealed record ResponseReceived(int Peer, Message Sent, Response Response) : Input;

/// <summary>A peer could not be reached or did not answer in time.</summary>
public sealed record RequestFailed(int Peer, Message Sent) : Input;

/// <summary>An armed timer ran out.</summary>
public sealed record TimerFired(Timer Timer) : Input;

/// <summary>
/// What an earlier process of this agent kept (<see cref="AgentStateMachine.ToPersist"/>): the first input of a new one, or none. The
/// new process has another boot and has forgotten what it proposed and voted, so it is a learner of that run.
/// </summary>
/// <param name="Floor">The highest run it ever saw.</param>
/// <param name="Run">Its current run; null for none and for the run of bare messages.</param>
/// <param name="Decision">Its decision, or null.</param>
/// <param name="Attempts">Values drawn until then.</param>
public sealed record Restored(RunId Floor, RunDescriptor? Run = null, Decision? Decision = null, int Attempts = 0) : Input;

/// <summary>The process has started and can be reached: ask the peers what they know.</summary>
public sealed record Started : Input;

/// <summary>Start a run (<c>POST /run</c>). Ends in one <see cref="StartEnded"/> with the same ticket.</summary>
public sealed record StartRun(long Ticket, RunRequest Request) : Input;

/// <summary>What the caller of <c>POST /run</c> asks for. Ranges are the caller's to check.</summary>
/// <param name="Round">The start round.</param>
/// <param name="Rule">Null: ratified, or classic where an original agent is among the peers.</param>
/// <param name="Values">Values are drawn from 1..Values.</param>
/// <param name="Draw">How values are drawn.</param>
/// <param name="WindowMs">0..60000 ms.</param>
/// <param name="Seed">Makes the draws repeatable.</param>
public sealed record RunRequest(
    int Round = 1, Rule? Rule = null, int Values = 3, DrawStrategy Draw = DrawStrategy.Fresh, int WindowMs = AgentStateMachine.DefaultWindowMs, long? Seed = null);

/// <summary>Each machine has one of each. Arming one that is armed moves it.</summary>
public enum Timer
{
    /// <summary>Stragglers of the current phase.</summary>
    Window,

    /// <summary>Say the current proposal and vote again.</summary>
    Retransmit,

    /// <summary>Ask the peers' state.</summary>
    Poll,

    /// <summary>Send the decision again to those who have not acknowledged it.</summary>
    Dissemination,

    /// <summary>Stragglers of a handshake or of a run's first calls.</summary>
    Start,
}

/// <summary>What a machine wants done.</summary>
public abstract record Effect;

/// <summary>Send a message to the peer with this index; feed back <see cref="ResponseReceived"/> or <see cref="RequestFailed"/>.</summary>
public sealed record Send(int Peer, Message Message) : Effect;

/// <summary>Answer the message of this step.</summary>
public sealed record Reply(Response Response) : Effect;

/// <summary>Feed back <see cref="TimerFired"/> after this many ms.</summary>
public sealed record SetTimer(Timer Timer, int DelayMs) : Effect;

/// <summary>Forget the timer.</summary>
public sealed record CancelTimer(Timer Timer) : Effect;

/// <summary>A <see cref="StartRun"/> has ended.</summary>
public sealed record StartEnded(long Ticket, StartOutcome Outcome) : Effect;

/// <summary>Something worth recording protocolEvent: logs, traces, metrics, the timeline and the checker read these.</summary>
/// <param name="Kind">What.</param>
/// <param name="Run">The run; none for bare rounds.</param>
/// <param name="Round">The round.</param>
/// <param name="Value">The value drawn, proposed, voted for or decided; 0 for none.</param>
/// <param name="Attempt">How many values this agent has drawn in the run so far.</param>
/// <param name="Other">Another agent concerned, if any.</param>
public sealed record ProtocolEvent(ProtocolEventKind Kind, RunId Run, int Round, int Value = 0, int Attempt = 0, string? Other = null) : Effect;

/// <summary>Kinds of <see cref="ProtocolEvent"/>.</summary>
public enum ProtocolEventKind
{
    /// <summary>Joined a run as one who takes part.</summary>
    Joined,

    /// <summary>Joined a run as a learner.</summary>
    JoinedAsLearner,

    /// <summary>Entered a round with a value drawn here.</summary>
    Drew,

    /// <summary>Entered a round by catching up, with the value of the message that told of it.</summary>
    CaughtUp,

    /// <summary>Entered a round with a value some agent voted for in the last one.</summary>
    Adopted,

    /// <summary>Voted; value 0: for none.</summary>
    Voted,

    /// <summary>Decided by counting.</summary>
    Decided,

    /// <summary>Was told the decision.</summary>
    Learned,

    /// <summary>Was reset.</summary>
    WasReset,

    /// <summary>An agent said two things in one round.</summary>
    Equivocated,

    /// <summary>An agent holds another decision.</summary>
    AgreementViolated,

    /// <summary>A new process goes on with the run that an earlier one kept; round and value 0: it was undecided.</summary>
    Restored,
}

/// <summary>Names of event kinds in the timeline's JSON and in traces.</summary>
public static class ProtocolEventKindNames
{
    /// <summary>The name, in snake case. It never changes, whatever the member is called.</summary>
    public static string WireName(this ProtocolEventKind kind) => kind switch
    {
        ProtocolEventKind.Joined => "joined",
        ProtocolEventKind.JoinedAsLearner => "joined_as_learner",
        ProtocolEventKind.Drew => "drew",
        ProtocolEventKind.CaughtUp => "copied",
        ProtocolEventKind.Adopted => "adopted",
        ProtocolEventKind.Voted => "voted",
        ProtocolEventKind.Decided => "decided",
        ProtocolEventKind.Learned => "learned",
        ProtocolEventKind.WasReset => "was_reset",
        ProtocolEventKind.Equivocated => "contradicted",
        ProtocolEventKind.AgreementViolated => "disagreed",
        ProtocolEventKind.Restored => "restored",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such kind."),
    };
}

/// <summary>How a <see cref="StartRun"/> ended.</summary>
public abstract record StartOutcome;

/// <summary>The run is on. <c>Run</c> is null where original agents made it a bare classic run.</summary>
public sealed record RunStarted(RunDescriptor? Run, IReadOnlyList<string> Missing) : StartOutcome;

/// <summary>Fewer than a quorum answered; nothing was started, nobody changed.</summary>
public sealed record QuorumUnreachable(IReadOnlyList<string> Missing) : StartOutcome;

/// <summary>Two agents use one id; nothing was started.</summary>
public sealed record DuplicateAgentId(string AgentId) : StartOutcome;

/// <summary>Agents that answered count different numbers of agents; nothing was started.</summary>
/// <param name="Sizes">By agent id, in ordinal order: how many agents it counts, itself included.</param>
public sealed record ClusterSizeMismatch(IReadOnlyDictionary<string, int> Sizes) : StartOutcome;

/// <summary>The ratified rule was asked for and this peer is an original agent; nothing was started.</summary>
public sealed record LegacyPeer(string Peer) : StartOutcome;

/// <summary>Too many starts are waiting; nothing was started.</summary>
public sealed record StartQueueFull : StartOutcome;
