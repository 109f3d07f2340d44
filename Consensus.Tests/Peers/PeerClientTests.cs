using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Agent.Peers;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Peers;

[Trait(Category.Name, Category.Fast)]
public sealed partial class PeerClientTests : IDisposable
{
    private readonly Hosts _hosts = new();
    private readonly HttpMessageInvoker _http;
    private readonly PeerClient _client;

    public PeerClientTests()
    {
        // A slow machine must not make an answer late.
        var options = new AgentOptions
        {
            Id = "agent1", Peers = [new Uri("http://agent2"), new Uri("http://agent3")],
            CallTimeout = TimeSpan.FromMinutes(1),
        };
        _http = new HttpMessageInvoker(_hosts);
        var time = new FakeTimeProvider();
        _client = new PeerClient(_http, options, new PeerDirectory(options, time),
            new MessageTracing(new RunTracing("agent1")), time, NullLogger<PeerClient>.Instance);
    }

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_peer_that_could_not_be_reached_is_left_alone_while_a_run_can_do_without_it()
    {
        _hosts.Up.Add("agent2");
        Assert.Null(await SendAsync(1, new StateQuery()));
        _hosts.Called.Clear();

        Assert.NotNull(await SendAsync(0, new Handshake()));
        Assert.Null(await SendAsync(1, new Handshake()));
        Assert.Equal(["agent2"], _hosts.Called);
    }

    [Fact]
    public async Task A_connect_timeout_opens_the_breaker_of_a_peer()
    {
        var connections = 0;
        using var sockets = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromMilliseconds(1),
            ConnectCallback = async (_, cancellation) =>
            {
                Interlocked.Increment(ref connections);
                await Task.Delay(Timeout.Infinite, cancellation);
                throw new InvalidOperationException("It was connected.");
            },
        };
        _hosts.Sockets = new HttpMessageInvoker(sockets);
        Assert.Null(await SendAsync(1, new StateQuery()).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Null(await SendAsync(1, new StateQuery()));
        Assert.Equal(1, connections);
    }

    [Fact]
    public async Task A_peer_whose_TLS_fails_is_named_with_the_reason_until_it_is_reached_or_fails_otherwise()
    {
        _hosts.Throws = new HttpRequestException(HttpRequestError.SecureConnectionError, "See inside.", new IOException("Bad frame."));
        Assert.Null(await SendAsync(1, new StateQuery()));
        _hosts.Throws = new TaskCanceledException();
        Assert.Null(await SendAsync(1, new StateQuery()));
        Assert.Equal([("http://agent3", "TLS failed: no TLS is spoken there; write the address with http://")], _client.Unreachable);
        _hosts.Throws = new HttpRequestException(HttpRequestError.ConnectionError, "Refused.");
        Assert.Null(await SendAsync(1, new StateQuery()));
        Assert.Empty(_client.Unreachable);
    }

    [Fact]
    public async Task A_refused_certificate_is_named_with_every_reason()
    {
        using var key = ECDsa.Create();
        var (day, now) = (TimeSpan.FromDays(1), DateTimeOffset.UtcNow);
        using var made = new CertificateRequest("CN=other", key, HashAlgorithmName.SHA256).CreateSelfSigned(now - (2 * day), now - day);
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync();
        using var http = new HttpClient(DirectHttp.CreateHandler());
        var address = new Uri($"https://{listener.LocalEndpoint}");
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync(address));
        var reason = TlsFailure.Of(failure)!;
        Assert.StartsWith("TLS failed: its certificate is for another name, and ", reason, StringComparison.Ordinal);
        Assert.Contains("its certificate has expired, or is not valid yet", reason, StringComparison.Ordinal);
        Assert.Contains("its certificate is not trusted here", reason, StringComparison.Ordinal);
        await serving;

