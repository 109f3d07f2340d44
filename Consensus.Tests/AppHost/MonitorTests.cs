using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Consensus.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.Tests.AppHost;

/// <summary>What the AppHost makes of agents that start, hang, and are none.</summary>
[Collection(RunningApplication.Collection)]
[Trait(Category.Name, Category.System)]
public sealed class MonitorTests(RunningApplication application) : IAsyncLifetime
{
    public Task InitializeAsync() => application.BeginAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Whatever_answers_on_the_port_of_a_stopped_agent_counts_as_down_and_the_others_run()
    {
        var port = application.App.GetEndpoint("agent1", "http").Port;
        await application.StopAsync("agent1");
        var monitor = application.App.Services.GetRequiredKeyedService<ClusterMonitor>("consensus");
        await using (var intruder = new Intruder(port))
        {
            // The AppHost does not export the spans of its commands. A run that links to such a span has a dead link.
            using var caller = new Activity("caller").Start();
            foreach (var answer in Intruder.Answers)
            {
                intruder.Answer = answer;
                var view = await monitor.RefreshAsync(application.Limit);
                Assert.Equal(["agent2", "agent3"], view.Up);
                Assert.Contains($"ort {port} answers", view.Presence, StringComparison.Ordinal);
            }

            Assert.NotEmpty(intruder.Requests);
            Assert.All(intruder.Requests, request => Assert.DoesNotContain("traceparent", request, StringComparison.OrdinalIgnoreCase));

            Assert.Contains("agent2, agent3 decided",
                (await application.SucceedAsync("consensus", "run")).Message, StringComparison.Ordinal);
        }

        await application.StartAsync("agent1");
    }

    [Fact]
    public void An_agent_whose_process_runs_is_starting_until_it_has_answered_and_so_is_the_cluster()
    {
        foreach (var name in RunningApplication.Names)
        {
            var states = application.FirstStates.Where(state => state.Resource == name).Select(state => state.State).ToList();
            var running = states[states.IndexOf(KnownResourceStates.Running)..];
            Assert.Equal(KnownResourceStates.Starting, running[1]);
            Assert.Equal(KnownResourceStates.Running, running[^1]);
        }

        Assert.Equal(
            [KnownResourceStates.Starting, KnownResourceStates.Running],
            application.FirstStates.Where(state => state.Resource == "consensus").Select(state => state.State));
        Assert.NotEmpty(application.FirstOutcomes);
        Assert.All(application.FirstOutcomes, outcome => Assert.EndsWith(" of 3 up", outcome, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_agent_that_hangs_is_unhealthy_its_run_fails_at_once_and_starts_nothing_later()
    {
        using var client = application.ClientOf("agent2");
        var before = (await client.Get("/state")).Body.GetProperty("boot").GetString();
        var newest = await NewestRunAsync();

        // Where the agent was started again, its former process may be shown for a while.
        var shown = await application.WaitAsync("agent2", now => IsAgent(ProcessOf(now)));
        var process = int.Parse(ProcessOf(shown)!, CultureInfo.InvariantCulture);
        try
        {
            await Signals.StopAsync(process);
            var failed = await application.CommandAsync("agent2", "run");
            Assert.False(failed.Success);
            Assert.Matches(@"^agent2 hangs: port \d+ takes calls and does not answer\. Nothing was started\.", failed.Message);
            await application.WaitAsync("agent2", now => now.HealthStatus == HealthStatus.Unhealthy);
        }
        finally
        {
            await Signals.SendAsync("CONT", process);
        }

        await application.WaitAsync("agent2", now => now.HealthStatus == HealthStatus.Healthy);
        Assert.Equal(before, (await client.Get("/state")).Body.GetProperty("boot").GetString());

        Assert.Equal(newest, await NewestRunAsync());

        async Task<string?> NewestRunAsync()
        {
            var (_, history) = await client.Get("/timeline/runs?cluster=true");
            return history.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("run").GetString()).FirstOrDefault();
        }
    }

    [Fact]
    public async Task The_console_of_the_cluster_tells_each_run_and_who_comes_and_goes()
    {
        await application.SucceedAsync("agent3", "isolate");
        var ran = await application.SucceedAsync("consensus", "run");
        await application.SucceedAsync("agent3", "reconnect");
        var lines = new List<string>();
        await foreach (var batch in application.App.Services.GetRequiredService<ResourceLoggerService>()
            .WatchAsync("consensus").WithCancellation(application.Limit))
        {
            lines.AddRange(batch.Select(line => line.Content));
            if (lines.Exists(line => line.Contains("began at agent", StringComparison.Ordinal))
                && lines.Exists(line => line.Contains(" decided ", StringComparison.Ordinal))
                && lines.Exists(line => line.Contains("agent3 is isolated", StringComparison.Ordinal)))
            {
                return;
            }
        }
    }

    private static string? ProcessOf(CustomResourceSnapshot agent) => RunningApplication.PropertyOf(agent, "executable.pid");

    /// <summary>Whether an agent runs under this number. A process that has ended has no command line.</summary>
    private static bool IsAgent(string? process) =>
        process is not null && Procfs.Read($"{process}/cmdline")?.Contains("Consensus.Agent", StringComparison.Ordinal) == true;
}
