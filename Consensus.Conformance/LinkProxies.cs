using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace Consensus.Conformance;

/// <summary>Sees a call between agents before it is passed on.</summary>
/// <param name="links">The proxies.</param>
/// <param name="context">The call.</param>
/// <param name="from">The caller, from 0.</param>
/// <param name="to">The called agent, from 0.</param>
/// <param name="message">The message; null where the body is none.</param>
/// <returns>The span of the call, below which the receiver's lies; null: none.</returns>
public delegate Activity? LinkCall(LinkProxies links, HttpContext context, int from, int to, Message? message);

/// <summary>A proxy on every link between agents: each request passes through, is recorded, and suffers the faults of the plan.</summary>
public sealed class LinkProxies : IAsyncDisposable
{
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestHold = TimeSpan.FromMilliseconds(300);
    private readonly HttpClient _http = new(DirectHttp.CreateHandler()) { Timeout = ResponseTimeout };
    private readonly int _agents;
    private readonly Func<int, (Uri Address, int Process)> _target;
    private readonly ConcurrentDictionary<int, TaskCompletionSource> _held = new();
    private LoopbackServer? _server;
    private int _inFlight;
    private volatile Segment? _segment;

    // The faults of each link that stay until they are ended.
    private readonly ConcurrentDictionary<(int From, int To), LinkFaults> _faults = new();

    /// <summary>The history and the plan of one run, and how many requests of it each link has seen.</summary>
    private sealed record Segment(ObservedHistory History, FaultPlan Plan)
    {
        public ConcurrentDictionary<(int From, int To, string Path), int> Ordinals { get; } = new();
    }

    private LinkProxies(int agents, Func<int, (Uri Address, int Process)> target) => (_agents, _target) = (agents, target);

    /// <summary>Starts the proxies.</summary>
    /// <param name="agents">How many agents there are.</param>
    /// <param name="target">Where an agent listens, and which process it is.</param>
    /// <param name="calling">Sees each call before it is passed on; null: nothing does.</param>
    /// <param name="ports">Where each link listens, those of the first agent first; null: on free ports.</param>
    public static async Task<LinkProxies> StartAsync(
        int agents, Func<int, (Uri Address, int Process)> target, LinkCall? calling = null,
        IReadOnlyList<int>? ports = null)
    {
        var proxies = new LinkProxies(agents, target) { Calling = calling };
        proxies._server = await LoopbackServer.StartAsync(ports ?? new int[agents * agents], proxies.HandleAsync);
        return proxies;
    }

    private LinkCall? Calling { get; init; }

    /// <summary>The addresses that an agent is given for its peers.</summary>
    public IEnumerable<Uri> PeersOf(int agent) =>
        Enumerable.Range(0, _agents).Where(other => other != agent).Select(other => _server!.Addresses[(agent * _agents) + other]);

    /// <summary>How many requests are on their way.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>From now on requests belong to this history, and suffer the faults of this plan.</summary>
    public void Use(ObservedHistory history, FaultPlan plan) => _segment = new Segment(history, plan);

    /// <summary>The faults of one direction of a link that stay.</summary>
    public LinkFaults FaultsOf(int from, int to) => _faults.GetValueOrDefault((from, to)) ?? LinkFaults.None;

    /// <summary>From now on these faults are those of one direction of a link.</summary>
    public void Break(int from, int to, LinkFaults faults) => _faults[(from, to)] = faults;

