using Consensus.Agent.Hosting;
using Microsoft.AspNetCore.Diagnostics;

namespace Consensus.Agent.Api;

/// <summary>Answers 503 with the reason where an agent cannot write its data, or shuts down.</summary>
internal sealed class UnavailableHandler : IExceptionHandler
{
    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not (PersistenceException or StoppingException))
        {
            return false;
        }

        await RequestBody.Problem(503, exception.Message, exception is PersistenceException ? "not-kept" : "stopping").ExecuteAsync(httpContext);
        return true;
    }
}
