namespace Consensus.Agent.Hosting;

/// <summary>The agent's shutdown: each waiting request gets the state that the agent holds.</summary>
public sealed partial class AgentService
{
    private static readonly TimeSpan SendsTimeout = TimeSpan.FromMilliseconds(500);

    private int _sendsInFlight;

    /// <summary>
    /// Waits until canceled sends have ended, 500 ms at most. A span of a send that ends after the exporters is lost, and the
    /// receiver's span then has no parent.
    /// </summary>
    public void WaitForSends() => SpinWait.SpinUntil(() => Volatile.Read(ref _sendsInFlight) == 0, SendsTimeout);

    /// <summary>Ends all waits, starts and sends. The agent sends nothing more.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        _timer.Dispose();
        lock (_gate)
        {
            foreach (var waiting in _starts.Values)
            {
                waiting.Ended.TrySetException(new StoppingException());
            }

            _starts.Clear();
            _telemetry.Stop();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        PersistHistory();
        _stopping.Dispose();
    }
}

/// <summary>The agent is shutting down and takes no more starts.</summary>
public sealed class StoppingException() : Exception("This agent is shutting down. Ask another agent, or this one when it is back.");
