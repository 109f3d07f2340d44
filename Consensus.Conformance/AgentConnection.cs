using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Consensus.ServiceDefaults;

namespace Consensus.Conformance;

/// <summary>The exchanges of one check, in order.</summary>
internal sealed class ExchangeLog
{
    private const int Most = 200;
    private readonly Lock _lock = new();
    private readonly List<Exchange> _exchanges = [];

    /// <summary>Adds an exchange. Those beyond the most recent 200 are dropped.</summary>
    public void Add(Exchange exchange)
    {
        lock (_lock)
        {
            _exchanges.Add(exchange);
            if (_exchanges.Count > Most)
            {
                _exchanges.RemoveAt(0);
            }
        }
    }

    /// <summary>Drops all.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _exchanges.Clear();
        }
    }

    /// <summary>The last exchanges, oldest first.</summary>
    public IReadOnlyList<Exchange> Last(int count)
    {
        lock (_lock)
        {
            return [.. _exchanges.TakeLast(count)];
        }
    }
}

/// <summary>An agent's response to the judge.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Body">The body as JSON; undefined where it is none.</param>
/// <param name="MediaType">The content type without parameters.</param>
internal sealed record AgentReply(int Status, JsonElement Body, string? MediaType)
{
    /// <summary>Requires a status and fields. More fields are allowed.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="fields">Names, and values as JSON.</param>
    /// <returns>This response.</returns>
    /// <exception cref="CheckFailedException">The response differs.</exception>
    public AgentReply Expect(int status, params (string Name, string Json)[] fields)
    {
        if (Status != status
            || fields.Any(field => Body.Find(field.Name) is not { } found || !JsonElement.DeepEquals(found, JsonText.Parse(field.Json))))
        {
            throw new CheckFailedException($"{status} {{{string.Join(',', fields.Select(field => $"\"{field.Name}\":{field.Json}"))}}}");
        }

        return this;
    }
}

/// <summary>The judge's HTTP connection to one agent.</summary>
internal sealed class AgentConnection : IDisposable
{
    private const int AnswersToBelieve = 50;
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(40);
    private readonly HttpClient _http =
        new(DirectHttp.CreateHandler()) { Timeout = ResponseTimeout, MaxResponseContentBufferSize = 1024 * 1024 };
    private readonly ExchangeLog _log;

    /// <param name="address">The agent's base address.</param>
    /// <param name="log">Where exchanges are recorded.</param>
    /// <param name="key">The cluster's key, which every call carries; null: the agents need none.</param>
    public AgentConnection(Uri address, ExchangeLog log, ClusterKey? key = null)
    {
        (Address, _log) = (address, log);
        key?.AddTo(_http.DefaultRequestHeaders);
    }

    /// <summary>The agent's base address.</summary>
    public Uri Address { get; }

    /// <summary>The agent's id, once it is known.</summary>
    public string Id { get; set; } = "agent1";

    /// <summary>Sends a request.</summary>
    /// <exception cref="CheckFailedException">There was no response.</exception>
    public async Task<AgentReply> SendAsync(HttpMethod method, string path, string? json, CancellationToken cancellation)
    {
        var (exchange, reply) = await CallAsync(method, path, json, cancellation);
        _log.Add(exchange);
        return reply;
    }

    /// <summary>Reads one resource again and again until it fulfils a condition. Only the last exchange is recorded.</summary>
    /// <param name="path">The resource.</param>
    /// <param name="condition">The condition; it is also evaluated between two requests, with the last response.</param>
    /// <param name="between">Waits between two requests.</param>
    /// <param name="within">The shortest time to wait.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>False where the condition did not hold although the agent had the time.</returns>
    /// <exception cref="CheckFailedException">There was no response, or the agent responds too slowly to judge it.</exception>
    public async Task<bool> PollAsync(
        string path, Func<AgentReply, bool> condition, Func<Task> between, TimeSpan within, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        for (var answers = 1; ; answers++)
        {
            var (exchange, reply) = await CallAsync(HttpMethod.Get, path, null, cancellation);
            var holds = condition(reply);

            // Time alone says little on a busy machine: an agent that answered so often could have done anything else, too.
            var waited = answers >= AnswersToBelieve && clock.Elapsed >= within;
            if (holds || waited)
            {
                _log.Add(exchange);
                return holds;
            }

            if (clock.Elapsed > LongestWait)
            {
                throw new CheckFailedException("answers to GET requests", $"{answers} in {LongestWait.TotalSeconds:0} s")
                {
                    TooSlow = true,
                };
            }

            await between();
        }
    }

    /// <summary>How the agent introduces itself; without a boot it speaks the original contract alone.</summary>
    /// <exception cref="ConfigurationException">The agent refuses the call for want of its cluster's key.</exception>
    public async Task<(string? Boot, int? Agents)> IntroduceAsync(CancellationToken cancellation)
    {
        try
        {
            var reply = await SendAsync(HttpMethod.Post, "/reset", """{"handshake":true}""", cancellation);
            return reply.Status != 401 ? (reply.Body.Text("boot"), reply.Body.Number("agents"))
                : throw new ConfigurationException(_http.DefaultRequestHeaders.Contains(ClusterKey.Header)
                    ? $"{Address} refuses this CLUSTER_KEY; these agents need their cluster's own."
                    : $"{Address} refuses this call; these agents need the cluster key: set CLUSTER_KEY, and judge them by --url.");
        }
        catch (CheckFailedException)
        {
            return (null, null);
        }
    }

    private async Task<(Exchange Exchange, AgentReply Reply)> CallAsync(
        HttpMethod method, string path, string? json, CancellationToken cancellation)
    {
        var call = $"{method} {path}";
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(Address, path));
            request.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
            using var response = await _http.SendAsync(request, cancellation);
            var text = await response.Content.ReadAsStringAsync(cancellation);
            return (new Exchange("judge", Id, call, json, (int)response.StatusCode, text.Trim()),
                new AgentReply((int)response.StatusCode, JsonText.Parse(text), response.Content.Headers.ContentType?.MediaType));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            _log.Add(new Exchange("judge", Id, call, json, null, null));
            throw new CheckFailedException(
                "a response",
                e is HttpRequestException failure ? TlsFailure.Describe(failure)
                    : string.Create(CultureInfo.InvariantCulture, $"no response in {ResponseTimeout.TotalSeconds:0} s"));
        }
    }

    /// <summary>Why the agent cannot be called although something listens there; null: that is not known.</summary>
    public string? Failure { get; private set; }

    /// <summary>Waits until the agent answers <c>GET /state</c> with 200.</summary>
    /// <returns>The state, or null where it did not within the time, or where it is not worth waiting.</returns>
    public async Task<JsonElement?> WaitUntilUpAsync(TimeSpan within, Func<bool> hopeless, CancellationToken cancellation)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < within && !hopeless();)
        {
            try
            {
                using var response = await _http.GetAsync(new Uri(Address, "/state"), cancellation);
                if (response.IsSuccessStatusCode)
                {
                    return JsonText.Parse(await response.Content.ReadAsStringAsync(cancellation));
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
            {
                // It does not listen yet.
                Failure = TlsFailure.Of(e);
            }

            await Task.Delay(15, cancellation);
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
