using System.Globalization;
using Consensus.Agent.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Consensus.Agent.Hosting;

/// <summary>A whole cluster in one process: each agent a web application of its own, with HTTP between them.</summary>
public sealed class LocalCluster : IAsyncDisposable
{
    private readonly List<WebApplication> _apps;

    private LocalCluster(List<WebApplication> apps, IReadOnlyList<Uri> addresses)
    {
        _apps = apps;
        Addresses = addresses;
    }

    /// <summary>Where the agents listen, agent1 first.</summary>
    public IReadOnlyList<Uri> Addresses { get; }

    /// <summary>The agents' services, agent1 first.</summary>
    public IReadOnlyList<IServiceProvider> Services => [.. _apps.Select(app => app.Services)];

    /// <summary>Starts agent1..N on consecutive ports; port 0 takes free ones.</summary>
    /// <exception cref="IOException">A port is in use.</exception>
    public static async Task<LocalCluster> StartAsync(
        int agents, int port, AgentOptions? shared = null, string[]? args = null, Action<int, WebApplicationBuilder>? configure = null)
    {
        var apps = new List<WebApplication>();
        try
        {
            for (var i = 0; i < agents; i++)
            {
                var number = i;
                var id = string.Create(CultureInfo.InvariantCulture, $"agent{i + 1}");
                var options = (shared ?? new AgentOptions { Id = "" }) with
                {
                    Id = id, Port = port == 0 ? 0 : port + i, Data = shared?.Data is { } data ? StoreFile.PathFor(data, id) : null,
                };
                var app = AgentServer.Build(options, args ?? [], builder => configure?.Invoke(number, builder));

                // A free port can only be had on one address; a named one serves both of localhost's.
                app.Urls.Clear();
                app.Urls.Add(port == 0 ? "http://127.0.0.1:0" : $"http://localhost:{options.Port}");
                apps.Add(app);
                await app.StartAsync();
            }

            var addresses = apps.ConvertAll(AddressOf);
            for (var i = 0; i < agents; i++)
            {
                apps[i].Services.GetRequiredService<AgentOptions>().Peers = [.. addresses.Where((_, other) => other != i)];
            }

            apps.ForEach(app => app.Services.GetRequiredService<AgentNode>().Start());
            return new LocalCluster(apps, addresses);
        }
        catch
        {
            await DisposeAsync(apps);
            throw;
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

    /// <summary>Stops an application and disposes it. Without the stop, disposing could wait for ever for calls still under way.</summary>
    internal static async Task EndAsync(WebApplication app)
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private static async ValueTask DisposeAsync(List<WebApplication> apps) => await Task.WhenAll(apps.Select(EndAsync));
}
