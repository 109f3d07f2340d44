using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Consensus.Agent;
using Consensus.Agent.Hosting;
using Consensus.Agent.Http;
using Consensus.Conformance;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Consensus.Benchmarks.Cluster;

/// <summary>
/// A process beside the agents: the raw round trip's server, built as an agent's is but with an empty handler, and a
/// place for telemetry to go to (OTLP over HTTP), which drops it.
/// </summary>
internal sealed class HelperServer : IDisposable
{
    /// <summary>The body of a vote, as agents send it to each other, and the response to it.</summary>
    private static readonly byte[] Vote =
        ("""{"agent_id":"agent2","value":2,"proposal":2,"round":1"""u8
        + ""","run":{"id":"17.agent1.0123456789ab","n":3,"start_round":1,"rule":"ratified","values":3,"draw":"fresh","window_ms":200"""u8
        + ""","members":{"agent1":"0123456789ab","agent2":"123456789abc","agent3":"23456789abcd"}}}"""u8).ToArray();

    private static readonly byte[] ResponseBody =
        ("""{"status":"ok","agent_id":"agent3","run":"17.agent1.0123456789ab","vote":"""u8
        + """{"agent_id":"agent3","value":2,"proposal":2,"round":1}}"""u8).ToArray();

    private readonly HttpClient _http;

    private HelperServer(ServerProcess process, HttpClient http) => (Process, _http) = (process, http);

    public ServerProcess Process { get; }

    /// <summary>Starts it in a process of its own.</summary>
    public static async Task<HelperServer> StartAsync(HttpClient http)
    {
        var port = LoopbackPorts.Free(1)[0];
        var program = typeof(HelperServer).Assembly.Location;
        var process = await ServerProcess.StartAsync(
            program, ["helper", "--port", port.ToString(CultureInfo.InvariantCulture)], port, "/otlp", new Dictionary<string, string>());
        return new HelperServer(process, http);
    }

    /// <summary>One request with a vote in it, to the empty handler.</summary>
    /// <returns>ms.</returns>
    public async Task<double> RawAsync()
    {
        var start = Stopwatch.GetTimestamp();
        using var content = new ByteArrayContent(Vote) { Headers = { ContentType = new("application/json") } };
        using var response = await _http.PostAsync(new Uri(Process.Address, "/vote"), content);
        await response.Content.ReadAsByteArrayAsync();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>How many batches of telemetry have arrived.</summary>
    public async Task<int> BatchesAsync() =>
        int.Parse(await _http.GetStringAsync(new Uri(Process.Address, "/otlp")), CultureInfo.InvariantCulture);

    public void Dispose() => Process.Dispose();

    /// <summary>The hidden command that serves.</summary>
    public static Command Command()
    {
        var port = new Option<int>("--port") { Required = true };
        var command = new Command("helper") { port };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) => ServeAsync(parsed.GetValue(port), cancellation));
        return command;
    }

    private static async Task<int> ServeAsync(int port, CancellationToken cancellation)
    {
        var batches = 0;
        var builder = WebApplication.CreateSlimBuilder();
        HttpServer.Configure(builder.WebHost);
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        app.MapPost("/vote", async context =>
        {
            await DropBodyAsync(context);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = ResponseBody.Length;
            await context.Response.BodyWriter.WriteAsync(ResponseBody);
        });
        app.MapPost("/v1/{signal}", async context =>
        {
            await DropBodyAsync(context);
            Interlocked.Increment(ref batches);
            context.Response.ContentType = "application/x-protobuf";
        });
        app.MapGet("/otlp", () => Volatile.Read(ref batches).ToString(CultureInfo.InvariantCulture));
        await app.StartAsync(cancellation);
        await app.WaitForShutdownAsync(cancellation);
        return 0;
    }

    private static async Task DropBodyAsync(HttpContext context)
    {
        while (await context.Request.BodyReader.ReadAsync(context.RequestAborted) is var read)
        {
            context.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }
}