        async Task ServeAsync()
        {
            using var client = await listener.AcceptTcpClientAsync();
            await using var tls = new SslStream(client.GetStream());
            await ((Task)tls.AuthenticateAsServerAsync(certificate)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [Fact]
    public async Task A_connect_timeout_comes_before_the_timeout_of_the_call()
    {
        var options = new AgentOptions { Id = "agent1" };
        await using var app = AgentApplication.Build(options, []);
        using var sockets = PeerServices.Sockets(options, app.Services);
        Assert.True(sockets.ConnectTimeout < options.CallTimeout);
    }

    [Fact]
    public async Task A_handshake_ignores_an_open_breaker_where_too_few_other_peers_answered_their_last_call()
    {
        // agent3 accepts calls and does not answer them, so its breaker stays closed.
        Assert.Null(await SendAsync(0, new StateQuery()));
        _hosts.Throws = new TaskCanceledException();
        Assert.Null(await SendAsync(1, new StateQuery()));
        (_hosts.Throws, _hosts.Called) = (null, []);
        _hosts.Up.Add("agent2");
        Assert.NotNull(await SendAsync(0, new Handshake()));
    }

    [Fact]
    public async Task A_handshake_calls_every_peer_where_open_back_offs_leave_no_quorum()
    {
        // As when agent1 came up first: it asked the others a moment before they could answer.
        Assert.Null(await SendAsync(0, new StateQuery()));
        Assert.Null(await SendAsync(1, new StateQuery()));
        _hosts.Up.UnionWith(["agent2", "agent3"]);
        _hosts.Called.Clear();
        Assert.Null(await SendAsync(0, new StateQuery()));
        Assert.Empty(_hosts.Called);

        _hosts.Answers = new TaskCompletionSource();
        Task<Response?>[] handshakes = [SendAsync(0, new Handshake()), SendAsync(1, new Handshake())];
        _hosts.Answers.SetResult();
        var answers = await Task.WhenAll(handshakes);

        Assert.Equal(["agent2", "agent3"], answers.Select(answer => answer?.AgentId));
        Assert.NotNull(await SendAsync(0, new StateQuery()));
    }

    [Fact]
    public async Task A_peer_that_owes_many_answers_is_called_again_when_it_has_given_some_and_its_hand_is_always_shaken()
    {
        _hosts.Up.UnionWith(["agent2", "agent3"]);
        _hosts.Answers = new TaskCompletionSource();
        var final = new Final(1, 1);
        List<Task<Response?>> owed = [.. Enumerable.Range(0, 32).Select(_ => SendAsync(0, final))];

        var oneMore = SendAsync(0, final);
        var handshake = SendAsync(0, new Handshake());
        var toAnother = SendAsync(1, final);
        Assert.Equal(34, _hosts.Called.Count);
        Assert.Null(await oneMore);

        _hosts.Answers.SetResult();
        Assert.All(await Task.WhenAll([.. owed, handshake, toAnother]), Assert.NotNull);
        Assert.NotNull(await SendAsync(0, final));
    }

    [Fact]
    public async Task A_peer_that_never_responded_gets_one_state_query_at_a_time()
    {
        _hosts.Up.Add("agent2");
        _hosts.Answers = new TaskCompletionSource();
        var first = SendAsync(0, new StateQuery());
        Assert.Null(await SendAsync(0, new StateQuery()).WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(["agent2"], _hosts.Called);

        // A run does not wait for a query.
        var message = SendAsync(0, new Final(1, 1));
        _hosts.Answers.SetResult();
        Assert.NotNull(await first);
        Assert.NotNull(await message);

        _hosts.Answers = new TaskCompletionSource();
        Task<Response?>[] later = [SendAsync(0, new StateQuery()), SendAsync(0, new StateQuery())];
        _hosts.Answers.SetResult();
        Assert.All(await Task.WhenAll(later), Assert.NotNull);
    }

    [Theory]
    [InlineData("agent3/b/1", true)]
    [InlineData("agent33/b/1", false)]
    [InlineData("agent2/b/1", false)]
    [InlineData(null, false)]
    public async Task A_peer_that_calls_is_left_alone_no_longer(string? key, bool isCalled)
    {
        _hosts.Up.UnionWith(["agent2", "agent3"]);
        Assert.NotNull(await SendAsync(1, new StateQuery()));
        _hosts.Up.Remove("agent3");
        Assert.Null(await SendAsync(1, new StateQuery()));

        _hosts.Up.Add("agent3");
        _client.OnMessageFrom(key);
        Assert.Equal(isCalled, await SendAsync(1, new StateQuery()) is not null);
    }

    [Fact]
    public async Task One_whose_id_nobody_knows_may_be_the_peer_that_calls()
    {
        Assert.Null(await SendAsync(1, new StateQuery()));
        _hosts.Up.Add("agent3");
        _client.OnMessageFrom("agent3/b/1");
        Assert.NotNull(await SendAsync(1, new StateQuery()));
    }

    [Fact]
    public async Task A_peer_with_an_unknown_id_is_left_alone_while_peers_with_known_ids_call()
    {
        _hosts.Up.Add("agent2");
        Assert.NotNull(await SendAsync(0, new StateQuery()));
        Assert.Null(await SendAsync(1, new StateQuery()));
        _hosts.Called.Clear();
        _client.OnMessageFrom("agent2/b/1");
        Assert.Null(await SendAsync(1, new StateQuery()));
        Assert.Empty(_hosts.Called);
    }

    public static TheoryData<Type> Exceptions =>
    [
        typeof(InvalidOperationException), typeof(NotSupportedException), typeof(ArgumentException), typeof(NullReferenceException),
        typeof(IOException), typeof(TaskCanceledException), typeof(ObjectDisposedException),
    ];

    [Theory]
    [MemberData(nameof(Exceptions))]
    public async Task Whatever_a_call_throws_the_send_has_failed(Type exception)
    {
        _hosts.Throws = exception == typeof(ObjectDisposedException)
            ? new ObjectDisposedException("it") : (Exception)Activator.CreateInstance(exception)!;
        Assert.Null(await SendAsync(0, new StateQuery()));

        // No call stays counted as one under way.
        for (var i = 0; i < 100; i++)
        {
            Assert.Null(await SendAsync(0, new StateQuery()));
        }

        _hosts.Throws = null;
        _hosts.Up.Add("agent2");
        Assert.NotNull(await SendAsync(0, new StateQuery()));
    }

    /// <summary>Responses that no agent sends, and a word of the reason.</summary>
    public static TheoryData<string, string> WrongResponses => new()
    {
        { State(Described.Replace("\"n\":3", "\"n\":1", StringComparison.Ordinal)), "run.members must name 1 to n agents" },
        { State(Described.Replace("\"n\":3", "\"n\":102", StringComparison.Ordinal)), "run.n must be from 1" },
        { State(Described.Replace("\"start_round\":1", "\"start_round\":0", StringComparison.Ordinal)), "run.start_round must be from 1" },
        { State(Described.Replace("\"values\":3", "\"values\":0", StringComparison.Ordinal)), "run.values must be from 1" },
        { State(Described.Replace("\"window_ms\":200", "\"window_ms\":-1", StringComparison.Ordinal)), "run.window_ms must be from 0" },
        { State(Described.Replace("{\"agent2\":\"b\",", "{", StringComparison.Ordinal)), "run.members must name the initiator" },
        { State(Described.Replace("\"7.", "\"9223372036854775807.", StringComparison.Ordinal)), "run.id has a number beyond any run" },
        { """{"agent_id":"agent2","boot":"b","floor":"9223372036854775807.agent3.c"}""", "floor has a number beyond any run" },
    };

    /// <summary>The proof assumes that a run lists at most n members. A run comes in a response to a state query, too.</summary>
    [Theory]
    [MemberData(nameof(WrongResponses))]
    public async Task A_response_with_a_run_that_no_message_may_carry_counts_as_none(string body, string reason)
    {
        _hosts.Up.Add("agent2");
        _hosts.Body = State(Described);
        Assert.Equal(2, (await SendAsync(0, new StateQuery()))!.Descriptor!.Members.Count);
        _hosts.Body = body;
        Assert.Null(await SendAsync(0, new StateQuery()));
        Assert.Contains(reason, Assert.Single(_client.Unreachable).Reason, StringComparison.Ordinal);
        _hosts.Body = null;
        Assert.NotNull(await SendAsync(0, new StateQuery()));
        Assert.Empty(_client.Unreachable);
    }

    [Fact]
    public async Task A_start_ends_where_every_call_throws_what_nobody_expects()
    {
        _hosts.Throws = new InvalidOperationException("unexpected");
        var options = new AgentOptions { Id = "agent1", Peers = [new Uri("http://agent2"), new Uri("http://agent3")] };
        await using var app = AgentApplication.Build(options, [], builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton(_client);
        });
        var outcome = await app.Services.GetRequiredService<AgentService>()
            .StartAsync(new RunRequest()).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(["http://agent2", "http://agent3"], Assert.IsType<QuorumUnreachable>(outcome).Missing);
    }

    private const string Described =
        """{"id":"7.agent2.b","n":3,"start_round":1,"rule":"ratified","values":3,"draw":"fresh","window_ms":200,"""
        + "\"members\":{\"agent2\":\"b\",\"agent3\":\"c\"}}";

    private static string State(string run) => $$"""{"agent_id":"agent2","boot":"b","descriptor":{{run}}}""";

    private Task<Response?> SendAsync(int peer, Message message) =>
        _client.SendAsync(peer, message, "agent1/b/1", default, CancellationToken.None);
}
