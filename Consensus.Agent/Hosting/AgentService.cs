using System.Diagnostics;
using Consensus.Agent.Configuration;
using Consensus.Agent.Peers;
using Consensus.Agent.Storage;
using Consensus.Agent.Telemetry;
using Consensus.Agent.Timeline;
using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Agent.Hosting;

/// <summary>
/// Drives one machine over the network: one step at a time, timers, and sends that nobody waits for. Steps take
/// microseconds, so a lock is the inbox: a message is answered by the thread that brought it.
/// </summary>
public sealed partial class AgentService : IDisposable
{
    private const long Never = long.MaxValue;

    private readonly Lock _gate = new();
    private readonly AgentStateMachine _machine;
    private readonly PeerClient _peers;
    private readonly AgentOptions _options;
    private readonly EventRecorder _recorder;
    private readonly AgentTelemetry _telemetry;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly long[] _deadlines = [Never, Never, Never, Never, Never];
    private readonly SortedDictionary<long, (TaskCompletionSource<StartOutcome> Ended, ActivityContext Caller)> _starts = [];
    private readonly CancellationTokenSource _stopping = new();
    private long _wakeAt = Never;
    private long _lastTicket;
    private TaskCompletionSource? _change;
    private long _resets;

    public AgentService(AgentOptions options, PeerClient peers, AgentTelemetry telemetry, TimeProvider time, RunStore? store = null)
    {
        var random = new SeededRandom(BitConverter.ToUInt64(Guid.NewGuid().ToByteArray()));
        var boot = Guid.NewGuid().ToString("N")[..12];
        _machine = new AgentStateMachine(options.Id, boot, [.. options.Peers.Select(peer => peer.OriginalString)], random);
        _peers = peers;
        _options = options;
        _recorder = new EventRecorder(options.Id, boot, time);
        _telemetry = telemetry;
        _time = time;
        _store = store;
        Restore();
        _timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What was recorded, for the timeline.</summary>
    public EventRecorder Recorder => _recorder;

    /// <summary>Asks the peers what they know. Call it once, when this agent can be reached.</summary>
    public void Start() => Step(new Started());

    /// <summary>Handles one message; its answer is ready when this returns.</summary>
    /// <param name="message">The message.</param>
    /// <param name="key">How its sender names it, for the timeline; null where it does not.</param>
    /// <exception cref="PersistenceException">The agent cannot keep what it would have to announce.</exception>
    public Response Receive(Message message, string? key = null)
    {
        _peers.Heard(key);
        return Step(new MessageReceived(message), key) ?? throw new PersistenceException(_failure!);
    }

    /// <summary>Starts a run and waits until its first calls have returned.</summary>
    /// <param name="request">What to start.</param>
    /// <param name="caller">The trace of who asks for it, which the run's trace links to.</param>
    /// <exception cref="StoppingException">The agent shuts down.</exception>
    public Task<StartOutcome> StartAsync(RunRequest request, ActivityContext caller = default)
    {
        var ended = new TaskCompletionSource<StartOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested)
            {
                throw new StoppingException();
            }

            // The machine takes starts one after another, so the oldest ticket is the one in hand.
            var ticket = ++_lastTicket;
            _starts.Add(ticket, (ended, caller));
            Step(new StartRun(ticket, request));
        }

