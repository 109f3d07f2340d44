using System.Net;

namespace Consensus.ServiceDefaults;

/// <summary>
/// How this program makes HTTP calls. They take only a proxy that a setting names: <c>HTTP_PROXY</c> and its like are meant for
/// the internet, and agents are often on one machine. They go to the first address of a name that answers.
/// </summary>
public static class DirectHttp
{
    /// <summary>Makes a handler.</summary>
    /// <param name="proxy">The proxy; null: none, also where the environment names one.</param>
    public static SocketsHttpHandler CreateHandler(Uri? proxy = null)
    {
        var connections = new HappyEyeballs();
        return new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = TlsFailure.Validate },
            UseProxy = proxy is not null,
            Proxy = proxy is null ? null : new WebProxy(proxy),
            ConnectCallback = (context, cancellation) => new ValueTask<Stream>(connections.ConnectAsync(context.DnsEndPoint, cancellation)),
        };
    }
}
