namespace Consensus.Agent.Hosting;

/// <summary>The agent's shutdown: each waiting request gets the state that the agent holds.</summary>
public sealed partial class AgentNode
{
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
        KeepHistory();
        _stopping.Dispose();
    }
}

/// <summary>The agent is shutting down and takes no more starts.</summary>
public sealed class StoppingException() : Exception("This agent is shutting down. Ask another agent, or this one when it is back.");
