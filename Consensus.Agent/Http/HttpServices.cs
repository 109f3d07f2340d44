using Consensus.Agent.Configuration;

namespace Consensus.Agent.Http;

/// <summary>The services of the pipeline.</summary>
internal static class HttpServices
{
    /// <summary>Adds them.</summary>
    public static void AddHttpInput(this IServiceCollection services, AgentOptions options)
    {
        services.AddProblemDetails();
        services.AddExceptionHandler<AgentExceptionHandler>();
        services.AddSingleton<RejectedRequestLog>();
        services.AddSingleton<CrossSiteProtection>();
        services.AddRateLimitPolicies(options);
        services.AddWebPage();

        // The description names the host of the request, so each host takes an entry of its own.
        services.AddOutputCache(cache => cache.SizeLimit = 1024 * 1024);
    }
}
