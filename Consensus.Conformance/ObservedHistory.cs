using Consensus.Protocol;

namespace Consensus.Conformance;

/// <summary>What was observed between agents.</summary>
public enum HistoryEventKind
{
    /// <summary>A process started.</summary>
    Started,

    /// <summary>A process was killed.</summary>
    Killed,

    /// <summary>The judge asked an agent for a run.</summary>
    RunRequested,

    /// <summary>An agent sent a request.</summary>
    Sent,

    /// <summary>A request arrived at its receiver.</summary>
    Received,

    /// <summary>The caller had the response.</summary>
    Answered,

    /// <summary>The caller had no response.</summary>
    Unanswered,

    /// <summary>An agent's response to the judge held its decision.</summary>
    Decided,
}

/// <summary>One request between agents.</summary>
/// <param name="from">The caller, from 0.</param>
/// <param name="process">Which process of the caller it was, from 1.</param>
/// <param name="to">The called agent, from 0.</param>
/// <param name="message">The message; null where the body was none.</param>
public sealed class ObservedCall(int from, int process, int to, Message? message)
{
    /// <summary>The caller, from 0.</summary>
    public int From => from;

    /// <summary>Which process of the caller it was, from 1.</summary>
    public int Process => process;

    /// <summary>The called agent, from 0.</summary>
    public int To => to;

    /// <summary>The message; null where the body was none.</summary>
    public Message? Message => message;

    /// <summary>Which process of the called agent it was last sent to.</summary>
    public int Receiver { get; set; }

    /// <summary>Whether the request never arrived.</summary>
    public bool Lost { get; set; }

    /// <summary>Whether the response never arrived.</summary>
    public bool AnswerLost { get; set; }
}

/// <summary>One event of a history.</summary>
/// <param name="AtUs">When, in µs since the history began.</param>
/// <param name="Kind">What.</param>
/// <param name="Agent">The agent, from 0.</param>
/// <param name="Process">Which process of the agent, from 1.</param>
/// <param name="Call">The request concerned.</param>
/// <param name="Response">The response, where one was observed.</param>
/// <param name="Decision">The decision, of <see cref="HistoryEventKind.Decided"/>.</param>
public sealed record HistoryEvent(
    long AtUs, HistoryEventKind Kind, int Agent, int Process,
    ObservedCall? Call = null, Response? Response = null, Decision? Decision = null);

/// <summary>Everything that was observed in one run, in order.</summary>
/// <param name="agents">The ids of the agents.</param>
/// <param name="time">The clock of the events.</param>
public sealed class ObservedHistory(IReadOnlyList<string> agents, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<HistoryEvent> _events = [];
    private readonly HashSet<PlannedFault> _applied = [];
    private RunId _started = RunId.None;
    private readonly long _began = time.GetTimestamp();

    /// <summary>The ids of the agents.</summary>
    public IReadOnlyList<string> Agents => agents;

    /// <summary>The events so far.</summary>
    public IReadOnlyList<HistoryEvent> Events
    {
        get
        {
            lock (_lock)
            {
                return [.. _events];
            }
        }
    }

    /// <summary>How many events there are so far.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _events.Count;
            }
        }
    }

    /// <summary>The faults that took effect.</summary>
    public IReadOnlyCollection<PlannedFault> Applied
    {
        get
        {
            lock (_lock)
            {
                return [.. _applied];
            }
        }
    }

    /// <summary>The newest run that an agent said it started; none: no agent did.</summary>
    public RunId Started
    {
        get
        {
            lock (_lock)
            {
                return _started;
            }
        }
    }

    /// <summary>How long ago anything was observed.</summary>
    public TimeSpan Quiet
    {
        get
        {
            lock (_lock)
            {
                return TimeSpan.FromMicroseconds(Now - (_events.Count == 0 ? 0 : _events[^1].AtUs));
            }
        }
    }

    /// <summary>How long ago the history began, in ms.</summary>
    public long ElapsedMs => Now / 1000;

    private long Now => (long)time.GetElapsedTime(_began).TotalMicroseconds;

    /// <summary>Adds an event that happens now.</summary>
    public void Add(HistoryEventKind kind, int agent, int process,
        ObservedCall? call = null, Response? response = null, Decision? decision = null)
    {
        lock (_lock)
        {
            _events.Add(new HistoryEvent(Now, kind, agent, process, call, response, decision));
        }
    }

    /// <summary>Records that an agent said it started a run. A run that only messages name may have been given up.</summary>
    public void AddStarted(RunId run)
    {
        lock (_lock)
        {
            _started = run > _started ? run : _started;
        }
    }

    /// <summary>Records that a fault took effect.</summary>
    public void Apply(PlannedFault fault)
    {
        lock (_lock)
        {
            _applied.Add(fault);
        }
    }
}
