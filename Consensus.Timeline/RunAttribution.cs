using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>
/// Decides which run the messages and events of a step belong to. The index of runs and the events of re-executed steps both ask it.
/// </summary>
/// <param name="isRecorded">Whether the agent records a run.</param>
/// <param name="onOpen">Called when a run becomes the newest: the current one, or that of bare messages (none).</param>
/// <typeparam name="T">What is held of a handshake until its run begins.</typeparam>
internal sealed class RunAttribution<T>(Func<RunId, bool> isRecorded, Action<RunId> onOpen)
{
    /// <summary>Handshakes that are held for the run that follows them.</summary>
    private const int MaxHeld = 512;

    private const long HeldUs = 5_000_000;

    private readonly Queue<(long At, T Handshake)> _held = new();
    private RunDescriptor? _current;
    private long _at;

    /// <summary>The run that began last, none for that of bare messages; null: no run.</summary>
    public RunId? Newest { get; set; }

    /// <summary>The handshakes that are held.</summary>
    public IEnumerable<T> Held => _held.Select(held => held.Handshake);

    /// <summary>A step begins to be attributed.</summary>
    /// <param name="at">Its time, in µs since 1970.</param>
    /// <param name="current">The current run after it.</param>
    public void OnStep(long at, RunDescriptor? current)
    {
        (_at, _current) = (at, current);
        if (current is not null && current.Id != Newest)
        {
            Open(current.Id);
        }
    }

    /// <summary>The run of a message, none for that of bare messages; null: one that the agent does not record.</summary>
    public RunId? Of(Message message) => message.Run is { } run ? Of(run.Id) : _current is null ? OfAnonymousRun() : null;

    /// <summary>The run of an event.</summary>
    public RunId? Of(ProtocolEvent e) => e.Kind == ProtocolEventKind.WasReset ? Newest : e.Run.IsNone ? OfAnonymousRun() : Of(e.Run);

    /// <summary>Holds a handshake of this step for the run that follows it.</summary>
    public void Hold(T handshake)
    {
        if (_held.Count == MaxHeld)
        {
            _held.Dequeue();
        }

        _held.Enqueue((_at, handshake));
    }

    /// <summary>Returns the handshakes of the run that begins in this step, and holds none any more.</summary>
    public IEnumerable<T> Release()
    {
        while (_held.TryDequeue(out var held))
        {
            if (_at - held.At <= HeldUs)
            {
                yield return held.Handshake;
            }
        }
    }

    private RunId? Of(RunId run) => run == _current?.Id || isRecorded(run) ? run : null;

    private RunId OfAnonymousRun()
    {
        if (Newest is not { IsNone: true })
        {
            Open(RunId.None);
        }

        return RunId.None;
    }

    private void Open(RunId run)
    {
        Newest = run;
        onOpen(run);
    }
}
