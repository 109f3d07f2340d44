using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The form that starts a run, and what the page says of the answer.</summary>
[Collection(Chromium.Collection)]
[Trait(Category.Name, Category.System)]
public sealed class RunFormTests(Chromium chromium) : ThreeAgents
{
    [SkippableFact]
    public async Task The_page_names_the_fields_that_the_agent_ignored()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);

        // A newer page at an older agent sends such a field; this page knows none.
        await tab.Page.EvaluateAsync("""
            () => document.querySelector('form').append(Object.assign(document.createElement('input'), { type: 'hidden', name: 'vaules', value: '9' }))
            """);
        await tab.Page.ClickAsync("#run");
        await Assertions.Expect(tab.Page.Locator("#notice")).ToContainTextAsync("The agent ignored vaules.");
    }
}
