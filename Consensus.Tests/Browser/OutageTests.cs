using Consensus.Tests.Cluster;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The page while agents, processes of their own, are killed and come back.</summary>
[Collection(Chromium.Collection)]
[Trait(Category.Name, Category.System)]
public sealed class OutageTests(Chromium chromium)
{
    [SkippableFact]
    public async Task A_killed_agent_is_shown_down_and_learns_when_it_returns_and_the_page_outlives_its_own_agent()
    {
        var ports = AgentProcess.FreePorts(3);
        using var agent1 = await AgentProcess.StartAsync(ports, 0);
        using var agent2 = await AgentProcess.StartAsync(ports, 1);
        using var agent3 = await AgentProcess.StartAsync(ports, 2);
        await using var tab = await chromium.OpenAsync(agent1.Address);
        await tab.Page.ClickAsync("#run");
        await tab.VerdictAsync("good");

        agent3.Kill();
        await tab.IsAsync("agent3", "down");
        await tab.Page.ClickAsync("#run");
        await tab.IsAsync("agent1", "decided");
        await tab.IsAsync("agent2", "decided");
        using var returned = await AgentProcess.StartAsync(ports, 2);
        await tab.IsAsync("agent3", "decided");
        await tab.VerdictAsync("good");
        Assert.Empty(tab.Errors);

        agent1.Kill();
        await Assertions.Expect(tab.Page.Locator("#connection.down")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        using var served = await AgentProcess.StartAsync(ports, 0);
        await Assertions.Expect(tab.Page.Locator("#connection.up")).ToHaveTextAsync("3 of 3 agents up, seen from agent1", new() { Timeout = 60_000 });
        await tab.VerdictAsync("good");

        // While nobody answers, the browser itself says so in the console; the page adds nothing.
        Assert.All(tab.Errors, error => Assert.Contains("net::ERR", error, StringComparison.Ordinal));
    }
}
