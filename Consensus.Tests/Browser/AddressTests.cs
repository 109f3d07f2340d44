using System.Text.RegularExpressions;
using Consensus.Tests.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The address of the page names what is shown, also for pages and slides that frame it.</summary>
[Collection(Chromium.Collection)]
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
        await tab.Page.WaitForURLAsync(new Regex("/\\?run=[^&]+&step=1$"));
        var text = await tab.Page.Locator("#live .step-text").InnerTextAsync();
        Assert.StartsWith("1/", text, StringComparison.Ordinal);

        // The link names the run, so it shows no later one.
        await Clients[0].Post("/run?wait=30");
        await using var other = await OpenAsync(new Uri(tab.Page.Url).PathAndQuery);
        await Assertions.Expect(other.Page.Locator("#live .step-text")).ToHaveTextAsync(text);
        await Assertions.Expect(other.Page.Locator($"#history [data-run='{first.GetProperty("run").GetString()}']")).ToHaveAttributeAsync("aria-current", "true");
        await other.Page.Locator("#live").GetByLabel("To the end").ClickAsync();
        await other.Page.WaitForURLAsync(new Regex("/\\?run=[^&]+$"));
        Assert.Empty(other.Errors);
    }

    [SkippableFact]
    public async Task The_address_names_a_simulated_run_with_its_step_and_another_address_in_the_same_tab_shows_another_run()
    {
        await using var tab = await OpenAsync("/#simulate?seed=5&drop=0.1&step=2");
        var step = tab.Page.Locator("#simulate .step-text");
        await Assertions.Expect(step).ToHaveTextAsync(new Regex("^2/"));
        await tab.Page.WaitForURLAsync(new Regex("#simulate\\?.*seed=5.*&step=2$"));
        await tab.Page.Locator("#simulate").GetByLabel("One step forward").ClickAsync();
        await tab.Page.WaitForURLAsync(new Regex("&step=3$"));
        await tab.Page.EvaluateAsync("location.hash = '#simulate?seed=6'");
        await Assertions.Expect(tab.Page.Locator("#simulate .sentence code")).ToHaveTextAsync("simulate --seed 6");

        // The tabs keep what each of them shows.
        await tab.Page.ClickAsync("#tab-live");
        await tab.Page.ClickAsync("#tab-simulate");
        await tab.Page.WaitForURLAsync(new Regex("#simulate\\?.*seed=6"));
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task The_address_of_a_simulated_run_waits_for_a_slow_agent()
    {
        const string Slow = "const fetchNow = window.fetch; window.fetch = (path, options) => path === '/openapi/v1.json' ? new Promise(done => setTimeout(() => done(fetchNow(path, options)), 1500)) : fetchNow(path, options);";
        await Clients[0].Post("/run?wait=30");
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/#simulate?seed=5"), script: Slow);
        await Assertions.Expect(tab.Page.Locator("#simulate .sentence code")).ToHaveTextAsync("simulate --seed 5");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task The_address_names_a_counterexample_and_the_step_of_each_of_its_runs()
    {
        await using var tab = await OpenAsync("/#simulate");
        await tab.Page.SelectOptionAsync("#simulate [name=mutant]", "short-proposal-quorum");
        await tab.Page.ClickAsync("#counterexample");
        await tab.Page.Locator("[data-rule=broken]").GetByLabel("To the beginning").ClickAsync();
        await tab.Page.WaitForURLAsync(new Regex("#simulate\\?counterexample=short-proposal-quorum&step=0&step=$"));
        await using var other = await OpenAsync(new Uri(tab.Page.Url).PathAndQuery + new Uri(tab.Page.Url).Fragment);
        await Assertions.Expect(other.Page.Locator("[data-rule=broken] .verdict.bad")).ToContainTextAsync("Agreement is violated");
        await Assertions.Expect(other.Page.Locator("[data-rule=broken] .step-text")).ToContainTextAsync("Before the first step");
        await Assertions.Expect(other.Page.Locator("#simulate .broken-rule")).ToContainTextAsync("one proposal less than a quorum");
        Assert.Empty(other.Errors);
    }

    [SkippableFact]
    public async Task A_page_of_another_site_frames_pictures_without_controls_and_nothing_else()
    {
        await Clients[0].Post("/run?wait=30");
        await using var tab = await OpenAsync("/");
        var agent = Cluster.Addresses[0];
        var frames = string.Concat(new[] { "?embed", "explore?embed&path=s1.2-d1.2-r1", "?embed#simulate?seed=5", "run?embed", "" }.Select((path, i) => $"<iframe id='frame{i}' src='{agent}{path}' width='600' height='500'></iframe>"));

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
            await Assertions.Expect(page.Locator($"{view} .picture .mark").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
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
