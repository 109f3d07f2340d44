using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Consensus.AppHost;

/// <summary>The part of <c>GET /state</c> that the dashboard shows.</summary>
internal sealed record AgentState(
    string AgentId, int Round, int Attempts, string? Run = null, string? Stalled = null, AgentDecision? Decision = null, bool Isolated = false);

/// <summary>A decision that an agent holds.</summary>
internal sealed record AgentDecision(int Value, int Round);

/// <summary>One run of <c>GET /timeline/runs</c>.</summary>
internal sealed record AgentRunSummary(string Run, string Rule, int Rounds, int Sent, double? DurationMs = null, int? Value = null);

/// <summary>The response to <c>GET /timeline/runs</c>, newest run first.</summary>
internal sealed record AgentRunHistory(IReadOnlyList<AgentRunSummary> Runs);

/// <summary>An agent refused or failed a request. The message names the cause and what to change.</summary>
internal sealed class AgentException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The REST interface of one agent, as the AppHost uses it.</summary>
/// <param name="Agent">The resource.</param>
/// <param name="Key">The parameter that holds <c>CLUSTER_KEY</c>.</param>
internal sealed record AgentClient(ProjectResource Agent, ParameterResource Key)
{
    /// <summary>The header that carries <c>CLUSTER_KEY</c>.</summary>
    public const string KeyHeader = "Consensus-Key";

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Agents run on this machine, so no proxy is asked for them.</summary>
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = ConnectTimeout });

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The address of the agent's page, or null before a port is allocated.</summary>
    public Uri? Address => Agent.GetEndpoint("http") is { IsAllocated: true } endpoint ? new Uri(endpoint.Url) : null;

    /// <summary>Reads a JSON response.</summary>
    /// <exception cref="AgentException">The agent did not respond in time, or refused.</exception>
    public async Task<T> GetAsync<T>(string path, CancellationToken cancellation) =>
        (await SendAsync(HttpMethod.Get, path, null, cancellation)).Deserialize<T>(Json)!;

    /// <summary>Sends a request and reads the JSON response.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">The JSON body, or null for none.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <exception cref="AgentException">The agent did not respond, or refused.</exception>
    public async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellation)
    {
        using var response = await SendRawAsync(method, path, body, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        if (response.IsSuccessStatusCode)
        {
            return JsonNode.Parse(text)!;
        }

        throw new AgentException(DetailOf(text) ?? $"{Agent.Name} answered {method} {path} with status {(int)response.StatusCode}.");
    }

    /// <summary>Sends a request; the caller disposes of the response.</summary>
    /// <exception cref="AgentException">The agent did not respond.</exception>
    public async Task<HttpResponseMessage> SendRawAsync(
        HttpMethod method, string path, JsonNode? body, CancellationToken cancellation, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        if (Address is not { } address)
        {
            throw new AgentException($"{Agent.Name} has no address yet. Wait until it runs.");
        }

        using var request = new HttpRequestMessage(method, new Uri(address, path));
        request.Headers.Add(KeyHeader, await Key.GetValueAsync(cancellation));
        request.Content = body is null ? null : JsonContent.Create(body);
        try
        {
            return await Http.SendAsync(request, completion, cancellation);
        }
        catch (HttpRequestException exception)
        {
            throw new AgentException($"{Agent.Name} does not answer at {address}. Start it, or look at its console log.", exception);
        }
    }

    private static string? DetailOf(string text)
    {
        try
        {
            return JsonNode.Parse(text)?["detail"]?.GetValue<string>();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
