using System.Net;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// The platform's proxy (<c>HTTP_PROXY</c> and its like), but not for calls to this machine: a proxy elsewhere would call its
/// own machine. Exporters of telemetry use it: their collector is often on this machine, and may be beyond a proxy.
/// </summary>
/// <param name="platform">The proxy for all other calls.</param>
public sealed class RemoteOnlyProxy(IWebProxy platform) : IWebProxy
{
    /// <inheritdoc/>
    public ICredentials? Credentials
    {
        get => platform.Credentials;
        set => platform.Credentials = value;
    }

    /// <summary>Makes it the process' default. Call it once, before the first HTTP call.</summary>
    public static void Install() => HttpClient.DefaultProxy = new RemoteOnlyProxy(HttpClient.DefaultProxy);

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => destination.IsLoopback ? null : platform.GetProxy(destination);

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => host.IsLoopback || platform.IsBypassed(host);
}
