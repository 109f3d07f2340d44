namespace Consensus.Protocol;

/// <summary>An input of <see cref="AgentStateMachine.Step"/>.</summary>
public abstract record Input
{
    /// <summary>The message that arrived, or whose response arrived or failed; null: the input is of another kind.</summary>
    public Message? RelatedMessage => this switch
    {
        MessageReceived received => received.Message,
        ResponseReceived response => response.Sent,
        RequestFailed failed => failed.Sent,
        _ => null,
    };
}

/// <summary>A message has arrived. The step replies to it exactly once.</summary>
public sealed record MessageReceived(Message Message) : Input;

/// <summary>A peer has responded to a message.</summary>
public sealed record ResponseReceived(int Peer, Message Sent, Response Response) : Input;

/// <summary>A peer could not be reached, or did not respond in time.</summary>
public sealed record RequestFailed(int Peer, Message Sent) : Input;

/// <summary>A timer has ended.</summary>
public sealed record TimerFired(Timer Timer) : Input;

/// <summary>
/// What an earlier process of this agent persisted (<see cref="AgentStateMachine.ToPersist"/>): the first input of a new
/// process, or none. The new process has another boot and has forgotten its proposals and votes, so it is a learner in
/// that run.
/// </summary>
/// <param name="HighestSeenRun">The highest run that it had ever seen.</param>
/// <param name="Run">Its current run; null for none and for the run of bare messages.</param>
/// <param name="Decision">Its decision, or null.</param>
/// <param name="Attempts">Values drawn until then.</param>
public sealed record Restored(RunId HighestSeenRun, RunDescriptor? Run = null, Decision? Decision = null, int Attempts = 0) : Input
{
    /// <summary>Whether a loss of power may lose it: a run without a decision. Anything else is forced to the disk.</summary>
    public bool MayBeLost => Run is not null && Decision is null;
}

/// <summary>The process has started and listens: query the peers' state.</summary>
public sealed record Started : Input;

/// <summary>Start a run (<c>POST /run</c>). It ends in one <see cref="StartEnded"/> with the same ticket.</summary>
public sealed record StartRun(long Ticket, RunRequest Request) : Input;

/// <summary>An agent has one timer of each kind. Setting one that is set moves it.</summary>
public enum Timer
{
    /// <summary>Ends the wait for stragglers in the current phase.</summary>
    Window,

    /// <summary>Retransmits the current proposal or vote.</summary>
    Retransmit,

    /// <summary>Queries the peers' state.</summary>
    Poll,

    /// <summary>Retransmits the decision to each peer that has not acknowledged it.</summary>
    Dissemination,

    /// <summary>Ends the wait for stragglers of a handshake, or of a run's first requests.</summary>
    Start,
}
