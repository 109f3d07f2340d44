using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The page in a real Chromium, against three real agents.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class PageTests(Chromium chromium) : ThreeAgents(Breakable)
{
    private const string Arrows = "#diagram .arrow:not(.response)";
    [SkippableFact]
    public async Task Run_shows_three_equal_decisions_and_an_arrow_for_every_message()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[1]);
        await tab.Page.ClickAsync("#run");
        await tab.VerdictAsync("good");
        var decisions = await tab.Page.Locator("#diagram .head .chip").AllInnerTextsAsync();
        Assert.Equal(3, decisions.Count);
        Assert.Single(decisions.Distinct());

        // A back-off may send one more decision between two other agents. The page shows it when it is next loaded.
        for (var loads = 1; !await tab.ShowsAsync(Arrows, await SettledAsync()); loads++)
        {
            Assert.InRange(loads, 1, 5);
            await tab.Page.ReloadAsync();
            await tab.VerdictAsync("good");
        }

        Assert.Empty(tab.Errors);
    }

    [SkippableTheory]
    [InlineData("/run")]
    [InlineData("/run/")]
    [InlineData("/Run")]
    public async Task The_address_of_run_starts_one_run_and_a_reload_none(string address)
    {
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], address));
        await tab.VerdictAsync("good");
        await tab.Page.ReloadAsync();
        await tab.VerdictAsync("good");
        Assert.Single((await Clients[0].Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray());
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_run_is_drawn_while_it_happens()
    {
        // So that agent3 is known by its id.
        await Clients[0].Post("/run?wait=30");

        await Cluster.StopAsync(2);
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);

        // The classic rule lets every window run out, and so many values make none win: a slow run without end.
        await Clients[0].Post("/run", """{"rule":"classic","values":1000000,"window_ms":500}""");
        await tab.VerdictAsync("open");
        var before = await tab.Page.Locator(Arrows).CountAsync();
        await tab.Page.WaitForFunctionAsync($"before => document.querySelectorAll('{Arrows}').length > before + 4", before);
        await Assertions.Expect(tab.Page.Locator("#diagram .arrow.lost").First).ToBeAttachedAsync();
        await tab.IsAsync("agent3", "down");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task What_other_agents_do_by_themselves_is_drawn_without_an_event_of_the_agent_that_serves()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        await tab.Page.RouteAsync("**/events",
            route => route.FulfillAsync(new() { ContentType = "text/event-stream", Body = "retry: 3600000\nevent: hello\ndata: {}\n\n" }));
        await tab.Page.ReloadAsync();
        await Assertions.Expect(tab.Page.Locator("#connection")).ToHaveTextAsync("3 of 3 agents up, seen from agent1");

        // What it reads when it is opened, it has read.
        await tab.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await Clients[0].Post("/run?wait=30");
        await tab.VerdictAsync("good");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_reading_of_the_timeline_that_failed_is_tried_again()
    {
        await Clients[0].Post("/run?wait=30");
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        await tab.VerdictAsync("good");
        var failures = 0;
        await tab.Page.RouteAsync(
            "**/events", route => route.FulfillAsync(new() { ContentType = "text/event-stream", Body = "retry: 3600000\n\n" }));
        await tab.Page.RouteAsync(
            "**/timeline?*", route => Interlocked.Increment(ref failures) <= 4 ? route.AbortAsync() : route.ContinueAsync());
        await tab.Page.ReloadAsync(new() { WaitUntil = WaitUntilState.Commit });
        await tab.VerdictAsync("good");
        Assert.True(failures > 4);
    }

    [SkippableFact]
    public async Task An_isolated_agent_stays_undecided_and_learns_when_it_is_reconnected()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        await tab.Page.GetByLabel("Isolate agent3").ClickAsync();
        await Assertions.Expect(tab.Page.GetByLabel("Isolate agent3")).ToHaveTextAsync("Reconnect");
        await Assertions.Expect(tab.Page.Locator("#connection")).ToHaveTextAsync("2 of 3 agents up, agent3 isolated, seen from agent1");
        await tab.IsAsync("agent3", "isolated");
        await tab.Page.ClickAsync("#run");
        await tab.IsAsync("agent1", "decided");
        await tab.IsAsync("agent2", "decided");
        await tab.VerdictAsync("open");
        Assert.NotEqual("decided", await tab.Row("agent3").GetAttributeAsync("data-status"));
        Assert.Equal(System.Net.HttpStatusCode.Accepted, (await Clients[2].Get("/consensus")).Code);
        await tab.Page.GetByLabel("Isolate agent3").ClickAsync();
        await tab.IsAsync("agent3", "decided");
        await tab.VerdictAsync("good");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task An_agent_that_somebody_else_isolates_can_be_reconnected_and_its_run_names_the_isolation()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        await Assertions.Expect(tab.Page.GetByLabel("Isolate agent1")).ToHaveTextAsync("Isolate");
        await Clients[0].Put("/faults", """{"isolate":true}""");
        await Assertions.Expect(tab.Page.GetByLabel("Isolate agent1")).ToHaveTextAsync("Reconnect");
        await tab.Page.ClickAsync("#run");
        await Assertions.Expect(tab.Page.Locator("#notice")).ToContainTextAsync("agent1 is isolated: reconnect it.");
        await tab.Page.GetByLabel("Isolate agent1").ClickAsync();
        await tab.Page.ClickAsync("#run");
        await tab.VerdictAsync("good");
    }

    [SkippableFact]
    public async Task Run_keeps_the_focus_that_it_was_pressed_with()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        var run = tab.Page.Locator("#run");
        await run.FocusAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await tab.VerdictAsync("good");
        await Assertions.Expect(run).ToBeEnabledAsync();
        await Assertions.Expect(run).ToBeFocusedAsync();
    }

    [SkippableFact]
    public async Task A_seed_that_a_browser_would_round_is_refused_where_it_is_typed()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        await tab.Page.Locator("summary", new() { HasText = "Options" }).ClickAsync();
        await tab.Page.FillAsync("#options [name=seed]", "9007199254740993");
        await tab.Page.Keyboard.PressAsync("Escape");
        await tab.Page.ClickAsync("#run");
        await Assertions.Expect(tab.Page.Locator("#options [name=seed]:invalid")).ToBeVisibleAsync();
        await tab.Page.FillAsync("#options [name=seed]", "9007199254740991");
        await tab.Page.ClickAsync("#run");
        await tab.VerdictAsync("good");
        Assert.Contains("\"seed\":9007199254740991", (await Clients[0].Get("/state")).Body.GetRawText(), StringComparison.Ordinal);
        Assert.Single((await Clients[0].Get("/timeline/runs")).Body.GetProperty("runs").EnumerateArray());
    }

    [SkippableFact]
    public async Task Where_faults_are_switched_off_their_controls_are_absent()
    {
        await using var plain = await StartAsync(3);
        await using var tab = await chromium.OpenAsync(plain.Addresses[0]);
        await tab.Page.ClickAsync("#run");
        await tab.VerdictAsync("good");
        await Assertions.Expect(tab.Page.Locator("#faults")).ToBeHiddenAsync();
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task The_slider_shows_what_each_agent_knew_at_that_moment()
    {
        await Clients[0].Post("/run?wait=30", """{"values":1}""");
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        await tab.VerdictAsync("good");
        await tab.Page.GetByLabel("To the beginning").ClickAsync();
        await tab.IsAsync("agent1", "waiting");
        Assert.Equal(0, await tab.Row("agent1").Locator(".known").CountAsync());
        await Assertions.Expect(tab.Page.GetByLabel("Step of the run")).ToHaveAttributeAsync("aria-valuetext", "Before the first step");
        await tab.Page.GetByLabel("Step of the run").FocusAsync();
        await tab.Page.Keyboard.PressAsync("End");
        await tab.IsAsync("agent1", "decided");
        await Assertions.Expect(tab.Page.GetByLabel("Step of the run"))
            .ToHaveAttributeAsync("aria-valuetext", new System.Text.RegularExpressions.Regex(@"^Step (\d+) of \1: agent\d .+"));
        Assert.True(await tab.Row("agent1").Locator(".known").CountAsync() >= 2);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_click_on_a_value_highlights_it_and_escape_ends_the_highlight()
    {
        await using var tab = await OpenWithValuesAsync();
        await Drew(tab).ClickAsync();
        await Assertions.Expect(tab.Page.Locator("#diagram .highlighted")).Not.ToHaveCountAsync(0);
        await Assertions.Expect(tab.Page.Locator("#diagram .dimmed")).Not.ToHaveCountAsync(0);
        await tab.Page.Locator("#diagram .scroll").PressAsync("Escape");
        await Assertions.Expect(tab.Page.Locator("#diagram .dimmed")).ToHaveCountAsync(0);
    }

    [SkippableFact]
    public async Task A_press_is_a_click_although_the_picture_is_drawn_again_during_it()
    {
        await using var tab = await OpenWithValuesAsync();
        await PressDuringReadAsync(tab, Drew(tab), () => ReadAnewAsync(tab));
        await Assertions.Expect(tab.Page.Locator("#diagram .highlighted")).Not.ToHaveCountAsync(0);
    }

    [SkippableFact]
    public async Task A_press_on_an_agents_name_is_a_click_although_the_agent_is_reset_during_it()
    {
        await using var tab = await OpenWithValuesAsync();
        var name = tab.Page.Locator("#diagram .heads .name").First;
        await PressDuringReadAsync(tab, name, () => Clients[0].Post("/reset"));
        await Assertions.Expect(name).ToHaveAttributeAsync("aria-pressed", "true");
    }

    /// <summary>Presses, lets the page have a run that it asked for before, and releases.</summary>
    private static async Task PressDuringReadAsync(Tab tab, ILocator pressed, Func<Task> change)
    {
        // A read whose result waits for the end of the press keeps the page from the next read.
        var read = await HeldRequest.OfAsync(tab.Page, "**/timeline?*");
        await change();
        await read.SentAsync();
        await pressed.HoverAsync();
        await tab.Page.Mouse.DownAsync();
        await read.RespondAsync();
        await tab.FramesAsync(20);
        await tab.Page.Mouse.UpAsync();
    }

    [SkippableFact]
    public async Task A_press_is_a_click_although_the_window_changes_its_width_during_it()
    {
        await using var tab = await OpenWithValuesAsync();
        await Drew(tab).HoverAsync();
        await tab.Page.Mouse.DownAsync();
        await tab.Page.SetViewportSizeAsync(1278, 800);
        await tab.FramesAsync(5);
        await tab.Page.Mouse.UpAsync();
        await Assertions.Expect(tab.Page.Locator("#diagram .highlighted")).Not.ToHaveCountAsync(0);
        await tab.Page.WaitForFunctionAsync(
            "() => document.querySelector('#diagram .heads').offsetWidth === document.querySelector('#diagram .scroll').clientWidth");
    }

    [SkippableFact]
    public async Task A_drag_highlights_no_value()
    {
        await using var tab = await OpenWithValuesAsync();
        var picture = await Tab.BoxAsync(tab.Page.Locator("#diagram .picture"));
        var value = await Tab.BoxAsync(Drew(tab));
        var (x, y) = (value.X + (value.Width / 2), value.Y + (value.Height / 2));
        await tab.Page.Mouse.MoveAsync(picture.X + 20, y);
        await tab.Page.Mouse.DownAsync();
        await tab.Page.Mouse.MoveAsync(x, y);
        await tab.Page.Mouse.UpAsync();
        Assert.Equal(0, await tab.Page.Locator("#diagram .highlighted").CountAsync());
    }

    [SkippableFact]
    public async Task A_button_of_the_diagram_keeps_its_focus_when_the_picture_is_drawn_again()
    {
        await using var tab = await OpenWithValuesAsync();
        var button = tab.Page.GetByLabel("Highlight value").First;
        await button.FocusAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(button).ToHaveAttributeAsync("aria-pressed", "true");
        await tab.Page.EvaluateAsync("document.querySelector('#diagram .background').dataset.old = ''");
        await ReadAnewAsync(tab);
        await Assertions.Expect(tab.Page.Locator("#diagram [data-old]")).ToHaveCountAsync(0);
        await Assertions.Expect(button).ToBeFocusedAsync();
        await Assertions.Expect(button).ToHaveAttributeAsync("aria-pressed", "true");
    }

    [SkippableFact]
    public async Task An_older_run_opens_from_the_history()
    {
        var (_, first) = await Clients[0].Post("/run?wait=30", """{"rule":"classic","window_ms":50}""");
        await Clients[0].Post("/run?wait=30");
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[2]);
        var run = first.GetProperty("run").GetString();
        await tab.Page.ClickAsync($"#history [data-run='{run}']");
        await Assertions.Expect(tab.Page.Locator("#diagram [data-kind=vote]")).ToHaveCountAsync(0);
        await Assertions.Expect(tab.Page.Locator($"#history [data-run='{run}']")).ToHaveAttributeAsync("aria-current", "true");
        Assert.Empty(tab.Errors);
    }

    private async Task<Tab> OpenWithValuesAsync()
    {
        // Two equal draws decide, and an agent that is late then draws nothing.
        var drawn = 0;
        for (var seed = 5; drawn < 2; seed++)
        {
            await Clients[0].Post("/run?wait=30", $$"""{"seed":{{seed}},"values":3,"draw":"plurality"}""");
            var events = (await Clients[0].Get("/timeline?cluster=true")).Body.GetProperty("events").EnumerateArray();
            drawn = events.Where(one => one.GetProperty("kind").GetString() == "drew")
                .Select(one => one.GetProperty("value").GetInt32()).Distinct().Count();
        }

        var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        await tab.VerdictAsync("good");
        return tab;
    }

    private static ILocator Drew(Tab tab) => tab.Page.Locator("#diagram .mark.m-drew .value").First;

    /// <summary>As when a person comes back to the page: it reads the run again, and draws it.</summary>
    private static async Task ReadAnewAsync(Tab tab) =>
        await tab.Page.EvaluateAsync("void document.dispatchEvent(new Event('visibilitychange'))");
}
