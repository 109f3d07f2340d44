using System.Text.RegularExpressions;
using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>Why something happened, on the page.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class WhyTests(Chromium chromium) : ThreeAgents
{
    [SkippableTheory]
    [InlineData("/#simulate?seed=3", "#simulate", 1280)]
    [InlineData("/#simulate?seed=3", "#simulate", 390)]
    [InlineData("/explore?path=s1.1-d1.2-d2.1", "#explore", 1280)]
    public async Task A_click_on_an_event_shows_its_reason_and_its_causal_past(string address, string view, int width)
    {
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], address), width, 900);
        await tab.Page.WaitForSelectorAsync($"{view} .mark");
        var mark = tab.Page.Locator($"{view} .mark[data-kind={(view == "#explore" ? "drew" : "decided")}]").First;
        await mark.Locator(".value").ClickAsync();
        var why = tab.Page.Locator($"{view} .why p");
        await Assertions.Expect(why).ToHaveAttributeAsync("role", "status");
        await Assertions.Expect(why).ToContainTextAsync(view == "#explore" ? "the request for a run" : "are a majority");
        await Assertions.Expect(tab.Page.Locator($"{view} .mark.highlighted")).Not.ToHaveCountAsync(0);
        await Assertions.Expect(tab.Page.Locator($"{view} .dimmed")).Not.ToHaveCountAsync(0);
        Assert.Equal(view != "#explore", await tab.Page.Locator($"{view} .mark.quorum").CountAsync() >= 2);
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await tab.Page.Locator($"{view} .scroll").PressAsync("Escape");
        await Assertions.Expect(why).ToBeHiddenAsync();
        await Assertions.Expect(tab.Page.Locator($"{view} .dimmed")).ToHaveCountAsync(0);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task Enter_and_a_button_explain_the_step_of_the_slider_in_a_live_run()
    {
        await Clients[0].Post("/run?wait=30", "{\"seed\":1}");
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/"), 1280, 900);
        await tab.VerdictAsync("good");
        await tab.Page.GetByLabel("Step of the run").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Home");
        var button = tab.Page.Locator("#diagram .why-step");
        for (var steps = 0; steps < 9 && await button.IsHiddenAsync(); steps++)
        {
            await tab.Page.Keyboard.PressAsync("ArrowRight");
        }

        await tab.Page.Locator("#diagram .scroll").PressAsync("Enter");
        var why = tab.Page.Locator("#diagram .why p");
        await Assertions.Expect(why).ToContainTextAsync(new Regex("agent1 draws . for round 1, attempt 1: it (starts|enters) run .* by "));
        await tab.Page.Locator("#diagram").GetByLabel("Close the explanation").ClickAsync();
        await Assertions.Expect(why).ToBeHiddenAsync();
        await button.ClickAsync();
        await Assertions.Expect(why).ToContainTextAsync(new Regex("agent1 draws . for round 1, attempt 1: it (starts|enters) run .* by "));
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_step_after_which_an_agent_reports_a_stall_is_explained()
    {
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/explore?path=s1.1-c1-u1-c2-u2-d1-d5-r5"), 1280, 900);
        await tab.Page.Locator("#explore .why-step").ClickAsync();
        await Assertions.Expect(tab.Page.Locator("#explore .why p")).ToContainTextAsync("as stalled: ");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task The_guilty_step_of_a_broken_rule_is_marked_and_both_majorities_of_a_disagreement_are_ringed()
    {
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/#simulate?counterexample=no-adoption"), 1280, 900);
        await tab.Page.Locator("[data-rule=broken] .mark[data-kind=drew] .value").Last.ClickAsync();
        await Assertions.Expect(tab.Page.Locator("[data-rule=broken] .why p"))
            .ToContainTextAsync("by the sound rule, on the same messages, it adopts");
        await Assertions.Expect(tab.Page.Locator("[data-rule=broken] .mark.guilty")).Not.ToHaveCountAsync(0);
        await tab.Page.SelectOptionAsync("select[name=mutant]", "");
        await tab.Page.ClickAsync("#counterexample");
        await tab.Page.Locator("[data-rule=classic] .mark[data-kind=decided] .value").Last.ClickAsync();
        await Assertions.Expect(tab.Page.Locator("[data-rule=classic] .why p")).ToContainTextAsync("both quorums share");
        await Assertions.Expect(tab.Page.Locator("[data-rule=classic] .mark.quorum")).ToHaveCountAsync(4);
        await Assertions.Expect(tab.Page.Locator("[data-rule=classic] .mark.shared")).ToHaveCountAsync(2);

        // The sentences lie over the lower end of the picture, which keeps its width.
        Assert.True(await tab.Page.EvaluateAsync<bool>("""
            (() => {
              const [scroll, why] = ['.scroll', '.why'].map((part) =>
                document.querySelector(`[data-rule=classic] ${part}`).getBoundingClientRect());
              return scroll.width === why.width && why.bottom <= scroll.bottom + 1;
            })()
            """));
        Assert.Empty(tab.Errors);
    }
}
