using System.Diagnostics;
using System.Net;
using Consensus.Agent;
using Consensus.Agent.Hosting;
using Consensus.Protocol;
using Consensus.Tests.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Consensus.Tests.Hosting;

/// <summary>Exceptions that no code expects: none is lost, and nobody waits for ever.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class FailureTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_step_that_throws_ends_the_waiting_start_with_500_and_logs_what_to_report(int agents)
    {
        var log = new FakeLogCollector();
        await using var cluster = await StartAsync(agents, log);
        using var client = new ApiClient(cluster.Addresses[0]);
        var (code, problem) = await client.Post("/run?wait=60").WaitAsync(Limit);

        Assert.Equal(HttpStatusCode.InternalServerError, code);
        Assert.Equal("failed", problem.GetProperty("reason").GetString());
        Assert.Contains("restart", problem.GetProperty("detail").GetString(), StringComparison.OrdinalIgnoreCase);
        var line = Assert.Single(log.GetSnapshot(), record => record.Level == LogLevel.Critical);
        Assert.IsType<NoRandomnessException>(line.Exception);
        Assert.Contains("Report", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_agent_refuses_every_call_and_is_unhealthy_while_the_others_decide()
    {
        await using var cluster = await StartAsync(3, new FakeLogCollector());
        using var failed = new ApiClient(cluster.Addresses[0]);
        await failed.Post("/run?wait=60").WaitAsync(Limit);

        Assert.Equal(HttpStatusCode.InternalServerError, (await failed.Get("/consensus?wait=60").WaitAsync(Limit)).Code);
        Assert.Equal(HttpStatusCode.InternalServerError, (await failed.Get("/state")).Code);
        Assert.Equal(HttpStatusCode.InternalServerError, (await failed.Post("/final", """{"value":1,"round":1}""")).Code);
        Assert.Equal(HttpStatusCode.InternalServerError, (await failed.Post("/run")).Code);
        var report = await cluster.Services[0].GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(check => check.Tags.Contains("live"));
        Assert.Equal(HealthStatus.Unhealthy, report.Entries["core"].Status);

        using var other = new ApiClient(cluster.Addresses[1]);
        Assert.Equal(HttpStatusCode.OK, (await other.Post("/run?wait=60").WaitAsync(Limit)).Code);
    }

    [Fact]
    public async Task A_send_that_throws_before_its_call_has_failed()
    {
        // A listener of spans is called before the call is made.
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name.StartsWith("Consensus.Agent.thrower", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Kind == ActivityKind.Client
                    ? throw new InvalidOperationException("no span") : ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var options = ThreeAgents.Patient with { Id = "thrower", Peers = [new Uri("http://127.0.0.1:9"), new Uri("http://[::1]:9")] };
        await using var app = AgentApplication.Build(options, [], builder => builder.Logging.ClearProviders());
        var outcome = await app.Services.GetRequiredService<AgentService>().StartAsync(new RunRequest()).WaitAsync(Limit);
        Assert.Equal(2, Assert.IsType<QuorumUnreachable>(outcome).Missing.Count);
    }

    private static Task<LocalCluster> StartAsync(int agents, FakeLogCollector log) => LocalCluster.StartAsync(
        agents, 0, ThreeAgents.Patient, configure: (number, builder) =>
        {
            builder.Logging.ClearProviders();
            if (number == 0)
            {
                builder.Logging.AddProvider(new FakeLoggerProvider(log));
                builder.Services.AddSingleton<IRandomSource, NoRandomness>();
            }
        });

    /// <summary>Fails in the core, at the first draw.</summary>
    private sealed class NoRandomness : IRandomSource
    {
        public int Next(int bound) => throw new NoRandomnessException();
    }

    private sealed class NoRandomnessException() : Exception("no randomness");
}
