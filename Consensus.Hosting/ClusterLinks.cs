using System.Net;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Consensus.Protocol;

namespace Consensus.Hosting;

/// <summary>One direction of a link.</summary>
internal sealed record LinkState(string From, string To, LinkFaults Faults);

/// <summary>How far the judge is.</summary>
internal sealed record JudgeProgress(int Done, int Total, string What);

/// <summary>What the judge says at last.</summary>
internal sealed record JudgeResult(string Result, string Markdown, bool Conforms, IReadOnlyDictionary<string, string> Failures);

/// <summary>The link between two agents as a resource of the dashboard.</summary>
internal sealed class LinkResource(string name, string one, string other) : Resource(name)
{
    /// <summary>What the dashboard shows as the resource's type.</summary>
    public const string Type = "Link";

    /// <summary>Whether a direction is one of this link.</summary>
    public bool Holds(LinkState state) => (state.From == one && state.To == other) || (state.From == other && state.To == one);
}

/// <summary>The program that has a proxy on every link, as the cluster uses it.</summary>
/// <param name="Program">The resource of the program.</param>
/// <param name="Cluster">Its cluster.</param>
internal sealed record ClusterLinks(ExecutableResource Program, ConsensusClusterResource Cluster)
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(3);

    /// <summary>The links between two agents.</summary>
    public List<LinkResource> Resources { get; } = [];

    /// <summary>Each direction as it was last seen.</summary>
    public IReadOnlyList<LinkState> States { get; private set; } = [];

    /// <summary>Whether the program has answered once.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>The page that draws what goes through the links; null: it has no address yet.</summary>
    public Uri? Page => Program.GetEndpoint(AgentClient.EndpointName) is { IsAllocated: true } endpoint ? new Uri(endpoint.Url) : null;

    /// <summary>Whether no call reaches or leaves an agent.</summary>
    public bool IsIsolated(string agent)
    {
        var own = States.Where(link => link.From == agent || link.To == agent).ToList();
        return own.Count > 0 && own.TrueForAll(link => link.Faults.Cut);
    }

    /// <summary>Where an agent finds another.</summary>
    public EndpointReference Between(AgentClient from, AgentClient to) => Program.GetEndpoint($"{from.Agent.Name}-to-{to.Agent.Name}");

    /// <summary>Reads the faults; the last ones stay where the program does not answer.</summary>
    public async Task RefreshAsync(CancellationToken cancellation)
    {
        try
        {
            Take(await SendAsync(HttpMethod.Get, "/links", null, cancellation));
        }
        catch (AgentException)
        {
            // The program starts, or a person stopped it. Its resource shows that.
        }
    }

    /// <summary>Changes the faults of some directions.</summary>
    /// <exception cref="AgentException">The program did not answer, or refused.</exception>
    public async Task BreakAsync(Func<LinkState, bool> which, Func<LinkFaults, LinkFaults> change, CancellationToken cancellation)
    {
        Take(await SendAsync(HttpMethod.Get, "/links", null, cancellation));
        foreach (var link in States.Where(which).ToList())
        {
            var path = $"/links/{Uri.EscapeDataString(link.From)}/{Uri.EscapeDataString(link.To)}";
            var faults = JsonSerializer.SerializeToNode(change(link.Faults), AgentClient.Json);
            Take(await SendAsync(HttpMethod.Put, path, faults, cancellation));
        }
    }

    /// <summary>Ends all faults.</summary>
    /// <exception cref="AgentException">The program did not answer, or refused.</exception>
    public async Task HealAsync(CancellationToken cancellation) => Take(await SendAsync(HttpMethod.Delete, "/links", null, cancellation));

    /// <summary>Opens the stream of what happens on the links; the caller disposes of it.</summary>
    /// <exception cref="AgentException">The program did not answer.</exception>
    public async Task<HttpResponseMessage> FollowAsync(CancellationToken cancellation)
    {
        using var request = await RequestAsync(HttpMethod.Get, "/events", cancellation);
        return await Cluster.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    /// <summary>Judges the agents.</summary>
    /// <param name="progress">Takes how far the judge is: done, of how many, and what now.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="AgentException">The program did not answer, or ended.</exception>
    public async Task<JudgeResult> JudgeAsync(Action<int, int, string> progress, CancellationToken cancellation)
    {
        using var request = await RequestAsync(HttpMethod.Post, "/judge", cancellation);
        try
        {
            using var response = await Cluster.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            response.EnsureSuccessStatusCode();
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            await foreach (var step in SseParser.Create(stream).EnumerateAsync(cancellation))
            {
                if (step.EventType == "result")
                {
                    return JsonSerializer.Deserialize<JudgeResult>(step.Data, AgentClient.Json)!;
                }

                var (done, total, what) = JsonSerializer.Deserialize<JudgeProgress>(step.Data, AgentClient.Json)!;
                progress(done, total, what);
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw NoAnswer(exception);
        }

        throw NoAnswer();
    }

    /// <summary>Finds a port that is free now, and none of those that were found before.</summary>
    public int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return Program.Annotations.OfType<EndpointAnnotation>().Any(endpoint => endpoint.Port == port) ? FreePort() : port;
    }

    private void Take(JsonElement answer)
    {
        States = answer.GetProperty("links").Deserialize<List<LinkState>>(AgentClient.Json)!;
        HasAnswered = true;
    }

    private async Task<HttpRequestMessage> RequestAsync(HttpMethod method, string path, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(method, new Uri(Page ?? throw NoAnswer(), path));
        await Cluster.AddKeyAsync(request, cancellation);
        return request;
    }

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerTimeout);
        using var request = await RequestAsync(method, path, cancellation);
        request.Content = body is null ? null : new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        try
        {
            using var response = await Cluster.Http.SendAsync(request, limit.Token);
            using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(limit.Token));
            return response.IsSuccessStatusCode ? json.RootElement.Clone()
                : throw new AgentException(json.RootElement.GetProperty("detail").GetString()!);
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException
            || (exception is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw NoAnswer(exception);
        }
    }

    private AgentException NoAnswer(Exception? inner = null) =>
        new($"{Program.Name} does not answer. Start it, or look at its console log.", inner);
}
