using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>Simulated runs on the page.</summary>
[Collection(Chromium.Collection)]
public sealed class SimulateTests(Chromium chromium) : ThreeAgents
{
    [SkippableTheory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task The_classic_rule_is_seen_to_disagree_beside_the_ratified_rule_that_agrees(int width)
    {
        await using var tab = await OpenAsync(width);
        await tab.Page.ClickAsync("#disagree");
        await tab.Page.WaitForSelectorAsync(".stage[data-rule=classic] .verdict.bad");
        await tab.Page.WaitForSelectorAsync(".stage[data-rule=ratified] .verdict.good");
        await Assertions.Expect(tab.Page.Locator(".sentence")).ToContainTextAsync("was not heard in time");
        Assert.Equal(2, (await DecisionsAsync(tab, "classic")).Distinct().Count());
        var ratified = await DecisionsAsync(tab, "ratified");
        Assert.Equal(3, ratified.Count);
        Assert.Single(ratified.Distinct());

        // What was held back is seen to be still on its way.
        Assert.NotEqual(0, await tab.Page.Locator("[data-rule=classic] .arrow.flying").CountAsync());
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_seed_is_drawn_with_its_faults_and_steps_through_like_a_real_run()
    {
        await using var tab = await OpenAsync(1280);
        foreach (var (name, value) in new[] { ("agents", "5"), ("drop", "20"), ("crash", "2.5"), ("seed", "11") })
        {
            await tab.Page.FillAsync($".simform [name={name}]", value);
        }

        await tab.Page.ClickAsync(".simform .primary");
        await Assertions.Expect(tab.Page.Locator("#simulate .head")).ToHaveCountAsync(5);
        await Assertions.Expect(tab.Page.Locator(".sentence code")).ToHaveTextAsync("simulate --agents 5 --drop 0.2 --crash 0.025 --seed 11");
        Assert.NotEqual(0, await tab.Page.Locator("#simulate .arrow.lost").CountAsync());
        await tab.Page.Locator("#simulate").GetByLabel("To the beginning").ClickAsync();
        await Assertions.Expect(tab.Page.Locator("#simulate .say")).ToContainTextAsync("Before the first step");

        await tab.Page.ClickAsync("#another");
        await Assertions.Expect(tab.Page.Locator(".sentence code")).ToContainTextAsync("--seed 12");
        Assert.Empty(tab.Errors);
    }

    private async Task<Tab> OpenAsync(int width)
    {
        var tab = await chromium.OpenAsync(Cluster.Addresses[0], width, 844);
        await tab.Page.ClickAsync("#tab-simulate");
        return tab;
    }

    private static async Task<IReadOnlyList<string>> DecisionsAsync(Tab tab, string rule) =>
        await tab.Page.Locator($"[data-rule={rule}] .head .chip").AllInnerTextsAsync();
}
