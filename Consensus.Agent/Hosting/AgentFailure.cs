namespace Consensus.Agent.Hosting;

/// <summary>Why an agent takes no more part. An agent that failed stays failed until its process starts again.</summary>
/// <param name="Reason">What happened, and what to do.</param>
/// <param name="IsOfData">Whether the data file could not be written; else a step threw an unexpected exception.</param>
internal sealed record AgentFailure(string Reason, bool IsOfData)
{
    /// <summary>Makes the exception that each caller gets.</summary>
    public Exception ToException() => IsOfData ? new PersistenceException(Reason) : new AgentFailedException(Reason);
}

/// <summary>A step of the agent threw an exception that no code expects. The message names what to do.</summary>
internal sealed class AgentFailedException(string message) : Exception(message);

/// <summary>The data file cannot be written. The message names what to do.</summary>
internal sealed class PersistenceException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The agent is shutting down and takes no more starts.</summary>
internal sealed class StoppingException() : Exception("This agent is shutting down. Ask another agent, or this one when it is back.");
