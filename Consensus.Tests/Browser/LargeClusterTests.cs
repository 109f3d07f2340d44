using Consensus.Tests.Api;
using Consensus.Tests.Cluster;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The page with nine agents and large values.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class LargeClusterTests(Chromium chromium)
{
    private const string LargeValues = """{"values":1000000000,"draw":"plurality","seed":3}""";

    [SkippableTheory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task Lane_heads_do_not_overlap_and_no_value_is_clipped(int width)
    {
        await using var cluster = await TestCluster.StartAsync(9, ThreeAgents.Patient);
        using var client = new ApiClient(cluster.Addresses[0]);
        var (_, run) = await client.Post("/run?wait=60", LargeValues);
        await using var tab = await chromium.OpenAsync(cluster.Addresses[0], width, 844);
        await tab.VerdictAsync("good");
        Assert.Equal(0, await tab.Page.EvaluateAsync<int>("""
            [...document.querySelectorAll('#diagram .head')].map((head) => [...head.children].map((part) => part.getBoundingClientRect()))
              .flatMap((parts) => [{
                left: Math.min(...parts.map((part) => part.left)), right: Math.max(...parts.map((part) => part.right)) }])
              .filter((head, index, heads) => index > 0 && head.left < heads[index - 1].right).length
            """));
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        var decided = run.GetProperty("outcome").GetProperty("value").GetRawText();
        Assert.True(decided.Length > 6);
        var shown = await tab.Page.Locator("#diagram .mark .value").AllTextContentsAsync();
        Assert.Contains(decided, shown);
        Assert.DoesNotContain(shown, text => text.Contains('…', StringComparison.Ordinal));

        // No text of the diagram is smaller than 13 px.
        Assert.Empty(await tab.Page.EvaluateAsync<string[]>("""
            [...document.querySelectorAll('#diagram .scroll *')].filter((element) => parseFloat(getComputedStyle(element).fontSize) < 13)
              .filter((element) => [...element.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
              .map((element) => element.textContent)
            """));

        // On paper, the whole run is one picture that is as wide as the paper at most.
        await tab.Page.EvaluateAsync("dispatchEvent(new Event('beforeprint'))");
        await tab.Page.EmulateMediaAsync(new() { Media = Media.Print });
        var (_, timeline) = await client.Get("/timeline?cluster=true");
        Assert.InRange(await tab.Page.Locator(".printed .arrow").CountAsync(),
            timeline.GetProperty("messages").GetArrayLength(), int.MaxValue);
        Assert.Equal(9, await tab.Page.Locator(".printed text", new() { HasTextRegex = new("^agent[1-9]$") }).CountAsync());
        Assert.Equal(9, await tab.Page.Locator(".printed text", new() { HasTextRegex = new($"^= {decided}$") }).CountAsync());
        Assert.Equal(0, await tab.Page.EvaluateAsync<int>("""
            [...document.querySelectorAll('.printed > svg > text')].map((text) => text.getBoundingClientRect())
              .filter((head, index, heads) =>
                heads.slice(0, index).some((other) => other.top === head.top && head.left < other.right)).length
            """));
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Equal(0, await tab.Page.Locator(".diagram:visible").CountAsync());
        await tab.Page.EvaluateAsync("dispatchEvent(new Event('afterprint'))");
        await tab.Page.EmulateMediaAsync(new() { Media = Media.Screen });

        // Each value lies within the shape that is drawn around it.
        Assert.Equal(0, await tab.Page.EvaluateAsync<int>("""
            [...document.querySelectorAll('#diagram .mark:has(.value)')].filter((mark) => {
              const [shape, text] = [mark.firstChild, mark.querySelector('.value')].map((part) => part.getBoundingClientRect());
              return text.left < shape.left - 1 || text.right > shape.right + 1;
            }).length
            """));
    }

    [SkippableFact]
    public async Task A_step_changes_nothing_of_the_picture_and_one_row_of_the_table()
    {
        await using var cluster = await TestCluster.StartAsync(9, ThreeAgents.Patient);
        using var client = new ApiClient(cluster.Addresses[0]);
        await client.Post("/run?wait=60", LargeValues);
        await using var tab = await chromium.OpenAsync(cluster.Addresses[0]);
        await tab.VerdictAsync("good");
        await tab.Page.GetByLabel("To the beginning").ClickAsync();
        await tab.Page.GetByLabel("One step forward").ClickAsync();
        var changed = await tab.Page.EvaluateAsync<int[]>("""
            async () => {
              const frame = () => new Promise(requestAnimationFrame);
              const counts = [0, 0];
              const watch = (selector, index) => new MutationObserver((records) => {
                counts[index] += index ? records.reduce((sum, record) => sum + record.addedNodes.length, 0) : records.length;
              }).observe(document.querySelector(selector), { subtree: true, childList: true, attributes: true });
              await frame();
              watch('#diagram .picture', 0);
              watch('#agents tbody', 1);
              document.querySelector('[aria-label="One step forward"]').click();
              await frame();
              await frame();
              return counts;
            }
            """);
        Assert.Equal(0, changed[0]);
        Assert.InRange(changed[1], 0, 1 + 8);
    }
}
