using System.Diagnostics;
using Consensus.Agent.Configuration;
using Consensus.Agent.Peers;
using Consensus.Agent.Recorder;
using Consensus.Agent.Storage;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;

namespace Consensus.Agent.Hosting;

/// <summary>
/// Runs one agent's core: it takes one input at a time, and records, persists, publishes and sends the effects.
/// A step takes microseconds. So a lock is the inbox, and the thread that received a message also responds to it.
/// </summary>
internal sealed partial class AgentService : IDisposable
{
    private static readonly TimeSpan SendsTimeout = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly AgentStateMachine _machine;
    private readonly PeerClient _peers;
    private readonly AgentOptions _options;
    private readonly EventRecorder _recorder;
    private readonly AgentTelemetry _telemetry;
    private readonly TimeProvider _time;
    private readonly CoreTimers _timers;
    private readonly RunStore? _store;
    private readonly SortedDictionary<long, (TaskCompletionSource<StartOutcome> Ended, ActivityContext Caller)> _starts = [];
    private readonly CancellationTokenSource _stopping = new();
    private Restored _persisted = new(RunId.None);
    private volatile AgentFailure? _failure;
    private long _lastTicket;
    private TaskCompletionSource? _change;
    private long _resets;
    private int _sendsInFlight;

    public AgentService(AgentOptions options, PeerClient peers, AgentTelemetry telemetry,
        TimeProvider time, IRandomSource random, RunStore? store = null, SafetyRules? rules = null)
    {
        var boot = Guid.NewGuid().ToString("N")[..12];
        var draws = new RecordedDraws(random);
        _machine = new AgentStateMachine(options.Id, boot, [.. options.Peers.Select(peer => peer.OriginalString)], draws, rules);
        _peers = peers;
        _options = options;
        _telemetry = telemetry;
        _time = time;
        _store = store;
        _timers = new CoreTimers(time, timer => Step(new TimerFired(timer)));
        if (store is not null)
        {
            _machine.Step(store.Restored);
            _persisted = _machine.ToPersist();
        }

        _recorder = new EventRecorder(new InputLog(_machine, draws), time, rules);
        _recorder.Restore(store?.History ?? []);
    }

    /// <summary>Reads the recorded events of this agent.</summary>
    public TimelineReader Timeline => _recorder.Reader;

    /// <summary>Why this agent takes no more part; null: it takes part.</summary>
    public AgentFailure? Failure => _failure;

    /// <summary>Asks the peers for their state. Call it once, when peers can reach this agent.</summary>
    public void Start() => Step(new Started());

    /// <summary>Handles one message. The response is ready when this method returns.</summary>
    /// <param name="message">The message.</param>
    /// <param name="key">The sender's id of the message (<see cref="MessageId"/>); null: it has none.</param>
    /// <exception cref="PersistenceException">The data file cannot be written.</exception>
    /// <exception cref="AgentFailedException">This agent has failed.</exception>
    public Response Receive(Message message, string? key = null)
    {
        _peers.OnMessageFrom(key);
        return Step(new MessageReceived(message), key) ?? throw _failure!.ToException();
    }

    /// <summary>Starts a run and waits until its first calls have returned.</summary>
    /// <param name="request">The run to start.</param>
    /// <param name="caller">The caller's span. The run's trace links to it.</param>
    /// <exception cref="StoppingException">The agent is shutting down.</exception>
    public Task<StartOutcome> StartAsync(RunRequest request, ActivityContext caller = default)
    {
        var ended = new TaskCompletionSource<StartOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested)
            {
                throw new StoppingException();
            }

            ThrowIfFailed();

            // The core handles starts one after another. The oldest ticket is the current one.
            var ticket = ++_lastTicket;
            _starts.Add(ticket, (ended, caller));
            Step(new StartRun(ticket, request));
        }

        return ended.Task;
    }

    /// <summary>The agent's state now.</summary>
    public AgentSnapshot Snapshot()
    {
        lock (_gate)
        {
            ThrowIfFailed();
            return _machine.Snapshot();
        }
    }

    /// <summary>
    /// The agent's state now, and the W3C trace parent of its run; null: none. An agent that joins by this state continues
    /// that trace.
    /// </summary>
    public (AgentSnapshot Snapshot, string? Traceparent) TracedSnapshot()
    {
        lock (_gate)
        {
            return (Snapshot(), _telemetry.Traceparent);
        }
    }

    /// <summary>
    /// Waits for a decision. With a run, the wait ends when that run is decided or superseded; the run may still be unknown
    /// here. Without a run, the wait goes on through runs. A reset ends both.
    /// </summary>
    /// <returns>The state at the end of the wait, decided or not.</returns>
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
                if ((isAsked ? _machine.CurrentDecision is not null : run <= _machine.HighestSeenRun)
                    || _resets != resets || timeout.IsCancellationRequested)
                {
                    return _machine.Snapshot();
                }

                change = (_change ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await change.WaitAsync(timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Ends all waits, starts and sends. The agent sends nothing more.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        _timers.Dispose();
        lock (_gate)
        {
            AbandonStarts(new StoppingException());
            _telemetry.Stop();
        }
    }

    /// <summary>
    /// Waits until canceled sends have ended, 500 ms at most. A span that ends after the exporters is lost, and the
    /// receiver's span then has no parent.
    /// </summary>
    public void WaitForSends() => SpinWait.SpinUntil(() => Volatile.Read(ref _sendsInFlight) == 0, SendsTimeout);

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        PersistHistory();
        _stopping.Dispose();
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            throw failure.ToException();
        }
    }
}
