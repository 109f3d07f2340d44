using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The hints of the page: each shows an entry of docs/glossary.md.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class HintTests(Chromium chromium) : ThreeAgents(Breakable)
{
    private const string Open = "#hint:popover-open";

    [SkippableFact]
    public async Task Every_hint_shows_the_entries_of_its_terms_on_keyboard_focus_and_the_page_reads_the_glossary_once()
    {
        await using var tab = await OpenAsync();
        var reads = 0;
        tab.Page.Request += (_, request) => reads += new Uri(request.Url).AbsolutePath == "/glossary.md" ? 1 : 0;
        await tab.Page.ReloadAsync();
        await tab.IsAsync("agent3", "learner");
        await tab.Page.Locator("#faults summary").First.ClickAsync();
        await tab.Page.Locator("summary", new() { HasText = "Options" }).ClickAsync();
        var live = await CheckHintsAsync(tab);
        Assert.Empty(new[]
        {
            "ratified rule", "classic rule", "plurality draw", "window", "seed", "attempt", "known messages", "floor",
            "vote", "learner", "stall", "isolate", "drop", "delay",
        }.Except(live));

        await tab.Page.ClickAsync("#tab-simulate");
        await Assertions.Expect(tab.Page.Locator("#simulate .head")).ToHaveCountAsync(3);
        var simulated = await CheckHintsAsync(tab);
        Assert.Empty(new[] { "latency", "duplicate", "crash", "partition", "pause", "reset", "counterexample" }.Except(simulated));
        Assert.Equal(1, reads);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task The_legend_shows_a_sample_and_the_entries_of_every_arrow_and_mark()
    {
        await using var tab = await OpenAsync();
        await tab.Page.GetByLabel("Legend", new() { Exact = true }).FocusAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        var rows = tab.Page.Locator("#legend dl > div");
        await Assertions.Expect(rows.First).ToBeVisibleAsync();
        var count = await rows.CountAsync();
        Assert.True(count > 15);
        for (var i = 0; i < count; i++)
        {
            await Assertions.Expect(rows.Nth(i).Locator(".sample g path, .sample g rect, .sample g circle").First).ToBeAttachedAsync();
            var terms = (await rows.Nth(i).Locator("dd").GetAttributeAsync("data-entries"))!.Split(", ");
            Assert.Equal(terms.Select(Expected), await EntriesAsync(rows.Nth(i)));
        }

        await tab.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(tab.Page.Locator("#legend")).ToBeHiddenAsync();
    }

    [SkippableFact]
    public async Task A_pointer_opens_a_hint_and_escape_closes_the_hint_alone()
    {
        await using var tab = await OpenAsync();
        await tab.Page.Locator("summary", new() { HasText = "Options" }).ClickAsync();
        await tab.Page.Locator("#options [data-terms=window]").HoverAsync();
        await Assertions.Expect(tab.Page.Locator(Open)).ToContainTextAsync(Glossary.ByTerm["window"].Text);
        await Assertions.Expect(tab.Page.Locator("#options [data-terms=window]")).ToHaveAttributeAsync("aria-describedby", "hint");

        // The pointer can move onto the hint and select its text.
        await tab.Page.Locator("#hint").ClickAsync();
        await Assertions.Expect(tab.Page.Locator(Open)).ToHaveCountAsync(1);
        await tab.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(tab.Page.Locator(Open)).ToHaveCountAsync(0);
        await Assertions.Expect(tab.Page.Locator("#options")).ToBeVisibleAsync();

        await tab.Page.Locator("#options [data-terms=window]").HoverAsync();
        await Assertions.Expect(tab.Page.Locator(Open)).ToHaveCountAsync(1);
        await tab.Page.Locator("h1").HoverAsync();
        await Assertions.Expect(tab.Page.Locator(Open)).ToHaveCountAsync(0);
    }

    [SkippableFact]
    public async Task A_tap_opens_a_hint_within_a_narrow_window_and_a_tap_elsewhere_closes_it()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0], 390, 844, touch: true);
        await tab.Page.Locator("summary", new() { HasText = "Options" }).TapAsync();
        foreach (var hint in await tab.Page.Locator("#options .hint").AllAsync())
        {
            await hint.TapAsync();
            var term = (await hint.GetAttributeAsync("data-terms"))!.Split(", ")[0];
            await Assertions.Expect(tab.Page.Locator(Open)).ToContainTextAsync(Glossary.ByTerm[term].Text);
            var box = (await tab.Page.Locator("#hint").BoundingBoxAsync())!;
            Assert.InRange(box.X, 0, 390 - box.Width);
            await tab.Page.Locator("#hint").TapAsync();
            await Assertions.Expect(tab.Page.Locator(Open)).ToHaveCountAsync(0);
        }

        await tab.Page.Locator("#options .hint").First.TapAsync();
        await Assertions.Expect(tab.Page.Locator(Open)).ToHaveCountAsync(1);
        await tab.Page.Locator("h1").TapAsync();
        await Assertions.Expect(tab.Page.Locator(Open)).ToHaveCountAsync(0);
        Assert.Equal(390, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    [SkippableFact]
    public async Task Without_its_agent_the_page_still_shows_hints()
    {
        await using var tab = await OpenAsync();
        await tab.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await tab.Page.Context.SetOfflineAsync(true);
        await tab.Page.Locator("#agents [data-terms=attempt]").ClickAsync();
        await Assertions.Expect(tab.Page.Locator(Open)).ToContainTextAsync(Glossary.ByTerm["attempt"].Text);
    }

    /// <summary>Opens the page with a decided run, of which it sees a learner, a stalled agent and an isolated agent.</summary>
    private async Task<Tab> OpenAsync()
    {
        await Clients[0].Post("/run?wait=30", """{"seed":5,"values":3}""");
        await Clients[1].Put("/faults", """{"isolate":true}""");
        var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        await tab.IsAsync("agent2", "isolated");

        // A learner without a decision takes several restarts, and its row is all that matters here.
        await tab.Page.RouteAsync("**/cluster", async route =>
        {
            var response = await route.FetchAsync();
            var cluster = System.Text.Json.Nodes.JsonNode.Parse(await response.TextAsync())!;
            foreach (var state in cluster["agents"]!.AsArray()
                .Where(agent => agent!["agent_id"]?.GetValue<string>() == "agent3").Select(agent => agent!["state"]!))
            {
                (state["learner"], state["stalled"], state["consensus_value"]) = (true, "agent2 restarted: POST /run again", null);
            }

            await route.FulfillAsync(new() { Response = response, Body = cluster.ToJsonString() });
        });
        return tab;
    }

    /// <summary>Focuses every element with a hint that is visible, and compares the hint; returns the terms.</summary>
    private static async Task<IReadOnlyCollection<string>> CheckHintsAsync(Tab tab)
    {
        // From a key on, the browser shows the focus, as it does for a person with a keyboard.
        await tab.Page.Keyboard.PressAsync("Shift");
        List<string> all = [];
        foreach (var owner in await tab.Page.Locator("[data-terms]:visible").AllAsync())
        {
            var terms = (await owner.GetAttributeAsync("data-terms"))!.Split(", ");
            Assert.All(terms, term => Assert.Contains(term, Glossary.ByTerm.Keys));
            await owner.FocusAsync();
            await Assertions.Expect(owner).ToHaveAttributeAsync("aria-describedby", "hint");
            await Assertions.Expect(tab.Page.Locator(Open)).ToHaveCountAsync(1);
            Assert.Equal(terms.Select(Expected), await EntriesAsync(tab.Page.Locator("#hint")));
            all.AddRange(terms);
        }

        return all;
    }

    private static string Expected(string term) => $"{string.Join(", ", Glossary.ByTerm[term].Terms)}: {Glossary.ByTerm[term].Text}";

    private static async Task<string[]> EntriesAsync(ILocator entries) => await entries.EvaluateAsync<string[]>(
        "element => [...element.querySelectorAll('p')].map(entry => `${entry.querySelector('strong').textContent}: "
            + "${entry.querySelector('span').textContent}`)");
}
