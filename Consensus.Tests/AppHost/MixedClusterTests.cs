using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Consensus.Conformance;
using Consensus.Tests.Browser;
using Consensus.Tests.Conformance;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Playwright;

namespace Consensus.Tests.AppHost;

/// <summary>
/// Agents that others wrote in one cluster with one of this project, through the real orchestrator and the dashboard. With
/// <c>CONSENSUS_SCREENSHOTS</c> set to a folder, pictures are taken into it.
/// </summary>
[Collection(RunningApplication.Others)]
[Trait(Category.Name, Category.System)]
public sealed partial class MixedClusterTests(Chromium chromium) : IAsyncLifetime
{
    private const string Links = "consensus-links";

    private readonly CancellationTokenSource _limit = new(TimeSpan.FromMinutes(6));
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-");
    private DistributedApplication? _app;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await (_app?.DisposeAsync() ?? ValueTask.CompletedTask);
        _limit.Dispose();
        _folder.Delete(recursive: true);
    }

    [SkippableFact]
    public async Task Two_agents_in_Python_and_one_of_ours_run_are_drawn_lose_a_link_and_are_judged()
    {
        await StartAsync(["ratified.py", "ratified.py"]);
        await ReadyAsync();
        await using var tab = await Dashboard.OpenAsync(chromium, await _app!.GetDashboardUrlAsync(_limit.Token));
        await Dashboard.RunAsync(tab);
        await Dashboard.DecidedAsync(tab);
        await Dashboard.PictureAsync(tab.Page, "mixed-list");

        await using (var page = await chromium.OpenAsync(new Uri((await Dashboard.Outcome(tab).GetAttributeAsync("href"))!), 1400, 900))
        {
            await Assertions.Expect(page.Page.GetByText(Agreed()).First).ToBeVisibleAsync();
            await Assertions.Expect(page.Page.GetByText("state unknown")).ToHaveCountAsync(3);
            await Dashboard.PictureAsync(page.Page, "mixed-page");

            // Live: the open page goes on to the next run.
            await page.Page.GotoAsync(new Uri(page.Page.Url).GetLeftPart(UriPartial.Authority));
            var before = await page.Page.Locator(".run-id").First.TextContentAsync();
            await SucceedAsync("run");
            await Assertions.Expect(page.Page.Locator(".run-id").First).Not.ToHaveTextAsync(before!);
        }

        Assert.Equal("agent1 → agent2: cut", (await SucceedAsync("cut", ("from", "agent1"), ("to", "agent2"))).Message);
        var link = Dashboard.Row(tab, "agent1-agent2");
        await Assertions.Expect(link).ToContainTextAsync("Cut one way");
        await Assertions.Expect(link).ToContainTextAsync("agent1 → agent2: cut");
        await Dashboard.PictureAsync(tab.Page, "mixed-cut");
        Assert.Contains("decided", (await SucceedAsync("run")).Message, StringComparison.Ordinal);

        await tab.Page.GotoAsync(new Uri(new Uri(tab.Page.Url), "/?view=Graph").ToString());
        await Assertions.Expect(tab.Page.Locator("svg").GetByText("agent1-agent2", new() { Exact = true }).First).ToBeVisibleAsync();
        await Dashboard.PictureAsync(tab.Page, "mixed-graph");

        await SucceedAsync("heal");
        await tab.Page.GotoAsync(new Uri(new Uri(tab.Page.Url), "/").ToString());
        await Dashboard.Row(tab, "consensus").Locator("fluent-button").Last.ClickAsync();
        await tab.Page.Locator("[title^='Judges each agent']").Locator("visible=true").First.ClickAsync();
        var verdict = tab.Page.Locator("fluent-dialog");
        await Assertions.Expect(verdict.GetByText("Conforms.", new() { Exact = true })).ToBeVisibleAsync();
        foreach (var name in RunningApplication.Names)
        {
            var rows = verdict.Locator("tr").Filter(new() { HasText = name });
            await Assertions.Expect(rows.Filter(new() { HasText = "reset-status" })).ToContainTextAsync("pass");
        }

        await Dashboard.PictureAsync(tab.Page, "mixed-verdict");

        // One trace a run: that of an agent without telemetry is made of the links' spans.
        await tab.Page.GotoAsync(new Uri(new Uri(tab.Page.Url), "/traces").ToString());
        await tab.Page.Locator("tr").Filter(new() { HasText = "consensus-links: agent" }).First.ClickAsync();
        await Assertions.Expect(tab.Page.Locator("tr").GetByText(new Regex("propose [123] agent1 → agent2")).First).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task An_agent_that_fails_is_unhealthy_with_the_reason_until_it_is_judged_again()
    {
        var wrong = Path.Combine(_folder.FullName, "wrong.txt");
        await File.WriteAllTextAsync(wrong, "");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "wrong.py"), $"""
            import os, sys
            sys.path.insert(0, "{Path.Combine(SourceTree.Root, "samples", "python")}")
            import agent
            right = agent.app.view_functions["state"]
            agent.app.view_functions["state"] = lambda: right() | ({"{"}"attempts": 99{"}"} if os.path.exists("{wrong}") else {"{}"})
            agent.app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
            """);
        await StartAsync(["agent.py", Path.Combine(_folder.FullName, "wrong.py")], linksLater: true);

        // Agents that answer and do not reach each other are no cluster yet.
        var starting = (await _app!.ResourceNotifications.WaitForResourceAsync(
            "consensus", now => RunningApplication.PropertyOf(now.Snapshot, "Agents up") == string.Join(", ", RunningApplication.Names),
            _limit.Token)).Snapshot;
        Assert.Equal(KnownResourceStates.Starting, starting.State?.Text);
        Assert.Empty(starting.Urls);
        Assert.True((await _app.ResourceCommands.ExecuteCommandAsync(Links, KnownResourceCommands.StartCommand, _limit.Token)).Success);
        await ReadyAsync();
        Assert.Matches("^agent1, agent2, agent3 decided [123] in rounds? ", (await SucceedAsync("run")).Message);
        var judged = await CommandAsync("judge");
        Assert.False(judged.Success);
        Assert.StartsWith("Does not conform: ", judged.Message, StringComparison.Ordinal);
        Assert.Contains("| **FAIL** | agent2 |", judged.Data!.Value.Split('\n')[4], StringComparison.Ordinal);
        var unhealthy = (await _app.ResourceNotifications.WaitForResourceAsync(
            "agent2", now => now.Snapshot.HealthStatus == HealthStatus.Unhealthy, _limit.Token)).Snapshot;
        Assert.Contains(unhealthy.HealthReports, report => report.Description!.Contains("does not conform: ", StringComparison.Ordinal));

        File.Delete(wrong);
        Assert.Equal("Conforms.", (await SucceedAsync("judge")).Message);
        await RunningApplication.HealthyAsync(_app, "agent2", _limit.Token);

        // An agent without /faults is cut off by its links.
        Assert.Equal("agent1 is isolated", (await SucceedAsync("isolate", ("agent", "agent1"))).Message);
        await _app.ResourceNotifications.WaitForResourceAsync(
            "agent1", now => now.Snapshot.HealthStatus == HealthStatus.Degraded, _limit.Token);
        Assert.Equal("agent1 is connected again", (await SucceedAsync("reconnect", ("agent", "agent1"))).Message);
        await RunningApplication.HealthyAsync(_app, "agent1", _limit.Token);
    }

    private async Task StartAsync(string[] scripts, bool linksLater = false)
    {
        SampleTests.RequireFlask();
        var ports = LoopbackPorts.Free(3);
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            AssemblyName = "Consensus.AppHost", AllowUnsecuredTransport = true,
            Args =
            [
                $"--ASPNETCORE_URLS=http://localhost:{ports[0]}", $"--ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL=http://localhost:{ports[1]}",
                $"--ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL=http://localhost:{ports[2]}",
            ],
        });
        builder.Configuration["ASPIRE_INTERACTIVITY_ENABLED"] = "true";
        var cluster = builder.AddConsensusCluster("consensus");
        foreach (var (i, script) in scripts.Index())
        {
            cluster.WithAgent(
                builder.AddExecutable($"agent{i + 1}", SampleTests.Python, Path.Combine(SourceTree.Root, "samples", "python"), script));
        }

        cluster.WithAgents<Projects.Consensus_Agent>(1);
        if (linksLater)
        {
            builder.CreateResourceBuilder(builder.Resources.OfType<ExecutableResource>().Single(program => program.Name == Links))
                .WithExplicitStart();
        }

        _app = builder.Build();
        await _app.StartAsync(_limit.Token);
    }

    private async Task ReadyAsync()
    {
        foreach (var name in (string[])[.. RunningApplication.Names, "consensus"])
        {
            await RunningApplication.HealthyAsync(_app!, name, _limit.Token);
        }
    }

    private Task<ExecuteCommandResult> CommandAsync(string command, params (string Name, string Value)[] arguments) =>
        RunningApplication.CommandAsync(_app!, "consensus", command, _limit.Token, arguments);

    private async Task<ExecuteCommandResult> SucceedAsync(string command, params (string Name, string Value)[] arguments)
    {
        var result = await CommandAsync(command, arguments);
        Assert.True(result.Success, $"{command}: {result.Message} {result.Data?.Value}");
        return result;
    }

    [GeneratedRegex("agent1, agent2 and agent3 agreed on [123] after")]
    private static partial Regex Agreed();
}
