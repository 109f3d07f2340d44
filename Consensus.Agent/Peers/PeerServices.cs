using System.Diagnostics.Metrics;
using Consensus.Agent.Configuration;
using Consensus.ServiceDefaults;
using Microsoft.Extensions.Http.Resilience;

namespace Consensus.Agent.Peers;

/// <summary>The services with which an agent calls others.</summary>
internal static class PeerServices
{
    /// <summary>Adds them.</summary>
    public static void AddPeers(this IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton<PeerDirectory>();
        services.AddSingleton<FaultInjector>();
        services.AddSingleton<FaultInjectionLogger>();

        // PeerClient has its own timeout and logs.
        services.AddHttpClient(nameof(PeerClient), http => http.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(services => Sockets(options, services))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers()
            .AddFaults(options);
        services.AddHttpClient<AgentApiClient>(http =>
            {
                // Calls to other agents carry the key. The handler follows no redirect, so the key reaches no other site.
                http.Timeout = Timeout.InfiniteTimeSpan;
                options.Key?.AddTo(http.DefaultRequestHeaders);
            })
            .ConfigurePrimaryHttpMessageHandler(services => Sockets(options, services));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<PeerClient>(provider, CallsTo(options, provider)));
    }

    private static void AddFaults(this IHttpClientBuilder client, AgentOptions options)
    {
        if (options.Faults)
        {
            client.AddResilienceHandler(
                "faults", (pipeline, context) => FaultInjectionPipeline.AddOutgoing(pipeline, context.ServiceProvider));
        }
    }

    internal static SocketsHttpHandler Sockets(AgentOptions options, IServiceProvider services)
    {
        var handler = DirectHttp.CreateHandler(options.PeerProxy);

        // A connect timeout ends before the call's own timeout, so the agent counts the peer as absent, not as slow.
        (handler.PooledConnectionLifetime, handler.ConnectTimeout) = (TimeSpan.FromMinutes(2), options.CallTimeout * 0.75);
        (handler.UseCookies, handler.AllowAutoRedirect) = (false, false);
        handler.ActivityHeadersPropagator = null;

        // The process has one meter of HTTP calls; agents that share it would count each other's.
        handler.MeterFactory = services.GetRequiredService<IMeterFactory>();
        return handler;
    }

    /// <summary>Addresses need no service discovery, which costs each call its share; names do.</summary>
    private static HttpMessageInvoker CallsTo(AgentOptions options, IServiceProvider provider) =>
        !options.Faults && options.Peers.All(peer => peer.IsLoopback || peer.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            ? new HttpMessageInvoker(Sockets(options, provider))
            : provider.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(PeerClient));
}
