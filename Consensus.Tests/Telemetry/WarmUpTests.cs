using System.Net;
using System.Net.Sockets;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Tests.Api;
using Consensus.Tests.Cluster;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.Tests.Telemetry;

/// <summary>The first run is as fast as the others, and what makes it so is seen nowhere.</summary>
[Trait(Category.Name, Category.System)]
public sealed class WarmUpTests
{
    [SkippableTheory]
    [InlineData("")]
    [InlineData("http://127.0.0.1:1")]
    public async Task The_first_run_finds_its_code_compiled(string collector)
    {
        Skip.If(AgentProcess.Program is not null, "A program compiled ahead of time compiles nothing.");
        var compiled = Path.GetTempFileName();
        try
        {
            using (var agents = await AgentProcess.StartAsync(
                ["--agents", "3", "--port", "0"],
                ("OTEL_EXPORTER_OTLP_ENDPOINT", collector), ("DOTNET_JitStdOutFile", compiled), ("DOTNET_JitDisasmSummary", "1")))
            {
                using var client = new ApiClient(agents.Address);
                await agents.WaitUntilReadyAsync();

                // These two are not warmed up, so what is compiled for them marks the beginning and the end of the run.
                await client.Get("/timeline/runs");
                Assert.Equal(HttpStatusCode.OK, (await client.Post("/run?wait=60")).Code);
                await client.Get("/cluster");
                await agents.TerminateAsync();
            }

            var methods = (await File.ReadAllLinesAsync(compiled)).ToList();
            var begin = methods.FindLastIndex(method => method.Contains(".RunHistory:get_", StringComparison.Ordinal));
            var end = methods.FindIndex(begin, method => method.Contains(".ClusterApi", StringComparison.Ordinal));
            Assert.InRange(begin, 1000, end);

            // Compiled for the first time, not once more because it is used much.
            var first = methods[begin..end].Where(method => !method.Contains("Tier1", StringComparison.Ordinal) && !method.Contains("OSR", StringComparison.Ordinal)).ToList();
            Assert.True(first.Count < 150, $"{first.Count} of {methods.Count} methods were compiled in the first run:\n{string.Join('\n', first)}");
        }
        finally
        {
            File.Delete(compiled);
        }
    }

    [Fact]
    public async Task The_warm_up_takes_no_proxy_of_the_agents_that_are_served()
    {
        using var proxy = new TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        var warmUp = new WarmUp();
        var served = new AgentOptions { Id = "agent1", PeerProxy = new Uri($"http://127.0.0.1:{((IPEndPoint)proxy.LocalEndpoint).Port}") };
        warmUp.Begin(served, new ConfigurationBuilder().Build());
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await warmUp.CheckHealthAsync(new HealthCheckContext())).Status != HealthStatus.Healthy)
        {
            Assert.False(proxy.Pending());
            await Task.Delay(20, patience.Token);
        }

        Assert.False(proxy.Pending());
        Assert.False(string.IsNullOrEmpty((await warmUp.CheckHealthAsync(new HealthCheckContext())).Description));
    }

    [Fact]
    public async Task The_warm_up_leaves_no_trace()
    {
        await using var cluster = await TracedCluster.StartAsync();
        var warmUp = new WarmUp();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")]).Build();
        warmUp.Begin(cluster.Services[0].GetRequiredService<AgentOptions>(), configuration);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while ((await warmUp.CheckHealthAsync(new HealthCheckContext())).Status != HealthStatus.Healthy)
        {
            await Task.Delay(20, patience.Token);
        }

        for (var agent = 0; agent < 3; agent++)
        {
            Assert.False((await cluster.Clients[agent].Get("/state")).Body.TryGetProperty("run", out _));
            Assert.Equal(0, (await cluster.Clients[agent].Get("/timeline/runs")).Body.GetProperty("runs").GetArrayLength());
            Assert.DoesNotContain(cluster.MetricsOf(agent), metric => metric.Name is "consensus.runs" or "consensus.decision.duration" or "consensus.attempts");
            Assert.Empty(cluster.LogsOf(agent));
        }

        // The first run of the agents that are served is number 1.
        Assert.StartsWith("1.agent1.", (await cluster.DecideAsync()).GetProperty("run").GetString(), StringComparison.Ordinal);
        await cluster.DisposeAsync();
        Assert.Single(cluster.Spans.Select(span => span.TraceId).Distinct());
    }
}
