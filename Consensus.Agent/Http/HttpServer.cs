using System.Net.Sockets;
using Consensus.Agent.Configuration;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Consensus.Agent.Http;

/// <summary>The server that takes connections.</summary>
internal static class HttpServer
{
    /// <summary>Sets it, whatever it serves.</summary>
    public static void Configure(ConfigureWebHostBuilder host)
    {
        host.UseKestrelHttpsConfiguration();

        // Handlers never block, so they run on the I/O thread.
        host.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        host.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = WireLimits.MaxBodyBytes;

            // A slow sender holds a connection, and the number of connections is limited.
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(2));
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Limits.MaxConcurrentConnections = CallLimits.MaxConnections;
        });
    }

    /// <summary>
    /// Lets the thread that polls the sockets also run what waits for them, unless the agents persist: a decision then waits for the
    /// disk. The runtime reads the setting at the process' first socket, so call this before (docs/decisions/inline-completions.md).
    /// </summary>
    public static void CompleteInline(AgentOptions options)
    {
        const string Setting = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
        if (options.Data is null && Environment.GetEnvironmentVariable(Setting) is null)
        {
            Environment.SetEnvironmentVariable(Setting, "1");
        }
    }

    /// <summary>Makes an application listen.</summary>
    /// <exception cref="ConfigurationException">It cannot listen there; the message names what to change.</exception>
    public static async Task ListenAsync(WebApplication app)
    {
        // The server removes addresses that it cannot bind.
        var urls = string.Join(", ", app.Urls);
        try
        {
            await app.StartAsync();
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw CannotListen(app, urls, "the port is in use: stop what listens there, or choose another with --port or PORT");
        }
        catch (SocketException e)
        {
            throw CannotListen(app, urls, $"{e.Message.TrimEnd('.').ToLowerInvariant()}: choose another port or address");
        }
    }

    private static ConfigurationException CannotListen(WebApplication app, string urls, string why)
    {
        var where = urls.Length > 0 ? urls : "an address of Kestrel:Endpoints";
        return new($"{app.Services.GetRequiredService<AgentOptions>().Id} cannot listen on {where}: {why}.");
    }
}
