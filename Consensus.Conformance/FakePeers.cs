using System.Text;
using System.Text.Json;

namespace Consensus.Conformance;

/// <summary>A request that an agent sent to a fake peer.</summary>
/// <param name="Peer">The fake peer, from 0.</param>
/// <param name="Path">The path, such as <c>/proposal</c>.</param>
/// <param name="Text">The body as it came.</param>
/// <param name="Body">The body as JSON; undefined where it is none.</param>
internal sealed record FakeCall(int Peer, string Path, string Text, JsonElement Body)
{
    /// <summary>The id of the run that the message names; null for a bare message.</summary>
    public string? Run => Body.Find("run")?.Text("id");
}

/// <summary>What a fake peer responds.</summary>
internal sealed record FakeAnswer(int Status, string Body)
{
    /// <summary>The connection is closed without a response.</summary>
    public static FakeAnswer None { get; } = new(0, "");

    /// <summary>A response with status 200.</summary>
    public static FakeAnswer Ok(string body) => new(200, body);
}

/// <summary>The peers of an agent under test, played by the judge: agent2, agent3 and so on.</summary>
internal sealed class FakePeers(ExchangeLog log) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly List<FakeCall> _calls = [];
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoopbackServer? _server;

    /// <summary>Where the fake peers listen.</summary>
    public IReadOnlyList<Uri> Addresses => _server!.Addresses;

    /// <summary>How many there are.</summary>
    public int Count { get; private init; }

    /// <summary>Whether they introduce themselves with a boot, as agents that speak run descriptors do.</summary>
    public bool Described { get; set; }

    /// <summary>Whether they do not answer <c>GET /state</c>, so that an agent knows nothing of them before it shakes hands.</summary>
    public bool HidesState { get; set; }

    /// <summary>Responds instead of a fake peer; null leaves the response to it.</summary>
    public Func<FakeCall, FakeAnswer?>? Override { get; set; }

    /// <summary>The id of a fake peer.</summary>
    public static string IdOf(int peer) => $"agent{peer + 2}";

    /// <summary>The boot of a fake peer.</summary>
    public static string BootOf(int peer) => $"b{peer + 2}";

    /// <summary>Starts fake peers.</summary>
    public static async Task<FakePeers> StartAsync(int count, ExchangeLog log)
    {
        var peers = new FakePeers(log) { Count = count };
        peers._server = await LoopbackServer.StartAsync(count, peers.HandleAsync);
        return peers;
    }

    /// <summary>Forgets all requests so far, and responds as at the start.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _calls.Clear();
        }

        Override = null;
    }

    /// <summary>The requests so far.</summary>
    public IReadOnlyList<FakeCall> Calls
    {
        get
        {
            lock (_lock)
            {
                return [.. _calls];
            }
        }
    }

    /// <summary>Waits until the requests fulfil a condition.</summary>
    /// <returns>False where they did not within the time.</returns>
    public async Task<bool> WaitAsync(Func<IReadOnlyList<FakeCall>, bool> condition, TimeSpan within)
    {
        for (var deadline = DateTime.UtcNow + within; ;)
        {
            Task arrived;
            lock (_lock)
            {
                if (condition(_calls))
                {
                    return true;
                }

                arrived = _arrived.Task;
            }

            var left = deadline - DateTime.UtcNow;
            if (left <= TimeSpan.Zero || await Task.WhenAny(arrived, Task.Delay(left)) != arrived)
            {
                lock (_lock)
                {
                    return condition(_calls);
                }
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    private async Task HandleAsync(int peer, HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var text = await reader.ReadToEndAsync();
        var path = context.Request.Path.Value ?? "/";
        var call = new FakeCall(peer, path, text, JsonText.Parse(text));
        var answer = Override?.Invoke(call) ?? Answer(call);
        log.Add(new Exchange("agent1", IdOf(peer), $"{context.Request.Method} {path}",
            text, answer.Status == 0 ? null : answer.Status, answer.Body));
        TaskCompletionSource arrived;
        lock (_lock)
        {
            _calls.Add(call);
            (arrived, _arrived) = (_arrived, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        arrived.SetResult();
        if (answer.Status == 0)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer.Body);
    }

    /// <summary>What a peer without a run of its own responds.</summary>
    private FakeAnswer Answer(FakeCall call)
    {
        if (HidesState && call.Path == "/state")
        {
            return FakeAnswer.None;
        }

        var who = Described ? $"\"agent_id\":\"{IdOf(call.Peer)}\",\"boot\":\"{BootOf(call.Peer)}\",\"agents\":{Count + 1}" : null;
        var also = who is null ? "" : "," + who;
        var round = call.Body.Find("round") is { ValueKind: JsonValueKind.Number } number ? number.GetRawText() : "1";
        return FakeAnswer.Ok(call.Path switch
        {
            "/reset" => $$"""{"status":"reset"{{also}}}""",
            "/new_round" => $$"""{"status":"started","round":{{round}}}""",
            "/final" => """{"status":"ack"}""",
            "/state" => $$"""{{{who ?? $"\"agent_id\":\"{IdOf(call.Peer)}\""}},"round":0,"my_value":null,"proposals":{},"attempts":0,"""
                + "\"consensus_value\":null,\"consensus_round\":null}",
            "/consensus" => """{"reached":false,"round":0}""",
            _ => """{"status":"ok"}""",
        });
    }
}