    /// <summary>From now on nothing goes wrong.</summary>
    public void Heal()
    {
        _faults.Clear();
        if (_segment is { } segment)
        {
            _segment = new Segment(segment.History, segment.Plan with { Faults = [] });
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _http.Dispose();
    }

    private async Task HandleAsync(int link, HttpContext context)
    {
        Interlocked.Increment(ref _inFlight);
        try
        {
            await CarryAsync(link, context);
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    private async Task CarryAsync(int link, HttpContext context)
    {
        var (from, to) = (link / _agents, link % _agents);
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        var body = buffer.ToArray();
        var path = context.Request.Path.Value ?? "/";
        var message = MessageText.Parse(path, body);
        using var span = Calling?.Invoke(this, context, from, to, message);
        var segment = _segment;
        if (segment is null)
        {
            await ReturnAsync(context, await ForwardAsync(context, to, body));
            return;
        }

        var history = segment.History;
        var call = new ObservedCall(from, CallerOf(context, from), to, message);
        history.Add(HistoryEventKind.Sent, from, call.Process, call);
        var stays = FaultsOf(from, to);
        var fault = FaultFor(segment, from, to, path) ?? Draw(stays, from, to);
        await Task.Delay(stays.DelayMs);
        if (_held.TryRemove(link, out var held))
        {
            // This request overtakes the one that is held.
            _ = ReleaseAsync(held);
        }

        switch (fault?.Kind)
        {
            case FaultKind.Drop or FaultKind.Cut:
                call.Lost = true;
                history.Add(HistoryEventKind.Unanswered, from, call.Process, call);
                context.Abort();
                return;
            case FaultKind.Delay:
                await Task.Delay(fault.Ms);
                break;
            case FaultKind.Reorder:
                var overtaken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _held[link] = overtaken;
                await Task.WhenAny(overtaken.Task, Task.Delay(LongestHold));
                break;
        }

        var answer = await DeliverAsync(context, history, call, body);
        if (fault?.Kind == FaultKind.Duplicate)
        {
            answer = await DeliverAsync(context, history, call, body);
        }

        if (answer is null || fault?.Kind == FaultKind.LoseResponse || context.RequestAborted.IsCancellationRequested)
        {
            call.AnswerLost = answer is not null;
            call.Lost |= answer is null;
            history.Add(HistoryEventKind.Unanswered, from, call.Process, call);
            context.Abort();
            return;
        }

        history.Add(HistoryEventKind.Answered, from, call.Process, call, answer.Response);
        await ReturnAsync(context, answer);
    }

    /// <summary>Which process of an agent opened the connection: a request of a killed process may still be read from it.</summary>
    private int CallerOf(HttpContext context, int from)
    {
        var items = context.Features.GetRequiredFeature<IConnectionItemsFeature>().Items;
        if (!items.TryGetValue(nameof(LinkProxies), out var process))
        {
            items[nameof(LinkProxies)] = process = _target(from).Process;
        }

        return (int)process!;
    }

    // The overtaking request needs a moment on the way.
    private static async Task ReleaseAsync(TaskCompletionSource held)
    {
        await Task.Delay(10);
        held.TrySetResult();
    }

    private static PlannedFault? FaultFor(Segment segment, int from, int to, string path)
    {
        var ordinal = segment.Ordinals.AddOrUpdate((from, to, path), 1, (_, before) => before + 1);
        var elapsed = segment.History.ElapsedMs;
        var fault = segment.Plan.Faults.FirstOrDefault(fault => fault.Kind == FaultKind.Cut
            ? fault.From == from && fault.To == to && elapsed >= fault.AtMs && elapsed < fault.AtMs + fault.Ms
            : fault.Kind != FaultKind.Kill && fault.From == from && fault.To == to && fault.Call == path && fault.Ordinal == ordinal);
        if (fault is not null)
        {
            segment.History.Apply(fault);
        }

        return fault;
    }

    /// <summary>Draws what goes wrong with one request; null: nothing.</summary>
    private static PlannedFault? Draw(LinkFaults faults, int from, int to) =>
        faults.Cut ? new(FaultKind.Cut, from, to)
            : Random.Shared.NextDouble() < faults.Lose ? new(FaultKind.Drop, from, to)
            : Random.Shared.NextDouble() < faults.Repeat ? new(FaultKind.Duplicate, from, to) : null;

    private async Task<ForwardedAnswer?> DeliverAsync(HttpContext context, ObservedHistory history, ObservedCall call, byte[] body)
    {
        // Recorded before it is sent: what the agent does next comes after it.
        call.Receiver = _target(call.To).Process;
        history.Add(HistoryEventKind.Received, call.To, call.Receiver, call);
        return await ForwardAsync(context, call.To, body);
    }

    private async Task<ForwardedAnswer?> ForwardAsync(HttpContext context, int to, byte[] body)
    {
        try
        {
            using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method),
                new Uri(_target(to).Address, context.Request.Path + context.Request.QueryString));
            if (body.Length > 0)
            {
                request.Content = new ByteArrayContent(body);
                request.Content.Headers.ContentType = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
                    ? type : null;
            }

            // The receiver's span lies below that of the link.
            var span = Calling is null ? null : Activity.Current;
            if ((span?.Id ?? context.Request.Headers.TraceParent) is { Length: > 0 } parent)
            {
                request.Headers.TryAddWithoutValidation(HeaderNames.TraceParent, parent);
            }

            foreach (var (name, value) in context.Request.Headers)
            {
                if (name.StartsWith("Consensus-", StringComparison.OrdinalIgnoreCase)
                    || name.Equals(HeaderNames.TraceState, StringComparison.OrdinalIgnoreCase))
                {
                    request.Headers.TryAddWithoutValidation(name, value.ToArray());
                }
            }

            // Not the caller's token: a request that its caller gave up still arrives.
            using var response = await _http.SendAsync(request);
            var bytes = await response.Content.ReadAsByteArrayAsync();
            return new ForwardedAnswer(
                (int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), bytes, MessageText.ParseResponse(bytes));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
        {
            return null;
        }
    }

    private static async Task ReturnAsync(HttpContext context, ForwardedAnswer? answer)
    {
        if (answer is null)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        context.Response.ContentLength = answer.Body.Length;
        await context.Response.Body.WriteAsync(answer.Body);
    }

    private sealed record ForwardedAnswer(int Status, string? ContentType, byte[] Body, Response? Response);
}

/// <summary>Reads messages and responses of agents that anybody wrote; what is no message is null.</summary>
internal static class MessageText
{
    /// <summary>The message that a request holds.</summary>
    public static Message? Parse(string path, byte[] body)
    {
        try
        {
            return path switch
            {
                "/reset" =>
                    Encoding.UTF8.GetString(body).Contains("\"handshake\"", StringComparison.Ordinal) ? new Handshake() : new Reset(),
                "/new_round" => JsonSerializer.Deserialize(body, MessageJson.Default.NewRound),
                "/proposal" => JsonSerializer.Deserialize(body, MessageJson.Default.Proposal),
                "/vote" => JsonSerializer.Deserialize(body, MessageJson.Default.Vote),
                "/final" => JsonSerializer.Deserialize(body, MessageJson.Default.Final),
                "/state" => new StateQuery(),
                _ => null,
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The response of an agent.</summary>
    public static Response? ParseResponse(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, MessageJson.Default.Response);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
