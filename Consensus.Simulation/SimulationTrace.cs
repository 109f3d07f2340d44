using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation;

/// <summary>Kinds of <see cref="TraceStep"/>.</summary>
public enum TraceStepKind
{
    /// <summary>The process started.</summary>
    Boot,

    /// <summary>A client asked the agent to start a run.</summary>
    Start,

    /// <summary>A message arrived.</summary>
    Receive,

    /// <summary>A response to one of the agent's calls arrived.</summary>
    Response,

    /// <summary>One of the agent's calls was refused or timed out.</summary>
    Failure,

    /// <summary>A timer fired.</summary>
    Timer,

    /// <summary>The agent was reset.</summary>
    Reset,

    /// <summary>The process crashed.</summary>
    Crash,

    /// <summary>The process paused.</summary>
    Pause,

    /// <summary>The process resumed.</summary>
    Resume,

    /// <summary>Links were cut; of no agent in particular.</summary>
    Cut,

    /// <summary>All links work again; of no agent in particular.</summary>
    Heal,

    /// <summary>The agent sent messages, and no cause was observed.</summary>
    Send,
}

/// <summary>One call between agents and what became of it. Times are in µs since the simulated run began.</summary>
public sealed class TraceCall
{
    internal TraceCall(int number, CallKey key, Message message, long sentAt) =>
        (Number, Key, Message, SentAt) = (number, key, message, sentAt);

    /// <summary>The call's number, from 1, in the order of sending.</summary>
    public int Number { get; }

    /// <summary>The caller, from 0.</summary>
    public int From => Key.From;

    /// <summary>The called agent, from 0.</summary>
    public int To => Key.To;

    /// <summary>The message.</summary>
    public Message Message { get; }

    /// <summary>When it was sent.</summary>
    public long SentAt { get; }

    /// <summary>
    /// Each arrival of the message with the response to it. The response is null where the called process crashed in that step.
    /// </summary>
    public IList<(long At, Response? Response)> Receipts { get; } = [];

    /// <summary>When the caller received the response.</summary>
    public long? RespondedAt { get; private set; }

    /// <summary>The response that the caller received.</summary>
    public Response? Response { get; private set; }

    /// <summary>When the caller gave up.</summary>
    public long? FailedAt { get; private set; }

    /// <summary>True where a copy of the message was lost.</summary>
    public bool Lost { get; set; }

    /// <summary>True where a response was lost or came too late.</summary>
    public bool ResponseLost { get; set; }

    /// <summary>The call's name in other simulated runs of the same seed.</summary>
    internal CallKey Key { get; }

    /// <summary>Records the end of the call; without a response it failed.</summary>
    public void Complete(Response? response, long now)
    {
        Response = response;
        RespondedAt = response is null ? null : now;
        FailedAt = response is null ? now : null;
    }
}

/// <summary>How a process begins, so that its steps can be executed again.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="Boot">Its boot.</param>
/// <param name="Peers">The names of its peers.</param>
/// <param name="Persisted">What it restores; null: nothing.</param>
/// <param name="State">What its machine saved before the trace began; empty: the process is new.</param>
public sealed record TracedProcess(
    string AgentId, string Boot, IReadOnlyList<string> Peers, Restored? Persisted = null, ReadOnlyMemory<byte> State = default);

/// <summary>One step of one agent.</summary>
/// <param name="at">When, in µs since the simulated run began.</param>
/// <param name="agent">The agent, from 0; -1 for none.</param>
/// <param name="kind">What happened to it.</param>
public sealed class TraceStep(long at, int agent, TraceStepKind kind)
{
    /// <summary>When, in µs since the simulated run began.</summary>
    public long At { get; } = at;

    /// <summary>The agent, from 0; -1 for none.</summary>
    public int Agent { get; } = agent;

    /// <summary>What happened to it.</summary>
    public TraceStepKind Kind { get; } = kind;

