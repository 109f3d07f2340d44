using Consensus.Agent.Api;
using Consensus.Agent.Storage;
using Microsoft.AspNetCore.Diagnostics;

namespace Consensus.Agent.Hosting;

/// <summary>Decisions that outlive the process, where <see cref="AgentOptions.Data"/> names a file.</summary>
internal static class Keeping
{
    /// <summary>Opens the file, and tells over HTTP where it fails later.</summary>
    /// <exception cref="ConfigurationException">The file cannot be had.</exception>
    public static void AddKeeping(this IServiceCollection services, AgentOptions options)
    {
        if (options.Data is null)
        {
            return;
        }

        // By a factory, so that it is disposed with the rest.
        var store = StoreFile.Open(options.Data, options.Id);
        services.AddSingleton(_ => store);
        services.AddExceptionHandler<NotKeptHandler>();
    }

    private sealed class NotKeptHandler : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            if (exception is not NotKeptException)
            {
                return false;
            }

            await RequestBody.Problem(503, exception.Message, "not-kept").ExecuteAsync(httpContext);
            return true;
        }
    }
}
