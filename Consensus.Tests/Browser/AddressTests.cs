using System.Text.RegularExpressions;
using Consensus.Tests.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The address of the page names what is shown, also for pages and slides that frame it.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class AddressTests(Chromium chromium) : ThreeAgents
{
    [SkippableFact]
    public async Task The_address_names_the_step_of_a_run_and_a_link_shows_the_run_at_this_step()
    {
        var (_, first) = await Clients[0].Post("/run?wait=30");
        await using var tab = await OpenAsync("/");
        await tab.VerdictAsync("good");
        await tab.Page.Locator("#live").GetByLabel("To the beginning").ClickAsync();
        await tab.Page.Locator("#live").GetByLabel("One step forward").ClickAsync();
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("/\\?run=[^&]+&step=1$"));
        var text = await tab.Page.Locator("#live .step-text").InnerTextAsync();
        Assert.StartsWith("1/", text, StringComparison.Ordinal);

        // The messages that follow a decision add steps to the run.
        var step = new Regex($"^1/[0-9]+{Regex.Escape(text[text.IndexOf(' ', StringComparison.Ordinal)..])}$");

        // The link names the run, so it shows no later one.
        await Clients[0].Post("/run?wait=30");
        await using var other = await OpenAsync(new Uri(tab.Page.Url).PathAndQuery);
        await Assertions.Expect(other.Page.Locator("#live .step-text")).ToHaveTextAsync(step);
        await Assertions.Expect(other.Page.Locator($"#history [data-run='{first.GetProperty("run").GetString()}']"))
            .ToHaveAttributeAsync("aria-current", "true");
        await other.Page.Locator("#live").GetByLabel("To the end").ClickAsync();
        await Assertions.Expect(other.Page).ToHaveURLAsync(new Regex("/\\?run=[^&]+$"));
        Assert.Empty(other.Errors);
    }

    [SkippableFact]
    public async Task A_step_of_a_run_opens_in_the_explorer_with_its_messages_in_flight()
    {
        await Clients[0].Post("/run?wait=30");
        await using var tab = await OpenAsync("/");
        await tab.VerdictAsync("good");
        var live = tab.Page.Locator("#live");
        await live.GetByLabel("To the beginning").ClickAsync();
        await Assertions.Expect(live.Locator(".explore-from")).ToBeHiddenAsync();
        await live.GetByLabel("One step forward").ClickAsync();
        await live.Locator(".explore-from").ClickAsync();
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("/explore\\?run=[^&]+&at=[0-9.]+$"));
        var explore = tab.Page.Locator("#explore");
        await Assertions.Expect(explore.Locator(".explored-run")).ToContainTextAsync("From run ");
        await Assertions.Expect(explore.Locator("[name=rule]")).ToBeHiddenAsync();

        // Whether the run began with a handshake or not, its first message can be lost.
        await explore.Locator("[data-token]").First.PressAsync("Delete");
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("&at=[0-9.]+&path=x[0-9]+$"));

        // A new exploration has options again.
        await explore.GetByText("Start over").ClickAsync();
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("/explore$"));
        await Assertions.Expect(explore.Locator("[name=rule]")).ToBeVisibleAsync();
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task The_address_names_a_simulated_run_with_its_step_and_another_address_in_the_same_tab_shows_another_run()
    {
        await using var tab = await OpenAsync("/#simulate?seed=5&drop=0.1&step=2");
        var step = tab.Page.Locator("#simulate .step-text");
        await Assertions.Expect(step).ToHaveTextAsync(new Regex("^2/"));
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("#simulate\\?.*seed=5.*&step=2$"));
        await tab.Page.Locator("#simulate").GetByLabel("One step forward").ClickAsync();
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("&step=3$"));
        await tab.Page.EvaluateAsync("location.hash = '#simulate?seed=6'");
        await Assertions.Expect(tab.Page.Locator("#simulate .sentence code")).ToHaveTextAsync("simulate --seed 6");

        // The tabs keep what each of them shows.
        await tab.Page.ClickAsync("#tab-live");
        await tab.Page.ClickAsync("#tab-simulate");
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("#simulate\\?.*seed=6"));
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task Back_leaves_every_address_a_step_is_an_entry_and_tabs_keep_what_they_show()
    {
        await using var tab = await OpenAsync("/");
        var (page, entries) = (tab.Page, 0);
        foreach (var (address, canonical) in new[]
        {
            ("explore?utm_source=x", "explore"),
            ("explore?agents=4&rule=classic", "explore?rule=classic&agents=4"), ("explore?path=", "explore"),
            ("learn?part=2&lesson=3&present", "learn?lesson=3&part=2&present"),
            ("?utm_source=x#simulate", "#simulate?"), ("?utm_source=x", ""),
        })
        {
            await page.GotoAsync(new Uri(Cluster.Addresses[0], address).ToString());
            var shown = Regex.Escape(new Uri(Cluster.Addresses[0], canonical).ToString());
            await Assertions.Expect(page).ToHaveURLAsync(new Regex($"^{shown}(?!.*utm_)"));
            Assert.Equal(++entries + 2, await page.EvaluateAsync<int>("history.length"));
        }

        await page.GotoAsync(new Uri(Cluster.Addresses[0], "learn").ToString());
        await page.ClickAsync("#lesson-next");
        await tab.AddressEndsAsync("/learn?lesson=1&part=2");
        await page.ClickAsync("#tab-explore");
        await page.ClickAsync("[data-step='s1.2']");
        await tab.AddressEndsAsync("/explore?path=s1.2");
        await page.ClickAsync("#tab-learn");
        await tab.AddressEndsAsync("/learn?lesson=1&part=2");
        await page.ClickAsync("#tab-explore");
        await tab.AddressEndsAsync("/explore?path=s1.2");
        await page.GoBackAsync();
        await page.GoBackAsync();
        await page.GoBackAsync();
        await tab.AddressEndsAsync("/explore");
        await Assertions.Expect(page.Locator("[data-step='s1.2']").First).ToBeVisibleAsync();
        Assert.Empty(tab.Errors);
    }

    [SkippableTheory]
    [InlineData("/#simulate?mutant=nonsense", "mutant must be one of ")]
    [InlineData("/#simulate?counterexample=nonsense", "mutant must be one of ")]
    [InlineData("/#simulate?rule=nonsense", "rule must be ")]
    [InlineData("/explore?spread=nonsense", "spread must be ")]
    [InlineData("/explore?path=nonsense", "Step 1 of the path")]
    public async Task An_address_that_names_something_unknown_says_so(string address, string notice)
    {
        await using var tab = await OpenAsync(address);
        await Assertions.Expect(tab.Page.Locator("#notice")).ToContainTextAsync(notice);
    }

    [SkippableFact]
    public async Task A_browser_gets_a_page_for_an_unknown_address_and_a_program_gets_a_problem()
    {
        await using var tab = await OpenAsync("/");
        foreach (var address in new[] { "/nonsense", "/nonsense/deeper" })
        {
            Assert.Equal(404, (await tab.Page.GotoAsync(new Uri(Cluster.Addresses[0], address).ToString()))!.Status);
            await Assertions.Expect(tab.Page.Locator("h1")).ToHaveTextAsync("There is no such page");
            Assert.Empty(await tab.ViolationsAsync());
        }

        await tab.Page.ClickAsync("text=Learn");
        await tab.AddressEndsAsync("/learn?lesson=1&part=1");
        await tab.Page.GotoAsync(new Uri(Cluster.Addresses[0], "/?run=9.agent1.unknown").ToString());
        await Assertions.Expect(tab.Page.Locator("#missing-text")).ToContainTextAsync("No agent remembers this run");
        await Assertions.Expect(tab.Page.Locator("#live .verdict:visible")).ToHaveCountAsync(0);
        await tab.Page.ClickAsync("#show-newest");
        await Assertions.Expect(tab.Page.Locator("#front h2")).ToBeVisibleAsync();
        await Assertions.Expect(tab.Page.Locator("#front .verdict")).ToContainTextAsync("agreed on 3 after 2 rounds");
        await tab.IsAsync("agent1", "waiting");
        Assert.EndsWith("/", tab.Page.Url, StringComparison.Ordinal);
        Assert.StartsWith(
            "There is no such path", (await Clients[0].Get("/nonsense")).Body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_first_picture_needs_few_requests_and_few_bytes()
    {
        await Clients[0].Post("/run?wait=30");
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[0] };
        Assert.Contains("<p class=\"words\">This time all three agents draw different values",
            await http.GetStringAsync(new Uri("/learn?lesson=2", UriKind.Relative)), StringComparison.Ordinal);
        foreach (var (address, drawn) in new[]
        {
            ("/", "#diagram .mark"), ("/learn?lesson=1&part=2", "#learn .mark"),
            ("/explore?path=s1.2", "#explore .mark"), ("/#simulate", "#simulate .mark"),
        })
        {
            await using var first = await OpenAsync(address);
            await first.Page.WaitForSelectorAsync(drawn);
            var loaded = await first.Page.EvaluateAsync<double[]>("""
                () => {
                  const loads = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
                  // What the page reads again while a run goes on is no part of the first picture.
                  const sizes = new Map(loads.map(({ name, transferSize }) => [name, transferSize]));
                  const names = [...sizes.keys()];
                  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
                  return [names.length, bytes, names.filter((name) => name.includes('openapi')).length];
                }
                """);
            Assert.InRange(loaded[0], 2, 12);
            Assert.InRange(loaded[1], 20_000, 100_000);
            Assert.Equal(0, loaded[2]);
        }
    }

    [SkippableFact]
    public async Task The_address_names_a_counterexample_and_the_step_that_both_of_its_runs_show()
    {
        await using var tab = await OpenAsync("/#simulate");
        await tab.Page.SelectOptionAsync("#simulate [name=mutant]", "short-proposal-quorum");
        await tab.Page.ClickAsync("#counterexample");
        await Assertions.Expect(tab.Page.Locator("[data-rule=broken] .verdict.bad")).ToContainTextAsync("Agreement is violated");
        await tab.Page.Locator("#simulate").GetByLabel("To the beginning").ClickAsync();
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("#simulate\\?counterexample=short-proposal-quorum&step=0$"));
        await using var other = await OpenAsync(new Uri(tab.Page.Url).PathAndQuery + new Uri(tab.Page.Url).Fragment);
        await Assertions.Expect(other.Page.Locator("#simulate .step-text")).ToContainTextAsync("Before the first step");
        await Assertions.Expect(other.Page.Locator("[data-rule=broken] .verdict")).ToHaveTextAsync("At this step no agent has decided.");
        await Assertions.Expect(other.Page.Locator("#simulate .broken-rule")).ToContainTextAsync("one proposal less than a quorum");
        Assert.Empty(other.Errors);
    }

    [SkippableFact]
    public async Task A_page_of_another_site_frames_pictures_without_controls_and_nothing_else()
    {
        await Clients[0].Post("/run?wait=30");
        await using var tab = await OpenAsync("/");
        var agent = Cluster.Addresses[0];
        var frames = string.Concat(new[] { "?embed", "explore?embed&path=s1.2-d1.2-r1", "?embed#simulate?seed=5", "run?embed", "" }.Select(
            (path, i) => $"<iframe id='frame{i}' src='{agent}{path}' width='600' height='500'></iframe>"));

        // For a browser, localhost and 127.0.0.1 are two sites.
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var site = builder.Build();
        site.Urls.Add("http://127.0.0.1:0");
        site.MapGet("/", () => Results.Content(frames, "text/html"));
        await site.StartAsync();
        await tab.Page.GotoAsync(site.Urls.Single().Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        foreach (var (frame, view) in new[] { (0, "#live"), (1, "#explore"), (2, "#simulate") })
        {
            var page = tab.Page.FrameLocator($"#frame{frame}");
            await Assertions.Expect(page.Locator($"{view} .picture .mark").First).ToBeVisibleAsync();
            Assert.Equal(0, await page.Locator("#run:visible, .bar:visible, form:visible, .side:visible, .tools:visible").CountAsync());
        }

        foreach (var refused in new[] { 3, 4 })
        {
            Assert.Equal(0, await tab.Page.FrameLocator($"#frame{refused}").Locator("main").CountAsync());
        }

        Assert.Single((await Clients[0].Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray());
    }

    private Task<Tab> OpenAsync(string address) => chromium.OpenAsync(new Uri(Cluster.Addresses[0], address), 1280, 844);
}
