using System.Text.RegularExpressions;
using Consensus.Tests.Api;
using Consensus.Tests.Cluster;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>One agent and one page for all tests of a class.</summary>
public sealed class OneAgentPage : IAsyncLifetime
{
    private TestCluster _cluster = null!;
    private Tab? _tab;

    public async Task InitializeAsync() => _cluster = await TestCluster.StartAsync(1, ThreeAgents.Patient);

    public async Task DisposeAsync()
    {
        await (_tab?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _cluster.DisposeAsync();
    }

    internal async Task<Tab> GoAsync(Chromium chromium, string address)
    {
        var page = new Uri(_cluster.Addresses[0], address);
        _tab ??= await chromium.OpenAsync(page);
        await _tab.Page.GotoAsync("about:blank");
        await _tab.Page.GotoAsync(page.ToString());
        return _tab;
    }
}

/// <summary>What the page says that each agent knows, at the end and at the playback position.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class StateTests(Chromium chromium, OneAgentPage agent) : IClassFixture<OneAgentPage>
{
    [SkippableFact]
    public async Task A_restarted_agent_has_forgotten_its_proposal_and_its_vote()
    {
        var tab = await agent.GoAsync(chromium, "/learn?lesson=8&part=3");
        await IsAsync(tab, "#learn", "agent2", "waiting", decision: null);
        await Assertions.Expect(Row(tab, "#learn", "agent2").Locator(".chip")).ToHaveCountAsync(0);
        await tab.Page.ClickAsync("#learn [aria-label='One step back']");
        await IsAsync(tab, "#learn", "agent2", "down", decision: null);
        await tab.Page.ClickAsync("#learn [aria-label='One step back']");
        await IsAsync(tab, "#learn", "agent2", "voting", decision: null);
        await Assertions.Expect(Row(tab, "#learn", "agent2").Locator("[aria-label=votes] .chip")).ToHaveTextAsync(["1"]);
        Assert.Empty(tab.Errors);
    }

    [SkippableTheory]
    [InlineData("c1", "down")]
    [InlineData("c1-u1", "waiting")]
    [InlineData("e1", "waiting")]
    public async Task A_decided_agent_that_crashes_restarts_or_is_reset_has_no_decision_from_then_on(string steps, string status)
    {
        var tab = await agent.GoAsync(chromium, $"/explore?path=s1.2-d1.2-r1-{steps}");
        await IsAsync(tab, "#explore", "agent1", status, decision: null);
        foreach (var _ in steps.Split('-'))
        {
            await tab.Page.ClickAsync("#explore [aria-label='One step back']");
        }

        await IsAsync(tab, "#explore", "agent1", "decided", decision: "2");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_second_run_keeps_the_first_one_drawn_and_its_decisions_until_their_agents_join()
    {
        var tab = await agent.GoAsync(chromium, "/explore?path=s1.2-d1.2-r1-s3.1");
        await IsAsync(tab, "#explore", "agent1", "decided", decision: "2");
        await Assertions.Expect(tab.Page.Locator("#explore .m-decided")).ToHaveCountAsync(1);
        await Assertions.Expect(tab.Page.Locator("#explore .round tspan")).ToHaveTextAsync(["Run 1", "Run 2"]);
        await tab.Page.ClickAsync("#explore .token[title*='agent3 to agent1']");
        await tab.Page.ClickAsync(".step-menu [data-step$='.3']");
        await IsAsync(tab, "#explore", "agent1", "proposing", decision: null);
        await Assertions.Expect(tab.Page.Locator("#explore .m-decided")).ToHaveCountAsync(1);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_band_holds_what_its_own_agent_did_in_the_round()
    {
        // agent1 is in round 2 and agent3 joins there, while agent2 has decided in round 1 and stays there.
        var tab = await agent.GoAsync(chromium, "/explore?rule=classic&path=s1.1-d1.1-w1.2-d5.2");
        await Assertions.Expect(tab.Page.Locator("#explore .m-decided")).ToHaveCountAsync(2);
        Assert.Equal(["even,odd", "even", "odd"], await BandsAsync(tab, "#explore"));

        await agent.GoAsync(chromium, "/#simulate?counterexample=");
        await Assertions.Expect(tab.Page.Locator("[data-rule=classic] .m-decided")).ToHaveCountAsync(2);
        var sentence = await tab.Page.Locator("#simulate .sentence").InnerTextAsync();
        var named = Regex.Match(sentence, @"^(agent\d) .* in round (\d) and decided\. .* later, (agent\d) .* in round (\d)\.");
        Assert.True(named.Success, sentence);
        var drawn = await DecisionsAsync(tab, "[data-rule=classic]");
        Assert.Equal([named.Groups[1].Value, named.Groups[3].Value], drawn.Select(one => one.Split(' ')[0]));
        Assert.Equal(
            [named.Groups[2].Value == "1" ? "even" : "odd", named.Groups[4].Value == "1" ? "even" : "odd"],
            drawn.Select(one => one.Split(' ')[1]));
        Assert.Empty(tab.Errors);
    }

    private static ILocator Row(Tab tab, string view, string agent) => tab.Page.Locator($"{view} tr[data-agent={agent}]");

    /// <summary>Waits until the table's row has this status, and the agent's head shows this decision or none.</summary>
    private static async Task IsAsync(Tab tab, string view, string agent, string status, string? decision)
    {
        await Assertions.Expect(Row(tab, view, agent)).ToHaveAttributeAsync("data-status", status);
        await Assertions.Expect(tab.Page.Locator($"{view} .head[data-agent={agent}] .chip"))
            .ToHaveTextAsync(decision is null ? [] : [decision]);
    }

    /// <summary>The bands of each lane from top to bottom.</summary>
    private static Task<string[]> BandsAsync(Tab tab, string view) => tab.Page.EvaluateAsync<string[]>(
        """
        view => {
          const lanes = [];
          for (const band of document.querySelectorAll(`${view} .band`)) {
            (lanes[band.dataset.lane] ??= []).push(band.classList.contains('odd') ? 'odd' : 'even');
          }
          return lanes.map(String);
        }
        """,
        view);

    /// <summary>The agent and the band of each decision, the earlier decision first.</summary>
    private static Task<string[]> DecisionsAsync(Tab tab, string view) => tab.Page.EvaluateAsync<string[]>(
        """
        view => {
          const boxOf = (element) => element.getBoundingClientRect();
          const middle = (element) => boxOf(element).left + boxOf(element).width / 2;
          const isIn = (x, y) => (band) => boxOf(band).left <= x && x < boxOf(band).right && boxOf(band).top <= y && y < boxOf(band).bottom;
          const heads = [...document.querySelectorAll(`${view} .head`)];
          const bands = [...document.querySelectorAll(`${view} .band`)];
          return [...document.querySelectorAll(`${view} .m-decided > rect`)].sort((a, b) => boxOf(a).top - boxOf(b).top).map((mark) => {
            const [x, y] = [middle(mark), boxOf(mark).top];
            const head = heads.toSorted((a, b) => Math.abs(middle(a) - x) - Math.abs(middle(b) - x))[0];
            return `${head.dataset.agent} ${bands.find(isIn(x, y)).classList.contains('odd') ? 'odd' : 'even'}`;
          });
        }
        """,
        view);
}
