namespace Consensus.Protocol;

/// <summary>What a step wants its host to do.</summary>
public abstract record Effect;

/// <summary>Send a message to the peer with this index; feed back <see cref="ResponseReceived"/> or <see cref="RequestFailed"/>.</summary>
public sealed record Send(int Peer, Message Message) : Effect;

/// <summary>Respond to the message of this step.</summary>
public sealed record Reply(Response Response) : Effect;

/// <summary>Feed back <see cref="TimerFired"/> after this many ms.</summary>
public sealed record SetTimer(Timer Timer, int DelayMs) : Effect;

/// <summary>Cancel the timer.</summary>
public sealed record CancelTimer(Timer Timer) : Effect;

/// <summary>A <see cref="StartRun"/> has ended.</summary>
public sealed record StartEnded(long Ticket, StartOutcome Outcome) : Effect;

/// <summary>How a <see cref="StartRun"/> ended.</summary>
public abstract record StartOutcome;

/// <summary>The run has started. <c>Run</c> is null where original agents made it a bare classic run.</summary>
public sealed record RunStarted(RunDescriptor? Run, IReadOnlyList<string> Missing) : StartOutcome;

/// <summary>No quorum responded. Nothing was started, and no agent changed.</summary>
public sealed record QuorumUnreachable(IReadOnlyList<string> Missing) : StartOutcome;

/// <summary>Two agents use one id. Nothing was started.</summary>
public sealed record DuplicateAgentId(string AgentId) : StartOutcome;

/// <summary>Agents that responded count different numbers of agents. Nothing was started.</summary>
/// <param name="Sizes">By agent id, in ordinal order: how many agents it counts, itself included.</param>
public sealed record ClusterSizeMismatch(IReadOnlyDictionary<string, int> Sizes) : StartOutcome;

/// <summary>The caller asked for the ratified rule and this peer is an original agent. Nothing was started.</summary>
public sealed record OriginalPeer(string Peer) : StartOutcome;

/// <summary>Too many starts are waiting. Nothing was started.</summary>
public sealed record StartQueueFull : StartOutcome;
