using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Consensus.Conformance;
using Consensus.Tests.Api;
using Microsoft.Extensions.Hosting;

namespace Consensus.Tests.Cluster;

/// <summary>SIGTERM under load: what is held is answered, nothing is lost, and the process ends sooner than it started.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ShutdownTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_cluster_in_one_process_answers_its_requests_and_persists_its_decisions()
    {
        var data = ("DATA", Path.Combine(_folder.FullName, "kept.db"));
        string[] arguments = ["--agents", "3", "--port", "0"];
        using var cluster = await AgentProcess.StartAsync(arguments, data);
        using var http = new HttpClient { BaseAddress = cluster.Address };

        // These wait for a run that never comes.
        var held = Enumerable.Range(0, 20).Select(_ => http.GetAsync("/consensus?wait=60&run=999999.agent1.none")).ToList();
        var decided = new ConcurrentDictionary<string, int>();
        List<Task> load =
        [
            UntilGoneAsync(async () =>
            {
                using var response = await http.PostAsync("/run?wait=60", null);
                using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    var outcome = answer.RootElement.GetProperty("outcome");
                    decided[answer.RootElement.GetProperty("run").GetString()!] = outcome.GetProperty("value").GetInt32();
                }
            }),
            UntilGoneAsync(() => http.GetStringAsync("/cluster")),
            UntilGoneAsync(() => http.GetStringAsync("/timeline?cluster=true")),
        ];
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (decided.Count < 20)
        {
            await Task.Delay(20, patience.Token);
        }

        var (code, took) = await cluster.TerminateAsync();
        Assert.Equal(0, code);
        Assert.InRange(took, TimeSpan.Zero, cluster.Start);
        Assert.All(await Task.WhenAll(held), answer => Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode));
        await Task.WhenAll(load);

        using var again = await AgentProcess.StartAsync(arguments, data);
        using var client = new ApiClient(again.Address);
        var runs = (await client.Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray()
            .Where(run => run.TryGetProperty("value", out _))
            .ToDictionary(run => run.GetProperty("run").GetString()!, run => run.GetProperty("value").GetInt32());
        var newest = decided.OrderByDescending(run => int.Parse(run.Key.Split('.')[0], CultureInfo.InvariantCulture)).Take(20);
        Assert.All(newest, run => Assert.Equal(run.Value, runs[run.Key]));
    }

    [Fact]
    public async Task A_start_that_waits_for_a_hung_peer_is_answered()
    {
        var ports = LoopbackPorts.Free(2);
        using var agent1 = await AgentProcess.StartAsync(ports, 0);
        using var agent2 = await AgentProcess.StartAsync(ports, 1);
        await agent2.PauseAsync();
        try
        {
            using var http = new HttpClient { BaseAddress = agent1.Address };
            var starting = http.PostAsync("/run?wait=60", null);

            // The start is in hand when its handshake is under way.
            while (!(await http.GetStringAsync("/timeline")).Contains("\"handshake\"", StringComparison.Ordinal) && !starting.IsCompleted)
            {
                await Task.Yield();
            }

            var (code, took) = await agent1.TerminateAsync();
            Assert.Equal(0, code);
            Assert.InRange(took, TimeSpan.Zero, agent1.Start);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await starting).StatusCode);
        }
        finally
        {
            await agent2.ResumeAsync();
        }
    }

    [Fact]
    public async Task A_collector_that_does_not_answer_holds_up_no_shutdown()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        using var cluster = await AgentProcess.StartAsync(
            ["--agents", "3", "--port", "0"],
            ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{((IPEndPoint)collector.LocalEndpoint).Port}"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"));
        using var client = new ApiClient(cluster.Address);
        Assert.Equal(HttpStatusCode.OK, (await client.Post("/run?wait=60")).Code);
        var (code, took) = await cluster.TerminateAsync();
        Assert.Equal(0, code);
        Assert.InRange(took, TimeSpan.Zero, cluster.Start + TelemetryShutdown.AtMost);
    }

    /// <summary>Repeats requests until the agent is gone; a request may fail only because of that.</summary>
    private static async Task UntilGoneAsync(Func<Task> request)
    {
        try
        {
            while (true)
            {
                await request();
            }
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            // The agent has ended.
        }
    }
}
