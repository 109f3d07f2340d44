using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.Hosting;

/// <summary>
/// The REST interface of one agent, as the AppHost uses it. Another program may listen on the agent's port, so no response is trusted.
/// </summary>
/// <param name="Agent">The resource.</param>
/// <param name="Cluster">Its cluster.</param>
internal sealed record AgentClient(IResourceWithEndpoints Agent, ConsensusClusterResource Cluster)
{
    /// <summary>The endpoint of an agent's REST interface.</summary>
    public const string EndpointName = "http";

    /// <summary>How long an agent may take to answer. It answers in ms, so a longer wait means that it hangs.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(1.5);

    // The longest response of an agent is its history of 100 runs.
    private const int MaxResponseBytes = 1 << 20;

    /// <summary>How agents and the program with the link proxies write JSON.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>The address of the agent's page, or null before a port is allocated.</summary>
    public Uri? Address => Agent.GetEndpoint(EndpointName) is { IsAllocated: true } endpoint ? new Uri(endpoint.Url) : null;

    /// <summary>
    /// Whether the agent keeps a history of its runs, as those of this project do. Agents that others wrote need not; this is true
    /// until the agent says otherwise.
    /// </summary>
    public bool KeepsHistory { get; private set; } = true;

    /// <summary>Why the judge found the agent wrong; null: it did not, or was not asked.</summary>
    public string? Failure { get; set; }

    /// <summary>
    /// Agents run on this machine, so no proxy is asked for them. No span is made of these calls, so no header may name one. A
    /// body waits until the agent asks for it (<see cref="RunAsync"/>).
    /// </summary>
    public static HttpClient CreateHttp() => new(new SocketsHttpHandler
    {
        UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ActivityHeadersPropagator = null,
        Expect100ContinueTimeout = Timeout.InfiniteTimeSpan, ConnectCallback = ConnectAsync,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxResponseBytes,
    };

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellation);

            // As in HappyEyeballs: a connection that was reset must fail here, where its SocketException is wrapped.
            _ = socket.RemoteEndPoint;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sets what an agent reads when it starts, unless it is set already.</summary>
    public void SetEnvironment(Dictionary<string, object> variables, bool isRunMode)
    {
        variables.TryAdd("AGENT_ID", Agent.Name);
        if (Agent is not ProjectResource)
        {
            variables.TryAdd("PORT", Agent.GetEndpoint(EndpointName).Property(EndpointProperty.TargetPort));
        }

        var peers = new ReferenceExpressionBuilder();
        foreach (var (i, peer) in Cluster.Agents.Where(other => other != this).Index())
        {
            peers.AppendLiteral(i == 0 ? "" : ",");
            var endpoint = Cluster.Links?.Between(this, peer) ?? peer.Agent.GetEndpoint(EndpointName);
            peers.AppendFormatted(endpoint.Property(EndpointProperty.Url));
        }

        // Calls that do not go through the links are not seen there.
        if (Cluster.Links is not null || !variables.ContainsKey("PEERS"))
        {
            variables["PEERS"] = peers.Build();
        }

        foreach (var (option, parameter) in Cluster.Parameters)
        {
            variables.TryAdd(option.Setting, parameter);
        }

        if (Cluster.Key is { } key)
        {
            variables.TryAdd("CLUSTER_KEY", key);
        }

        if (isRunMode)
        {
            variables.TryAdd("FAULTS", "true");
        }
    }

    /// <summary>Reads what the agent holds.</summary>
    /// <exception cref="AgentException">The agent did not respond in time, or another program responded.</exception>
    public async Task<AgentState> StateAsync(CancellationToken cancellation)
    {
        var state = await GetAsync<AgentState>("/state", cancellation);
        return state.AgentId == Agent.Name
            ? state.WithAnonymousRun() with { Isolated = state.Isolated || Cluster.Links?.IsIsolated(Agent.Name) == true }
            : state.AgentId is null ? throw NoAgent()
            : throw new AgentException(
                $"Port {Address!.Port} answers as {state.AgentId}, not as {Agent.Name}. Stop the other cluster, then start {Agent.Name}.")
            { IsAnswer = true };
    }

    /// <summary>Reads a JSON response.</summary>
    /// <exception cref="AgentException">The agent did not respond in time, or refused.</exception>
    public async Task<T> GetAsync<T>(string path, CancellationToken cancellation)
        where T : class => Read<T>(await SendAsync(HttpMethod.Get, path, null, cancellation));

    /// <summary>Reads the history of runs; null where the agent keeps none.</summary>
    /// <exception cref="AgentException">The agent did not respond in time, or refused.</exception>
    public async Task<AgentRunHistory?> HistoryAsync(CancellationToken cancellation)
    {
        try
        {
            return KeepsHistory ? await GetAsync<AgentRunHistory>("/timeline/runs", cancellation) : null;
        }
        catch (AgentException exception) when (exception.IsUnknownPath)
        {
            KeepsHistory = false;
            return null;
        }
    }

