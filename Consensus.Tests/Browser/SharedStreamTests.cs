using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>Several tabs of one browser on one agent, which gives all of them six connections together.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class SharedStreamTests(Chromium chromium) : ThreeAgents
{
    // Headless Chromium calls every tab visible, so tests say which one is.
    private const string Visibility = """
        window.shown = true;
        Object.defineProperty(document, 'hidden', { get: () => !window.shown });
        window.show = (shown) => { window.shown = shown; document.dispatchEvent(new Event('visibilitychange')); };
        const Source = window.EventSource;
        window.streams = 0;
        window.EventSource = class extends Source {
          constructor(address) { super(address); window.streams++; }
          close() { if (this.readyState !== 2) window.streams--; super.close(); }
        };
        """;

    private const string WithoutLocks = "Object.defineProperty(navigator, 'locks', { value: undefined });";

    [SkippableFact]
    public async Task Seven_tabs_share_one_stream_and_each_still_runs_and_follows()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0], script: Visibility);
        var pages = await OpenAsync(tab, 7);
        Assert.Equal(1, await StreamsAsync(pages));
        for (var i = 0; i < pages.Count; i++)
        {
            await pages[i].ClickAsync("#run");
            foreach (var page in pages)
            {
                await Assertions.Expect(page.Locator("#history .runs li")).ToHaveCountAsync(i + 1);
            }
        }
    }

    [SkippableFact]
    public async Task Where_the_tab_that_reads_is_closed_another_one_reads()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0], script: Visibility);
        var pages = await OpenAsync(tab, 3);
        for (var left = 2; left > 0; left--)
        {
            var reading = await Task.WhenAll(pages.Select(page => page.EvaluateAsync<int>("window.streams")));
            var reader = pages[Array.IndexOf(reading, 1)];
            pages.Remove(reader);
            await reader.CloseAsync();
            await EventuallyAsync(async () => await StreamsAsync(pages) == 1);
        }
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hidden_tab_reads_no_stream_and_catches_up_when_it_is_shown(bool withoutLocks)
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0], script: Visibility + (withoutLocks ? WithoutLocks : ""));
        await EventuallyAsync(async () => await StreamsAsync([tab.Page]) == 1);
        await tab.Page.EvaluateAsync("show(false)");
        Assert.Equal(0, await StreamsAsync([tab.Page]));
        await Clients[0].Post("/run?wait=30");
        Assert.Equal(0, await tab.Page.Locator("#diagram .verdict.good").CountAsync());
        await tab.Page.EvaluateAsync("show(true)");
        await tab.VerdictAsync("good");
        await EventuallyAsync(async () => await StreamsAsync([tab.Page]) == 1);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_run_whose_start_the_page_reported_as_failed_is_not_started_later()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0], script: Visibility);

        // Long polls of the page itself hold all connections, so the request for a run waits in the browser.
        await tab.Page.EvaluateAsync("""
            () => {
              window.waiting = new AbortController();
              const options = { cache: 'no-store', signal: window.waiting.signal };
              for (let i = 0; i < 6; i++) fetch(`/consensus?wait=${60 - i}`, options).catch(() => {});
            }
            """);
        await tab.Page.ClickAsync("#run");
        await Assertions.Expect(tab.Page.Locator("#notice")).ToHaveTextAsync("The agent does not respond.");
        await tab.Page.EvaluateAsync("window.waiting.abort()");

        // What was asked for after the connections are free again is answered, so what waited before it would have been sent.
        await tab.Page.EvaluateAsync("fetch('/state', { cache: 'no-store' }).then((answer) => answer.status)");
        Assert.Empty((await Clients[0].Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray());
    }

    [SkippableFact]
    public async Task A_prerendered_page_starts_its_run_and_its_stream_when_a_person_sees_it()
    {
        // As Chromium prerenders: the page loads unseen, and an event marks the moment when a person sees it.
        const string Prerendering = Visibility + """
            window.prerendering = location.pathname === '/run';
            window.loaded = new Promise((done) => addEventListener('load', () => setTimeout(done)));
            Object.defineProperty(document, 'prerendering', { get: () => window.prerendering });
            """;
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0], script: Prerendering);

        // The page that was opened first may still read the timeline while the next one loads.
        await tab.Page.GotoAsync("about:blank");
        List<string> calls = [];
        tab.Page.Request += (_, request) => calls.Add(new Uri(request.Url).AbsolutePath);
        await tab.Page.GotoAsync(new Uri(Cluster.Addresses[0], "/run").ToString());
        await tab.Page.EvaluateAsync("window.loaded");
        Assert.Contains(calls, call => call.StartsWith("/js/app.", StringComparison.Ordinal));
        Assert.DoesNotContain(calls, call => call is "/events" or "/cluster" or "/timeline");
        Assert.Single(calls, call => call == "/run");
        Assert.Empty((await Clients[0].Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray());

        await tab.Page.EvaluateAsync("window.prerendering = false; document.dispatchEvent(new Event('prerenderingchange'))");
        await tab.VerdictAsync("good");
        Assert.Single((await Clients[0].Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray());
    }

    [SkippableFact]
    public async Task A_tab_in_the_background_starts_its_run_when_it_is_shown()
    {
        await using var tab = await chromium.OpenAsync(
            Cluster.Addresses[0], script: Visibility + "window.shown = location.pathname !== '/run';");
        await tab.Page.GotoAsync(new Uri(Cluster.Addresses[0], "/run").ToString());
        await tab.Page.WaitForSelectorAsync("body[data-ready=true]");
        Assert.Empty((await Clients[0].Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray());
        await tab.Page.EvaluateAsync("show(true)");
        await tab.VerdictAsync("good");
    }

    private async Task<List<IPage>> OpenAsync(Tab first, int count)
    {
        List<IPage> pages = [first.Page];
        while (pages.Count < count)
        {
            var page = await first.Page.Context.NewPageAsync();
            pages.Add(page);
            await page.GotoAsync(Cluster.Addresses[0].ToString());
            await page.WaitForSelectorAsync("body[data-ready=true]");
        }

        return pages;
    }

    private static async Task<int> StreamsAsync(IEnumerable<IPage> pages) =>
        (await Task.WhenAll(pages.Select(page => page.EvaluateAsync<int>("window.streams")))).Sum();

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(30); !await holds();)
        {
            Assert.True(DateTime.UtcNow < deadline, "It did not happen in 30 s.");
        }
    }
}
