using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;

namespace Consensus.Hosting;

/// <summary>Ports that the application needs and another program has.</summary>
internal static class PortConflicts
{
    /// <summary>Configuration keys of the application's own addresses, and what listens there.</summary>
    private static readonly (string Key, string User)[] OwnAddresses =
    [
        ("ASPNETCORE_URLS", "the dashboard"),
        ("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "the dashboard's telemetry"),
        ("ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", "the dashboard's telemetry"),
        ("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", "the resource service"),
    ];

    /// <summary>Looks at every fixed port before anything is started.</summary>
    /// <returns>Null, or one line: which port is in use, who needs it, what to do.</returns>
    /// <remarks>Where <c>--port</c> places a second cluster, its dashboard moves to a free port instead.</remarks>
    public static string? Resolve(IConfiguration configuration, ClusterOptions options)
    {
        for (var number = 1; number <= options.Agents; number++)
        {
            if (options.PortOf(number) is { } port && IsTaken(port))
            {
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"Port {port}, for {ClusterOptions.NameOf(number)}, is in use. "
                        + $"Stop the program that listens there, or start with --port 0 for free ports.");
            }
        }

        if (configuration.GetValue("DcpPublisher:RandomizePorts", false))
        {
            return null;
        }

        foreach (var (key, user) in OwnAddresses)
        {
            var taken = (configuration[key] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)
                .Select(address => Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri.Port : 0)
                .FirstOrDefault(port => port != 0 && IsTaken(port));
            if (taken == 0)
            {
                continue;
            }

            if (configuration["port"] is null && configuration["Cluster:Port"] is null)
            {
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"Port {taken}, for {user}, is in use. "
                        + $"Stop the program that listens there (another AppHost?), or start with --port 0 for free ports.");
            }

            configuration[key] = "";
        }

        return null;
    }

    private static bool IsTaken(int port) =>
        IsTaken(IPAddress.Loopback, port) || (Socket.OSSupportsIPv6 && IsTaken(IPAddress.IPv6Loopback, port));

    private static bool IsTaken(IPAddress address, int port)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
            return false;
        }
        catch (SocketException exception)
        {
            // A machine without IPv6 has no such address. The port may still be free.
            return exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied;
        }
    }
}
