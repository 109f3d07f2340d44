using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Consensus.Agent.Configuration;
using Consensus.Agent.Http;
using Consensus.Agent.Storage;
using Consensus.ServiceDefaults;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Consensus.Agent;

/// <summary>A whole cluster in one process: each agent a web application of its own, with HTTP between them.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private readonly List<WebApplication> _apps;

    private LocalCluster(List<WebApplication> apps, IReadOnlyList<IReadOnlyList<Listener>> listeners)
    {
        _apps = apps;
        Listeners = listeners;
        Addresses = [.. listeners.Select(own => own[0].Address)];
    }

    /// <summary>Where this process reaches the agents, agent1 first.</summary>
    public IReadOnlyList<Uri> Addresses { get; }

    /// <summary>Where the agents listen, agent1 first.</summary>
    internal IReadOnlyList<IReadOnlyList<Listener>> Listeners { get; }

    /// <summary>The agents' services, agent1 first.</summary>
    public IReadOnlyList<IServiceProvider> Services => [.. _apps.Select(app => app.Services)];

    /// <summary>Starts agent1..N on consecutive ports of localhost; port 0 takes free ones.</summary>
    /// <exception cref="ConfigurationException">An agent cannot listen there.</exception>
    public static Task<LocalCluster> StartAsync(
        int agents, int port, AgentOptions? shared = null, string[]? args = null, Action<int, WebApplicationBuilder>? configure = null) =>
        StartAsync(agents, [new Listener("http", "localhost", port)], shared, args, configure);

    /// <summary>
    /// Starts agent1..N on the ports from these on. Every address is known before an agent is built, so no agent can be
    /// reached that does not know its peers.
    /// </summary>
    /// <exception cref="ConfigurationException">An agent cannot listen there.</exception>
    internal static async Task<LocalCluster> StartAsync(
        int agents, IReadOnlyList<Listener> first, AgentOptions? shared = null, string[]? args = null,
        Action<int, WebApplicationBuilder>? configure = null, WarmUp? warmUp = null)
    {
        var held = new Dictionary<int, Socket>();
        var apps = new List<WebApplication>();
        try
        {
            List<List<Listener>> listeners =
                [.. Enumerable.Range(0, agents).Select(number => first.Select(one => Choose(one.Next(number), held)).ToList())];
            List<Uri> addresses = listeners.ConvertAll(own => own[0].Address);
            for (var i = 0; i < agents; i++)
            {
                var number = i;
                var id = string.Create(CultureInfo.InvariantCulture, $"agent{i + 1}");
                var options = (shared ?? new AgentOptions { Id = "" }) with
                {
                    Id = id,
                    Port = addresses[i].Port,
                    Peers = [.. addresses.Where((_, other) => other != number)],
                    Data = shared?.Data is { } data ? RunStoreFactory.PathFor(data, id) : null,
                };
                var app = AgentApplication.Build(options, args ?? [], builder =>
                {
                    builder.Services.Configure<SocketTransportOptions>(
                        sockets => sockets.CreateBoundListenSocket = endpoint => Take(endpoint, held));
                    configure?.Invoke(number, builder);
                }, warmUp);
                app.Urls.Clear();
                listeners[i].ForEach(listener => app.Urls.Add(listener.Url));
                apps.Add(app);
            }

            foreach (var app in apps)
            {
                await HttpServer.ListenAsync(app);
            }

            AgentApplication.Start(apps, warmUp);

            return new LocalCluster(apps, listeners);
        }
        catch
        {
            await DisposeAsync(apps);
            throw;
        }
        finally
        {
            foreach (var socket in held.Values)
            {
                socket.Dispose();
            }
        }
    }

    /// <summary>Where an application listens.</summary>
    public static Uri AddressOf(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());

    /// <summary>Waits for Ctrl+C or SIGTERM.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellation) =>
        Task.WhenAll(_apps.Select(app => app.WaitForShutdownAsync(cancellation)));

    /// <summary>Stops one agent for good.</summary>
    public Task StopAsync(int agent) => _apps[agent].StopAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => DisposeAsync(_apps);

    /// <summary>Stops an application and disposes it. Without the stop, disposing could wait for ever for calls in progress.</summary>
    internal static async Task EndAsync(WebApplication app)
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    /// <summary>Takes a free port where none is named, and holds it by its socket.</summary>
    private static Listener Choose(Listener listener, Dictionary<int, Socket> held)
    {
        if (listener.Port != 0)
        {
            return listener;
        }

        var (bound, socket) = listener.Bind();
        held.Add(bound.Port, socket);
        return bound;
    }

    private static Socket Take(EndPoint endpoint, Dictionary<int, Socket> held) =>
        endpoint is IPEndPoint { Port: var port } && held.Remove(port, out var socket)
            ? socket : SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);

    private static async ValueTask DisposeAsync(List<WebApplication> apps) => await Task.WhenAll(apps.Select(EndAsync));
}
