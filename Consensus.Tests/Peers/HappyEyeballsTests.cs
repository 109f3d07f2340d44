using System.Net;
using System.Net.Sockets;
using Consensus.Hosting;
using Consensus.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Peers;

/// <summary>Connections to a name with several addresses, some of which are dead.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class HappyEyeballsTests
{
    private static readonly DnsEndPoint Target = new("agent2", 8080);
    private static readonly IPAddress First6 = IPAddress.Parse("fd00::1");
    private static readonly IPAddress Second6 = IPAddress.Parse("fd00::2");
    private static readonly IPAddress First4 = IPAddress.Parse("10.0.0.1");

    private readonly FakeTimeProvider _time = new();
    private readonly Dictionary<IPAddress, TaskCompletionSource<Stream>> _pending = [];
    private readonly List<IPAddress> _tried = [];
    private readonly HappyEyeballs _eyeballs;
    private IPAddress[] _addresses = [First6, First4];
    private bool _ignoresCancellation;

    public HappyEyeballsTests() => _eyeballs = new HappyEyeballs((_, _) => Task.FromResult(_addresses), Connect, _time);

    [Fact]
    public async Task A_connection_that_is_reset_at_once_fails_a_call_as_every_other_failure_does()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var end = new CancellationTokenSource();
        var resetting = ResetAllAsync(listener, end.Token);
        var address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        foreach (var http in (HttpClient[])[new(DirectHttp.CreateHandler()), AgentClient.CreateHttp()])
        {
            for (var call = 0; call < 500; call++)
            {
                await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(address));
            }

            http.Dispose();
        }

        await end.CancelAsync();
        await resetting;
    }

    private static async Task ResetAllAsync(TcpListener listener, CancellationToken end)
    {
        try
        {
            while (true)
            {
                using var accepted = await listener.AcceptSocketAsync(end);
                accepted.LingerState = new LingerOption(true, 0);
            }
        }
        catch (OperationCanceledException)
        {
            // All calls were made.
        }
    }

    [Fact]
    public async Task A_dead_address_holds_up_a_connection_for_a_moment_only()
    {
        var connecting = _eyeballs.ConnectAsync(Target, CancellationToken.None);
        Assert.Equal([First6], _tried);
        _time.Advance(HappyEyeballs.AttemptDelay - TimeSpan.FromMilliseconds(1));
        Assert.Equal([First6], _tried);

        await TriedAsync(2);
        Assert.Equal([First6, First4], _tried);
        Assert.Same(Answer(First4), await connecting);
        Assert.True(_pending[First6].Task.IsCanceled);
    }

    [Fact]
    public async Task An_address_that_refuses_is_followed_by_the_next_at_once()
    {
        var connecting = _eyeballs.ConnectAsync(Target, CancellationToken.None);
        _pending[First6].SetException(new SocketException((int)SocketError.ConnectionRefused));
        await UntilAsync(() => _tried.Count == 2);
        Assert.Same(Answer(First4), await connecting);
    }

    [Fact]
    public async Task A_slow_address_may_still_be_first()
    {
        var connecting = _eyeballs.ConnectAsync(Target, CancellationToken.None);
        await TriedAsync(2);
        Assert.Same(Answer(First6), await connecting);
    }

    [Fact]
    public async Task A_connection_that_comes_too_late_is_closed()
    {
        _ignoresCancellation = true;
        var connecting = _eyeballs.ConnectAsync(Target, CancellationToken.None);
        await TriedAsync(2);
        Assert.Same(Answer(First4), await connecting);
        var late = Answer(First6);
        await UntilAsync(() => !late.CanRead);
    }

    [Fact]
    public async Task Both_families_are_tried_in_turn()
    {
        _addresses = [First6, Second6, First4];
        _ = _eyeballs.ConnectAsync(Target, CancellationToken.None);
        await TriedAsync(3);
        Assert.Equal([First6, First4, Second6], _tried);
    }

    [Fact]
    public async Task The_address_that_answered_last_is_tried_first()
    {
        var connecting = _eyeballs.ConnectAsync(Target, CancellationToken.None);
        await TriedAsync(2);
        Answer(First4);
        await connecting;
        _tried.Clear();
        connecting = _eyeballs.ConnectAsync(Target, CancellationToken.None);
        Assert.Equal([First4], _tried);
        Assert.Same(Answer(First4), await connecting);
    }

    [Fact]
    public async Task Where_no_address_answers_the_last_failure_is_thrown()
    {
        var connecting = _eyeballs.ConnectAsync(Target, CancellationToken.None);
        _pending[First6].SetException(new SocketException((int)SocketError.NetworkUnreachable));
        await UntilAsync(() => _tried.Count == 2);
        _pending[First4].SetException(new SocketException((int)SocketError.ConnectionRefused));
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => connecting)).SocketErrorCode);
    }

    [Fact]
    public async Task A_name_without_an_address_is_not_found()
    {
        _addresses = [];
        var failure = await Assert.ThrowsAsync<SocketException>(() => _eyeballs.ConnectAsync(Target, CancellationToken.None));
        Assert.Equal(SocketError.HostNotFound, failure.SocketErrorCode);
    }

    [Fact]
    public async Task A_caller_that_gives_up_ends_all_attempts()
    {
        using var call = new CancellationTokenSource();
        var connecting = _eyeballs.ConnectAsync(Target, call.Token);
        await TriedAsync(2);
        await call.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        Assert.All(_pending.Values, attempt => Assert.True(attempt.Task.IsCanceled));
    }

    [Fact]
    public async Task A_call_to_a_name_whose_first_address_is_dead_is_answered()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var serving = ServeOneAsync(listener);
        var eyeballs = new HappyEyeballs(
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.IPv6Loopback, IPAddress.Loopback]),
            async (endpoint, cancellation) =>
            {
                if (endpoint.AddressFamily == AddressFamily.InterNetworkV6)
                {
                    await Task.Delay(Timeout.Infinite, cancellation);
                }

                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(endpoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
            TimeProvider.System);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = (context, cancellation) => new ValueTask<Stream>(eyeballs.ConnectAsync(context.DnsEndPoint, cancellation)),
        };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(60) };
        Assert.Equal("here", await http.GetStringAsync($"http://agent2:{port}/state"));
        await serving;
    }

    private static async Task ServeOneAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        _ = await stream.ReadAsync(new byte[4096]);
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere"u8.ToArray());
    }

    private Task<Stream> Connect(IPEndPoint endpoint, CancellationToken cancellation)
    {
        _tried.Add(endpoint.Address);
        var attempt = new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[endpoint.Address] = attempt;
        cancellation.Register(() => _ = !_ignoresCancellation && attempt.TrySetCanceled(cancellation));
        return attempt.Task;
    }

    private MemoryStream Answer(IPAddress address)
    {
        var stream = new MemoryStream();
        _pending[address].SetResult(stream);
        return stream;
    }

    /// <summary>Lets time pass until so many addresses were tried.</summary>
    private async Task TriedAsync(int count) => await UntilAsync(() =>
    {
        if (_tried.Count < count)
        {
            _time.Advance(HappyEyeballs.AttemptDelay);
        }

        return _tried.Count >= count;
    });

    private static async Task UntilAsync(Func<bool> protocolEvent)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!protocolEvent())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
