using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Consensus.Conformance;

/// <summary>One HTTP server on several ports of the loopback address.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly int[] _ports;

    private LoopbackServer(WebApplication app)
    {
        _app = app;
        var features = app.Services.GetRequiredService<IServer>().Features;
        _ports = [.. features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(address => new Uri(address).Port)];
        Addresses = [.. _ports.Select(port => new Uri($"http://127.0.0.1:{port}"))];
    }

    /// <summary>The addresses, in order of their index.</summary>
    public IReadOnlyList<Uri> Addresses { get; }

    /// <summary>Starts the server.</summary>
    /// <param name="ports">How many ports, which are free ones.</param>
    /// <param name="handle">Handles a request; its number is the index of the port that the request came to.</param>
    public static Task<LoopbackServer> StartAsync(int ports, Func<int, HttpContext, Task> handle) => StartAsync(new int[ports], handle);

    /// <summary>Starts the server.</summary>
    /// <param name="ports">The ports; 0: a free one.</param>
    /// <param name="handle">Handles a request; its number is the index of the port that the request came to.</param>
    public static async Task<LoopbackServer> StartAsync(IReadOnlyList<int> ports, Func<int, HttpContext, Task> handle)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var port in ports)
            {
                kestrel.Listen(IPAddress.Loopback, port);
            }
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(200));
        var app = builder.Build();
        LoopbackServer? server = null;
        app.Run(context => handle(Array.IndexOf(server!._ports, context.Connection.LocalPort), context));
        await app.StartAsync();
        return server = new LoopbackServer(app);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
