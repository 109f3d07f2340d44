using System.Diagnostics;
using System.Text.Json;
using Consensus.Conformance;
using Consensus.Protocol;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Links;

/// <summary>An agent whose links are observed.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Address">Its base address.</param>
internal sealed record ObservedAgent(string Id, Uri Address);

/// <summary>
/// A proxy on every link between running agents. It makes faults on purpose, keeps the runs that it saw, and traces them.
/// </summary>
internal sealed class LinkObserver : IAsyncDisposable
{
    /// <summary>The source of the spans.</summary>
    public const string SourceName = "Consensus.Links";

    private static readonly TimeSpan PollPeriod = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan DecisionTimeout = TimeSpan.FromSeconds(5);

    private readonly ActivitySource _source = new(SourceName);
    private readonly HttpClient _http = new(DirectHttp.CreateHandler()) { Timeout = TimeSpan.FromSeconds(2) };
    private readonly CancellationTokenSource _stopping = new();
    private LinkProxies _proxies = null!;
    private Activity? _trace;

    private LinkObserver(IReadOnlyList<ObservedAgent> agents) =>
        (Agents, Runs) = (agents, new([.. agents.Select(agent => agent.Id)], TimeProvider.System));

    /// <summary>The agents.</summary>
    public IReadOnlyList<ObservedAgent> Agents { get; }

    /// <summary>The runs that the links saw.</summary>
    public ObservedRuns Runs { get; }

    /// <summary>The faults of the links.</summary>
    public LinkProxies Links => _proxies;

    /// <summary>Starts the proxies.</summary>
    /// <param name="agents">The agents, in natural order of their ids, as the page draws them.</param>
    /// <param name="ports">Where each link listens, those of the first agent first.</param>
    public static async Task<LinkObserver> StartAsync(IReadOnlyList<ObservedAgent> agents, IReadOnlyList<int> ports)
    {
        var observer = new LinkObserver(agents);
        observer._proxies = await LinkProxies.StartAsync(agents.Count, agent => (agents[agent].Address, 1), observer.Observe, ports);
        return observer;
    }

    /// <summary>Sends a request to an agent, as a person does: without the cluster's key.</summary>
    /// <returns>The status and the body; no status where it did not respond.</returns>
    public async Task<(int? Status, string Body)> SendAsync(
        HttpMethod method, ObservedAgent agent, string path, string? json, CancellationToken cancellation)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(agent.Address, path));
            request.Content = json is null ? null : new StringContent(json, System.Text.Encoding.UTF8, "application/json");
            using var response = await _http.SendAsync(request, cancellation);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellation));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            return (null, "");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _proxies.DisposeAsync();
        EndTrace();
        _source.Dispose();
        _http.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Sees a call before it is passed on, and makes its span.</summary>
    private Activity? Observe(LinkProxies links, HttpContext context, int from, int to, Message? message)
    {
        // An agent with telemetry names its span. The others' messages stand below the run.
        ActivityContext.TryParse(context.Request.Headers.TraceParent, null, isRemote: true, out var parent);
        var (run, isNew) = Runs.Enter(from, message);
        if (isNew)
        {
            links.Use(run.History, FaultPlan.Quiet(from));
            EndTrace();
            Activity.Current = null;
            _trace = _source.StartActivity($"{Agents[from].Id}: run", ActivityKind.Internal, parent);
            _ = ReadDecisionsAsync(run, _trace);
        }

        var span = message is null or StateQuery ? null : _source.StartActivity(
            $"{EventFormatter.Title(message)} {Agents[from].Id} → {Agents[to].Id}", ActivityKind.Client,
            parent == default ? _trace?.Context ?? default : parent);
        span?.SetTag("consensus.run.id", message!.Run?.Id.ToString());
        return span;
    }

    private void EndTrace() => Interlocked.Exchange(ref _trace, null)?.Dispose();

    /// <summary>Asks the agents what they decided, which the messages alone do not say of all, and ends the trace of the run.</summary>
    private async Task ReadDecisionsAsync(ObservedRun run, Activity? trace)
    {
        var open = Enumerable.Range(0, Agents.Count).ToHashSet();
        try
        {
            for (var quiet = TimeSpan.Zero; open.Count > 0 && quiet < DecisionTimeout; quiet = run.History.Quiet)
            {
                await Task.Delay(PollPeriod, _stopping.Token);
                foreach (var agent in run.HasBegun ? open.ToList() : [])
                {
                    var (status, body) = await SendAsync(HttpMethod.Get, Agents[agent], "/consensus", null, _stopping.Token);
                    if (status == 200 && ReferenceEquals(Runs.All[0], run) && Read(JsonText.Parse(body), run) is { } decision)
                    {
                        run.History.Add(HistoryEventKind.Decided, agent, 1, decision: decision);
                        open.Remove(agent);
                        trace?.SetTag($"consensus.decision.{Agents[agent].Id}", decision.Value);
                        trace?.DisplayName = $"{Agents[run.First].Id}: run: decided {decision.Value}";
                        Runs.Publish();
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The program ends.
        }

        trace?.Dispose();
    }

    private static Decision? Read(JsonElement body, ObservedRun run) =>
        body.Number("value") is { } value && body.Number("round") is { } round
            && (run.Named is null || body.Text("run") is not { } named || named == run.Named.Id.ToString())
            ? new Decision(value, round, run.Named?.Id) : null;
}
