using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Consensus.ServiceDefaults;

/// <summary>
/// Opens connections to a name that has several addresses, after RFC 8305 (Happy Eyeballs): an address that does not answer
/// holds up a connection for <see cref="AttemptDelay"/>, and not for the whole time that a call may take. Thread safe.
/// </summary>
/// <param name="resolve">Finds the addresses of a name, the preferred one first.</param>
/// <param name="connect">Opens a connection to one address.</param>
/// <param name="time">The clock.</param>
public sealed class HappyEyeballs(
    Func<string, CancellationToken, Task<IPAddress[]>> resolve,
    Func<IPEndPoint, CancellationToken, Task<Stream>> connect, TimeProvider time)
{
    /// <summary>How long an attempt has before the next address is tried beside it: the least that the RFC allows.</summary>
    public static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<DnsEndPoint, IPAddress> _lastConnected = new();

    /// <summary>Over the platform's resolver and sockets.</summary>
    public HappyEyeballs()
        : this(new NameResolver(Dns.GetHostAddresses, TimeProvider.System).ResolveAsync, ConnectSocketAsync, TimeProvider.System)
    {
    }

    /// <summary>Opens a connection to the first address that answers.</summary>
    /// <exception cref="SocketException">The name has no address, or none of its addresses can be reached.</exception>
    public async Task<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellation)
    {
        var untried = new Queue<IPAddress>(Order(await resolve(target.Host, cancellation), _lastConnected.GetValueOrDefault(target)));
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var attempts = new Dictionary<Task<Stream>, IPAddress>();
        Exception failure = new SocketException((int)SocketError.HostNotFound);
        try
        {
            while (untried.TryDequeue(out var address))
            {
                attempts.Add(connect(new IPEndPoint(address, target.Port), over.Token), address);
                var pause = untried.Count > 0 ? Task.Delay(AttemptDelay, time, over.Token) : null;
                while (attempts.Count > 0 && pause is not { IsCompleted: true })
                {
                    var done = await Task.WhenAny(pause is null ? attempts.Keys : [.. attempts.Keys, pause]);
                    cancellation.ThrowIfCancellationRequested();
                    if (done is not Task<Stream> attempt || !attempts.Remove(attempt, out var tried))
                    {
                        continue;
                    }

                    if (attempt.IsCompletedSuccessfully)
                    {
                        _lastConnected[target] = tried;
                        return await attempt;
                    }

                    // The next address need not wait for one that has refused.
                    failure = attempt.Exception?.InnerException ?? failure;
                    pause = untried.Count > 0 ? Task.CompletedTask : null;
                }
            }

            throw failure;
        }
        finally
        {
            await over.CancelAsync();
            foreach (var attempt in attempts.Keys)
            {
                _ = CloseAsync(attempt);
            }
        }
    }

    /// <summary>The address that was connected to last, and then those of both families in turn.</summary>
    private static IEnumerable<IPAddress> Order(IPAddress[] addresses, IPAddress? last)
    {
        var families = addresses.GroupBy(address => address.AddressFamily).Select(family => family.ToList()).ToList();
        var inTurn = Enumerable.Range(0, addresses.Length)
            .SelectMany(rank => families.Where(family => rank < family.Count).Select(family => family[rank]));
        return inTurn.OrderBy(address => address.Equals(last) ? 0 : 1);
    }

    /// <summary>Closes a connection that came too late.</summary>
    private static async Task CloseAsync(Task<Stream> attempt)
    {
        await ((Task)attempt).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (attempt.IsCompletedSuccessfully)
        {
            await (await attempt).DisposeAsync();
        }
    }

    private static async Task<Stream> ConnectSocketAsync(IPEndPoint endpoint, CancellationToken cancellation)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellation);

            // The platform reads this property once it has the stream. Where the peer has reset the connection by then, a call would
            // throw a SocketException in place of an HttpRequestException. The socket keeps what is read here.
            _ = socket.RemoteEndPoint;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
