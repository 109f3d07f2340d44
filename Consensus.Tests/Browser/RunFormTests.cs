using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The form that starts a run, and what the page says of the answer.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class RunFormTests(Chromium chromium) : ThreeAgents
{
    [SkippableFact]
    public async Task The_page_names_the_fields_that_the_agent_ignored()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);

        // A newer page at an older agent sends such a field; this page knows none.
        await tab.Page.EvaluateAsync("""
            () => document.querySelector('form').append(
              Object.assign(document.createElement('input'), { type: 'hidden', name: 'vaules', value: '9' }))
            """);
        await tab.Page.ClickAsync("#run");
        await Assertions.Expect(tab.Page.Locator("#notice")).ToContainTextAsync("The agent ignored vaules.");
    }

    [SkippableTheory]
    [InlineData(390)]
    [InlineData(1280)]
    public async Task Nothing_sticks_out_sideways_and_every_control_has_a_name(int width)
    {
        await Clients[0].Post("/run?wait=30");
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0], width, 844);
        await tab.VerdictAsync("good");
        await tab.Page.Locator("summary", new() { HasText = "Options" }).ClickAsync();
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Equal(0, await tab.Page.EvaluateAsync<int>("""
            [...document.querySelectorAll('button, input, select, [tabindex="0"]')].filter(e => e.checkVisibility())
              .filter(e => !(e.getAttribute('aria-label') || document.getElementById(e.getAttribute('aria-labelledby'))?.innerText
                || e.innerText?.trim() || e.labels?.length)).length
            """));
        await tab.Page.Keyboard.PressAsync("Escape");
        await tab.Page.FocusAsync("#run");
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(tab.Page.Locator("#history .runs li")).ToHaveCountAsync(2);
        Assert.Empty(tab.Errors);
    }
}