        AbandonStarts();
        return ended.Task;
    }

    /// <summary>What the machine holds now.</summary>
    public AgentSnapshot Snapshot()
    {
        lock (_gate)
        {
            ThrowIfFailed();
            return _machine.Snapshot();
        }
    }

    /// <summary>
    /// Waits for a decision. One that names a run ends when that run is decided or a later one has taken its place, and
    /// begins before this agent has heard of it; one that names none waits through runs. A reset ends both.
    /// </summary>
    /// <returns>What the machine held at the end, decided or not.</returns>
    public async Task<AgentSnapshot> WaitAsync(RunId? run, TimeSpan atMost, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(atMost, _time);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token, limit.Token);
        var resets = -1L;
        while (true)
        {
            Task change;
            lock (_gate)
            {
                ThrowIfFailed();
                resets = resets < 0 ? _resets : resets;
                var isAsked = run is null || _machine.CurrentRun?.Id == run;
                if ((isAsked ? _machine.CurrentDecision is not null : run <= _machine.Floor) || _resets != resets || timeout.IsCancellationRequested)
                {
                    return _machine.Snapshot();
                }

                change = (_change ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await change.WaitAsync(timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Response? Step(Input input, string? key = null, long messageId = 0)
    {
        Response? answer = null;
        List<(Send Send, long Id, MessageParent Parent)>? outbox = null;
        List<(TaskCompletionSource<StartOutcome> Waiting, StartOutcome Outcome)>? ended = null;
        TaskCompletionSource? change = null;
        lock (_gate)
        {
            if (_failure is not null)
            {
                return null;
            }

            using var unseen = _store is null ? default : _recorder.Hold();
            var changed = false;
            var effects = _machine.Step(input);
            _recorder.OnStep(_machine.CurrentRun);
            TakeUpStart(taken: input is StartRun && _starts.Count == 1);
            RecordInput(input, effects, key, messageId);
            foreach (var effect in effects)
            {
                switch (effect)
                {
                    case Send send:
                        var id = _recorder.Sent(send.Peer, _options.Peers[send.Peer].OriginalString, send.Message, out var recorded);
                        (outbox ??= []).Add((send, id, _telemetry.ParentOf(send.Peer, send.Message, repeated: !recorded)));
                        break;
                    case Reply reply:
                        answer = reply.Response;
                        break;
                    case SetTimer arm:
                        Schedule(arm.Timer, _time.GetTimestamp() + (arm.DelayMs * _time.TimestampFrequency / 1000));
                        break;
                    case CancelTimer disarm:
                        _deadlines[(int)disarm.Timer] = Never;
                        break;
                    case ProtocolEvent protocolEvent:
                        _telemetry.Record(protocolEvent, _machine.CurrentRun, input, _recorder.Record(protocolEvent));
                        changed |= protocolEvent.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner or ProtocolEventKind.Decided or ProtocolEventKind.Learned or ProtocolEventKind.WasReset;
                        _resets += protocolEvent.Kind == ProtocolEventKind.WasReset ? 1 : 0;
                        break;
                    case StartEnded start when _starts.TryGetValue(start.Ticket, out var waiting):
                        (ended ??= []).Add((waiting.Ended, start.Outcome));
                        EndStart(start);
                        break;
                }
            }

            if (input is TimerFired)
            {
                _telemetry.Stalled(_machine.CurrentRun, _machine.Stalled());
            }

            if (_store is not null && !Persist())
            {
                (changed, answer, outbox) = (true, null, null);
                ended?.ForEach(start => start.Waiting.SetException(new PersistenceException(_failure!)));
                ended = null;
            }

            if (changed)
            {
                (change, _change) = (_change, null);
            }
        }

        ended?.ForEach(start => start.Waiting.SetResult(start.Outcome));
        change?.SetResult();
        if (outbox is not null)
        {
            SendAll(outbox, later: answer is not null || input is StartRun);
        }

        return answer;
    }

    private void Schedule(Timer timer, long at)
    {
        _deadlines[(int)timer] = at;
        if (at < _wakeAt)
        {
            _wakeAt = at;
            var delay = _time.GetElapsedTime(_time.GetTimestamp(), at);
            _timer.Change(delay > TimeSpan.Zero ? delay : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTimer()
    {
        Span<bool> due = stackalloc bool[_deadlines.Length];
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            _wakeAt = Never;
            var next = Never;
            for (var i = 0; i < _deadlines.Length; i++)
            {
                if (_deadlines[i] <= now)
                {
                    due[i] = true;
                    _deadlines[i] = Never;
                }

                next = Math.Min(next, _deadlines[i]);
            }

            if (next != Never && !_stopping.IsCancellationRequested)
            {
                _wakeAt = next;
                var delay = _time.GetElapsedTime(now, next);

                // The system's timers may fire a little early; a whole millisecond more keeps them from spinning.
                _timer.Change(delay + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            }
        }

        for (var i = 0; i < due.Length; i++)
        {
            if (due[i])
            {
                Step(new TimerFired((Timer)i));
            }
        }
    }
}
