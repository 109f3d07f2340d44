using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Api;

/// <summary>A peer that knows only the original contract: it answers without a boot and records what it is sent.</summary>
internal sealed class OriginalHttpAgent : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<string> _calls = new();
    private readonly SemaphoreSlim _arrived = new(0);

    private OriginalHttpAgent(WebApplication app)
    {
        _app = app;
        app.MapPost("/{call}", async (string call, HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            _calls.Enqueue($"{call} {await reader.ReadToEndAsync()}");
            _arrived.Release();
            return call switch
            {
                "reset" => Results.Json(new { status = "reset" }),
                "new_round" => Results.Json(new { status = "started", round = 1 }),
                "final" => Results.Json(new { status = "ack" }),
                _ => Results.Json(new { status = "ok" }),
            };
        });
        app.MapGet("/state", () => Results.Text(
            """{"agent_id":"flask","round":0,"my_value":null,"proposals":{},"attempts":0,"consensus_value":null,"consensus_round":null}""",
            "application/json"));
    }

    public Uri Address => Consensus.Agent.LocalCluster.AddressOf(_app);

    public static async Task<OriginalHttpAgent> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var peer = new OriginalHttpAgent(builder.Build());
        await peer._app.StartAsync();
        return peer;
    }

    /// <summary>Waits until so many calls of this kind have arrived; the last one's body.</summary>
    public async Task<JsonElement> Called(string call, int times = 1)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            if (_calls.Where(seen => seen.StartsWith(call + " ", StringComparison.Ordinal)).ElementAtOrDefault(times - 1) is { } found)
            {
                return JsonDocument.Parse(found[(call.Length + 1)..]).RootElement;
            }

            await _arrived.WaitAsync(patience.Token);
        }
    }

    public ValueTask DisposeAsync() => new(Consensus.Agent.LocalCluster.EndAsync(_app));
}