    /// <summary>Sends a request and reads the JSON response.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">The JSON body, or null for none.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <exception cref="AgentException">The agent did not respond in time, or refused.</exception>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body is null ? null : new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        using var limit = Limit(cancellation);
        return await SendAsync(request, limit, cancellation);
    }

    /// <summary>
    /// Starts a run and waits for its decision. The body is sent once the agent asks for it (<c>Expect: 100-continue</c>). An agent
    /// that hangs never asks, so it has no run to start when it goes on. Agents that others wrote may not know how to ask.
    /// </summary>
    /// <param name="body">The options of the run.</param>
    /// <param name="wait">How long to wait for the decision.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <exception cref="AgentException">The agent did not respond in time, or refused.</exception>
    public async Task<AgentRunResponse> RunAsync(JsonObject body, TimeSpan wait, CancellationToken cancellation)
    {
        using var limit = Limit(cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/run?wait={(int)wait.TotalSeconds}");
        request.Headers.ExpectContinue = KeepsHistory;
        request.Content = new RequestedContent(body.ToJsonString(), () => limit.CancelAfter(wait + AnswerTimeout));
        return Read<AgentRunResponse>(await SendAsync(request, limit, cancellation));
    }

    /// <summary>
    /// Reads <c>GET /health</c>: a status on the first line, a reason on each of the others. An agent without it is healthy where it
    /// answers <c>GET /state</c>.
    /// </summary>
    /// <exception cref="AgentException">The agent did not respond in time, or another program responded.</exception>
    public async Task<(string Status, string[] Reasons)> HealthAsync(CancellationToken cancellation)
    {
        var (status, reasons) = await OwnHealthAsync(cancellation);
        return Failure is { } failure ? (nameof(HealthStatus.Unhealthy), [failure, .. reasons])
            : Cluster.Links?.IsIsolated(Agent.Name) == true
            ? (nameof(HealthStatus.Degraded), ["all its links are cut: reconnect it", .. reasons])
            : (status, reasons);
    }

    private async Task<(string Status, string[] Reasons)> OwnHealthAsync(CancellationToken cancellation)
    {
        using var limit = Limit(cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        using var response = await SendRawAsync(request, HttpCompletionOption.ResponseContentRead, limit, cancellation);
        if (IsUnknownPath(response.StatusCode))
        {
            await StateAsync(cancellation);
            return (nameof(HealthStatus.Healthy), []);
        }

        var lines = (await response.Content.ReadAsStringAsync(cancellation))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines is ["Healthy" or "Degraded" or "Unhealthy", ..] ? (lines[0], lines[1..]) : throw NoAgent();
    }

    /// <summary>Opens the stream of events; the caller disposes of it.</summary>
    /// <exception cref="AgentException">The agent did not respond in time, or another program responded.</exception>
    public async Task<HttpResponseMessage> FollowAsync(CancellationToken cancellation)
    {
        using var limit = Limit(cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/events");
        var response = await SendRawAsync(request, HttpCompletionOption.ResponseHeadersRead, limit, cancellation);
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            return response;
        }

        response.Dispose();
        throw NoAgent();
    }

    private static CancellationTokenSource Limit(CancellationToken cancellation)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerTimeout);
        return limit;
    }

    private async Task<JsonElement> SendAsync(HttpRequestMessage request, CancellationTokenSource limit, CancellationToken cancellation)
    {
        using var response = await SendRawAsync(request, HttpCompletionOption.ResponseContentRead, limit, cancellation);
        var json = Parse(await response.Content.ReadAsStringAsync(cancellation));
        if (response.IsSuccessStatusCode && json is not null)
        {
            return json.Value;
        }

        if (IsUnknownPath(response.StatusCode) && json is null)
        {
            throw new AgentException($"{Agent.Name} does not know {request.Method} {request.RequestUri!.AbsolutePath}.")
            { IsUnknownPath = true, IsAnswer = true };
        }

        // Agents take the key when they start, and the parameter may be set later.
        throw response.StatusCode == HttpStatusCode.Unauthorized
            ? new AgentException($"{Agent.Name} has another cluster-key. Restart the agents: they take a new key when they start.")
            : json?.TryGetProperty("detail", out var detail) == true && detail.ValueKind == JsonValueKind.String
                ? new AgentException(DashboardWords.Of(detail.GetString()!))
            : NoAgent();
    }

    private async Task<HttpResponseMessage> SendRawAsync(
        HttpRequestMessage request, HttpCompletionOption completion, CancellationTokenSource limit, CancellationToken cancellation)
    {
        if (Address is not { } address)
        {
            throw new AgentException($"{Agent.Name} has no address yet. Wait until it runs.");
        }

        request.RequestUri = new Uri(address, request.RequestUri!.OriginalString);
        await Cluster.AddKeyAsync(request, cancellation);
        try
        {
            return await Cluster.Http.SendAsync(request, completion, limit.Token);
        }
        catch (HttpRequestException exception)
        {
            throw exception.HttpRequestError switch
            {
                HttpRequestError.ConnectionError =>
                    new AgentException($"{Agent.Name} does not answer at {address}. Start it, or look at its console log.", exception),
                HttpRequestError.ResponseEnded or HttpRequestError.Unknown when request.Content is RequestedContent { IsSent: true } =>
                    new AgentException($"{Agent.Name} took the run and ended before its answer. Look at its console log.", exception),
                _ => NoAgent(exception),
            };
        }
        catch (OperationCanceledException exception) when (!cancellation.IsCancellationRequested)
        {
            var started = request.Content switch
            {
                RequestedContent { IsSent: true } => " It took the run, which may go on.",
                RequestedContent => " Nothing was started.",
                _ => "",
            };
            throw new AgentException(
                $"{Agent.Name} hangs: port {address.Port} takes calls and does not answer.{started} Restart {Agent.Name}.", exception)
            { IsAnswer = true };
        }
    }

    private static bool IsUnknownPath(HttpStatusCode status) => status is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed;

    private AgentException NoAgent(Exception? inner = null) =>
        new($"Port {Address?.Port} answers, but not as an agent. Stop the program that listens there, then start {Agent.Name}.",
            inner)
        { IsAnswer = true };

    private T Read<T>(JsonElement json)
        where T : class
    {
        try
        {
            return json.Deserialize<T>(Json)!;
        }
        catch (JsonException exception)
        {
            throw NoAgent(exception);
        }
    }

    private static JsonElement? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