    /// <summary>The call that arrived, was responded to or failed.</summary>
    public TraceCall? Call { get; init; }

    /// <summary>Which arrival of the call this is or responds to, from 0.</summary>
    public int Copy { get; init; }

    /// <summary>The timer.</summary>
    public Timer Timer { get; init; }

    /// <summary>The run that a client asked for.</summary>
    public RunRequest? Request { get; init; }

    /// <summary>Of <see cref="TraceStepKind.Boot"/>: the boot. Of <see cref="TraceStepKind.Cut"/>: the links.</summary>
    public string? Note { get; init; }

    /// <summary>Of <see cref="TraceStepKind.Boot"/>: how the process begins.</summary>
    public TracedProcess? Process { get; internal set; }

    /// <summary>What the agent's machine was given; null where no machine took the step.</summary>
    public Input? Input { get; internal set; }

    /// <summary>What the machine drew in the step.</summary>
    public IReadOnlyList<int> Draws { get; internal set; } = [];

    /// <summary>The agent's state after the step; null where the trace keeps no states, or the agent is down.</summary>
    public AgentSnapshot? After { get; internal set; }

    /// <summary>The events of the step.</summary>
    public IList<ProtocolEvent> Events { get; } = [];

    /// <summary>The calls that the step made.</summary>
    public IList<TraceCall> Sent { get; } = [];

    /// <summary>How a start ended.</summary>
    public StartOutcome? Outcome { get; internal set; }
}

/// <summary>Everything that happened in one simulated run, in order.</summary>
/// <param name="keepsStates">Whether each step keeps its agent's state. A state takes longer than the step itself.</param>
/// <param name="name">The ids of the agents; null: <see cref="AgentIds.IdOf"/>.</param>
public sealed class SimulationTrace(bool keepsStates = false, Func<int, string>? name = null)
{
    private readonly Dictionary<CallKey, int> _ordinals = [];

    /// <summary>The id of an agent, from 0.</summary>
    public string IdOf(int agent) => (name ?? AgentIds.IdOf)(agent);

    /// <summary>Whether each step keeps its agent's state.</summary>
    public bool KeepsStates { get; } = keepsStates;

    /// <summary>The steps.</summary>
    public IList<TraceStep> Steps { get; } = [];

    /// <summary>The calls, by number.</summary>
    public IList<TraceCall> Calls { get; } = [];

    /// <summary>Adds a call that was observed between agents, not simulated.</summary>
    /// <param name="from">The caller, from 0.</param>
    /// <param name="process">The number of the calling process.</param>
    /// <param name="to">The called agent, from 0.</param>
    /// <param name="message">The message.</param>
    /// <param name="at">When it was sent, in µs.</param>
    public TraceCall AddObservedCall(int from, int process, int to, Message message, long at)
    {
        var number = Calls.Count + 1;
        var call = new TraceCall(number, new CallKey(from, process, to, message.Kind, 0, number), message, at);
        Calls.Add(call);
        return call;
    }

    internal void Add(TraceStep step) => Steps.Add(step);

    internal TraceCall AddCall(SimulatedCall call, long at)
    {
        var key = new CallKey(call.From.Index, call.Process, call.To.Index, call.Message.Kind, RoundOf(call.Message.Content), 0);
        var ordinal = _ordinals.GetValueOrDefault(key);
        _ordinals[key] = ordinal + 1;
        var traced = new TraceCall(Calls.Count + 1, key with { Ordinal = ordinal }, call.Message, at);
        Calls.Add(traced);
        return traced;
    }

    // The round of a decision depends on the draws.
    private static int RoundOf(MessageContent content) => content.Kind == MessageKind.Final ? 0 : content.Round;
}

/// <summary>
/// Names a call by what is equal where other values were drawn: its ordinal among the calls of its kind between two agents.
/// </summary>
internal readonly record struct CallKey(int From, int Process, int To, MessageKind Kind, int Round, int Ordinal);
