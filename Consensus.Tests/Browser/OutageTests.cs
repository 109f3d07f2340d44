using Consensus.Conformance;
using Consensus.Tests.Cluster;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The page while agents, processes of their own, are killed and come back.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class OutageTests(Chromium chromium)
{
    [SkippableFact]
    public async Task A_killed_agent_is_shown_down_and_learns_when_it_returns_and_the_page_outlives_its_own_agent()
    {
        var ports = LoopbackPorts.Free(3);
        using var agent1 = await AgentProcess.StartAsync(ports, 0);
        using var agent2 = await AgentProcess.StartAsync(ports, 1);
        using var agent3 = await AgentProcess.StartAsync(ports, 2);
        await using var tab = await chromium.OpenAsync(agent1.Address);
        var refused = await StartRunAsync(tab);
        await tab.VerdictAsync("good");

        agent3.Kill();
        await tab.IsAsync("agent3", "down");
        refused += await StartRunAsync(tab);
        await tab.IsAsync("agent1", "decided");
        await tab.IsAsync("agent2", "decided");
        using var returned = await AgentProcess.StartAsync(ports, 2);
        await tab.IsAsync("agent3", "decided");
        await tab.VerdictAsync("good");
        Assert.InRange(tab.Errors.Count, 0, refused);
        Assert.All(tab.Errors, error => Assert.StartsWith("status 503", error, StringComparison.Ordinal));
        tab.Errors.Clear();

        agent1.Kill();
        await Assertions.Expect(tab.Page.Locator("#connection.down")).ToBeVisibleAsync();
        using var served = await AgentProcess.StartAsync(ports, 0);
        await Assertions.Expect(tab.Page.Locator("#connection.up")).ToHaveTextAsync("3 of 3 agents up, seen from agent1");
        await tab.VerdictAsync("good");

        // While nobody answers, the browser itself says so in the console; the page adds nothing.
        Assert.All(tab.Errors, error => Assert.Contains("net::ERR", error, StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task A_view_that_a_person_opens_while_the_agent_is_down_fills_itself_when_the_agent_is_back()
    {
        var ports = LoopbackPorts.Free(1);
        using var agent = await AgentProcess.StartAsync(ports, 0);
        await using var learn = await chromium.OpenAsync(agent.Address);
        await using var simulate = await chromium.OpenAsync(agent.Address);
        await using var explore = await chromium.OpenAsync(agent.Address);
        (Tab Tab, string View, string Frame, string Picture)[] opened =
        [
            (learn, "learn", "#learn .lesson", "#learn .diagram path.lane"),
            (simulate, "simulate", "#simulate form", "#simulate .stage path.lane"),
            (explore, "explore", "#explore form", "#explore .diagram path.lane"),
        ];
        agent.Kill();
        foreach (var (tab, view, _, _) in opened)
        {
            await tab.Page.ClickAsync($"#tab-{view}");
            await Assertions.Expect(Notices(tab).First).ToContainTextAsync("The agent does not respond");
        }

        using var back = await AgentProcess.StartAsync(ports, 0);
        foreach (var (tab, _, frame, picture) in opened)
        {
            await Assertions.Expect(tab.Page.Locator(frame).First).ToBeVisibleAsync();
            await Assertions.Expect(tab.Page.Locator(picture)).Not.ToHaveCountAsync(0);
            await Assertions.Expect(Notices(tab)).ToHaveCountAsync(0);
        }
    }

    [SkippableFact]
    public async Task A_lesson_keeps_its_words_and_picture_while_the_agent_is_down_and_goes_on_when_it_is_back()
    {
        var ports = LoopbackPorts.Free(1);
        using var agent = await AgentProcess.StartAsync(ports, 0);
        await using var tab = await chromium.OpenAsync(new Uri(agent.Address, "/learn?lesson=2"));
        var (words, picture) = (tab.Page.Locator("#learn .words"), tab.Page.Locator("#learn .diagram path.lane"));
        await Assertions.Expect(picture).Not.ToHaveCountAsync(0);
        var before = await words.TextContentAsync();

        agent.Kill();
        await tab.Page.ClickAsync("#lesson-next");
        await Assertions.Expect(tab.Page.Locator("#busy")).ToContainTextAsync("The agent does not respond");
        await Assertions.Expect(words).ToHaveTextAsync(before!);
        await Assertions.Expect(picture).Not.ToHaveCountAsync(0);

        using var back = await AgentProcess.StartAsync(ports, 0);
        await Assertions.Expect(words).Not.ToHaveTextAsync(before!);
        await tab.AddressEndsAsync("lesson=2&part=2");
        await Assertions.Expect(Notices(tab)).ToHaveCountAsync(0);
    }

    private static ILocator Notices(Tab tab) => tab.Page.Locator("#notice, #busy").Filter(new() { Visible = true });

    /// <summary>
    /// Starts a run by the page's button. These agents wait 1 s for a peer, which a busy machine may take longer for. Then the
    /// agent refuses the start with a 503, which the browser writes to its console, and the test starts it again.
    /// </summary>
    /// <returns>How many starts were refused.</returns>
    private static async Task<int> StartRunAsync(Tab tab)
    {
        for (var refused = 0; ; refused++)
        {
            var response = await tab.Page.RunAndWaitForResponseAsync(
                () => tab.Page.ClickAsync("#run"), response => response.Request.Method == "POST");
            if (response.Ok)
            {
                return refused;
            }

            Assert.Equal(503, response.Status);
            Assert.InRange(refused, 0, 10);
        }
    }
}
