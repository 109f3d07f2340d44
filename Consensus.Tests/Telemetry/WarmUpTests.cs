using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
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
public sealed partial class WarmUpTests
{
    private const int PollMs = 100;
    private const int Attempts = 3;

    [SkippableTheory]
    [InlineData("", 10)]
    [InlineData("http://127.0.0.1:1", 2)] // Exports compile their own code meanwhile.
    public async Task The_first_run_finds_its_code_compiled(string collector, int fewer)
    {
        Skip.If(AgentProcess.Program is not null, "A program compiled ahead of time compiles nothing.");
        var cold = await CompiledInFirstRunAsync(collector, warmUp: false);
        var warm = int.MaxValue;

        // On a busy machine a first run may wait, and takes steps then that others do not take.
        for (var attempt = 0; attempt < Attempts && warm >= cold / fewer; attempt++)
        {
            warm = Math.Min(warm, await CompiledInFirstRunAsync(collector, warmUp: true));
        }

        Assert.True(cold > 500 && warm < cold / fewer, $"{warm} methods were compiled in the first run, and {cold} without the warm-up.");
    }

    /// <summary>How many methods the runtime says that it compiled in the first run.</summary>
    private static async Task<int> CompiledInFirstRunAsync(string collector, bool warmUp)
    {
        // No method is called so often that it is compiled once more.
        using var agents = await AgentProcess.StartAsync(
            ["--agents", "3", "--port", "0"],
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector), ("METRICS", "true"), ("WARM_UP", $"{warmUp}"),
            ("DOTNET_TC_CallCountThreshold", "FFFFFF"));
        using var client = new ApiClient(agents.Address);
        await agents.WaitUntilReadyAsync();
        var before = await CompiledAsync(agents.Address);
        Assert.Equal(HttpStatusCode.OK, (await client.Post("/run?wait=60")).Code);
        return await CompiledAsync(agents.Address) - before;
    }

    /// <summary>
    /// Reads how many methods were compiled so far, once two readings in a row say the same: reading compiles methods too.
    /// </summary>
    private static async Task<int> CompiledAsync(Uri agent)
    {
        using var http = new HttpClient { BaseAddress = agent };
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        for (var (last, compiled) = ("", -1); ; await Task.Delay(PollMs, patience.Token))
        {
            // For 300 ms it answers the same text.
            var text = await http.GetStringAsync("/metrics", patience.Token);
            var now = int.Parse(JitCompiled().Match(text).Groups["methods"].Value, CultureInfo.InvariantCulture);
            if (text != last && now == compiled)
            {
                return now;
            }

            (last, compiled) = (text, now);
        }
    }

    [GeneratedRegex(@"^dotnet_jit_compiled_methods(_total)?(\{[^}]*\})? (?<methods>[0-9]+)", RegexOptions.Multiline)]
    private static partial Regex JitCompiled();

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
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")]).Build();
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
            Assert.DoesNotContain(cluster.MetricsOf(agent),
                metric => metric.Name is "consensus.runs" or "consensus.decision.duration" or "consensus.attempts");
            Assert.Empty(cluster.LogsOf(agent));
        }

        // The first run of the agents that are served is number 1.
        Assert.StartsWith("1.agent1.", (await cluster.DecideAsync()).GetProperty("run").GetString(), StringComparison.Ordinal);
        await cluster.DisposeAsync();
        Assert.Single(cluster.Spans.Select(span => span.TraceId).Distinct());
    }
}
