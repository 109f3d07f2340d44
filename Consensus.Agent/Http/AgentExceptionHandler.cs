using Consensus.Agent.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;

namespace Consensus.Agent.Http;

/// <summary>Responds with the reason where an agent has failed or shuts down. A client that leaves is no failure.</summary>
internal sealed class AgentExceptionHandler : IExceptionHandler
{
    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        // ASP.NET Core logs no error of a request that it has marked as aborted. A read may fail before it sets that mark.
        if (exception is ConnectionResetException)
        {
            httpContext.Abort();
            return true;
        }

        (int Status, string Reason)? problem = exception switch
        {
            PersistenceException => (503, "not-persisted"),
            StoppingException => (503, "stopping"),
            AgentFailedException => (500, "failed"),
            _ => null,
        };
        if (problem is not { } found)
        {
            return false;
        }

        await RequestBody.Problem(found.Status, exception.Message, found.Reason).ExecuteAsync(httpContext);
        return true;
    }
}
