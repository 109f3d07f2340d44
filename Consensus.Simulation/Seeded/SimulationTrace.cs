using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.Seeded;

/// <summary>What protocolEvent to one agent at one moment.</summary>
public enum TraceStepKind
{
    /// <summary>The process started.</summary>
    Boot,

    /// <summary>Somebody asked it to start a run.</summary>
    Start,

    /// <summary>A call arrived.</summary>
    Receive,

    /// <summary>An answer to one of its calls arrived.</summary>
    Answer,

    /// <summary>One of its calls was refused or ran out of time.</summary>
    NoAnswer,

    /// <summary>A timer ran out.</summary>
    Timer,

    /// <summary>It was reset.</summary>
    Reset,

    /// <summary>The process crashed.</summary>
    Crash,

    /// <summary>It stands still.</summary>
    Pause,

    /// <summary>It goes on.</summary>
    Resume,

    /// <summary>Links were cut; of no agent in particular.</summary>
    Cut,

    /// <summary>The links work again; of no agent in particular.</summary>
    Heal,
}

/// <summary>One call between agents and what became of it. Times are µs since the world began.</summary>
public sealed class TraceCall
{
    internal TraceCall(int number, CallKey key, Message message, long sentAt) => (Number, Key, Message, SentAt) = (number, key, message, sentAt);

    /// <summary>From 1, in the order of sending.</summary>
    public int Number { get; }

    /// <summary>The caller, from 0.</summary>
    public int From => Key.From;

    /// <summary>The called agent, from 0.</summary>
    public int To => Key.To;

    /// <summary>What was said.</summary>
    public Message Message { get; }

    /// <summary>When it was sent.</summary>
    public long SentAt { get; }

    /// <summary>When it arrived, once for each time it did, and what was answered then; nothing where the agent crashed in that step.</summary>
    public IList<(long At, Response? Answer)> Receipts { get; } = [];

    /// <summary>When the caller had an answer.</summary>
    public long? AnsweredAt { get; set; }

    /// <summary>The answer it had.</summary>
    public Response? Answer { get; set; }

    /// <summary>When the caller gave up.</summary>
    public long? FailedAt { get; set; }

    /// <summary>True where a copy of it got lost on the way there.</summary>
    public bool Lost { get; set; }

    /// <summary>True where an answer got lost on the way back, or came too late.</summary>
    public bool AnswerLost { get; set; }

    /// <summary>Its name in other worlds of the same seed.</summary>
    internal CallKey Key { get; }
}

/// <summary>One step of one agent.</summary>
/// <param name="at">µs since the world began.</param>
/// <param name="agent">Who, from 0; -1 for nobody.</param>
/// <param name="kind">What protocolEvent to it.</param>
public sealed class TraceStep(long at, int agent, TraceStepKind kind)
{
    /// <summary>µs since the world began.</summary>
    public long At { get; } = at;

    /// <summary>Who, from 0; -1 for nobody.</summary>
    public int Agent { get; } = agent;

    /// <summary>What protocolEvent to it.</summary>
    public TraceStepKind Kind { get; } = kind;

    /// <summary>The call that arrived, was answered or failed.</summary>
    public TraceCall? Call { get; init; }

    /// <summary>Which arrival of the call it is, or which one is answered, from 0.</summary>
    public int Copy { get; init; }

    /// <summary>The timer.</summary>
    public Timer Timer { get; init; }

    /// <summary>What the agent was asked to start.</summary>
    public RunRequest? Request { get; init; }

    /// <summary>The boot, of <see cref="TraceStepKind.Boot"/>; which links, of <see cref="TraceStepKind.Cut"/>.</summary>
    public string? Note { get; init; }

    /// <summary>What the agent made of it.</summary>
    public IList<ProtocolEvent> Events { get; } = [];

    /// <summary>What it sent.</summary>
    public IList<TraceCall> Sent { get; } = [];

    /// <summary>How a start ended.</summary>
    public StartOutcome? Outcome { get; set; }
}

/// <summary>All that protocolEvent in one world, in order.</summary>
public sealed class SimulationTrace
{
    private readonly Dictionary<CallKey, int> _ordinals = [];

    /// <summary>The steps.</summary>
    public IList<TraceStep> Steps { get; } = [];

    /// <summary>The calls, by number.</summary>
    public IList<TraceCall> Calls { get; } = [];

    internal TraceStep Add(TraceStep step)
    {
        Steps.Add(step);
        return step;
    }

    internal TraceCall AddCall(int from, int boots, int to, Message message, long at)
    {
        var key = new CallKey(from, boots, to, message.Kind, RoundOf(message), 0);
        var ordinal = _ordinals.GetValueOrDefault(key);
        _ordinals[key] = ordinal + 1;
        var call = new TraceCall(Calls.Count + 1, key with { Ordinal = ordinal }, message, at);
        Calls.Add(call);
        return call;
    }

    private static int RoundOf(Message message) => message switch
    {
        NewRound said => said.Round,
        Proposal said => said.Round,
        Vote said => said.Round,
        _ => 0,
    };
}

/// <summary>Names a call by what is the same where other values were drawn: the how-manieth of its kind between two agents.</summary>
internal readonly record struct CallKey(int From, int Boots, int To, string Kind, int Round, int Ordinal);
