using System.Text.RegularExpressions;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Exploration;
using Consensus.Tests.Api;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The lessons and the explorer.</summary>
[Collection(Chromium.Collection)]
[Trait(Category.Name, Category.System)]
public sealed class LearnTests(Chromium chromium) : ThreeAgents
{
    [SkippableFact]
    public async Task Every_lesson_is_gone_through_by_keyboard_and_its_task_opens_the_way_to_the_next()
    {
        await using var tab = await OpenAsync("/learn", 390);
        List<string> foreign = [];
        tab.Page.Request += (_, request) => foreign.AddRange(request.Url.StartsWith(Cluster.Addresses[0].ToString(), StringComparison.Ordinal) ? [] : [request.Url]);
        var (title, next, answer) = (tab.Page.Locator("#lesson-title"), tab.Page.Locator("#lesson-next"), tab.Page.Locator("#lesson-answer"));
        await Assertions.Expect(tab.Page.Locator(".lessons li")).ToHaveCountAsync(10);
        for (var lesson = 1; lesson <= 10; lesson++)
        {
            await Assertions.Expect(title).ToContainTextAsync($"{lesson}. ");
            while (await next.IsEnabledAsync() && (await title.TextContentAsync())!.StartsWith($"{lesson}. ", StringComparison.Ordinal))
            {
                await tab.Page.Keyboard.PressAsync("ArrowRight");
                await Assertions.Expect(tab.Page.Locator("#learn .explorer[aria-busy]")).ToHaveCountAsync(0);
            }

            if (lesson < 10)
            {
                await Assertions.Expect(answer).ToBeVisibleAsync();
                await tab.Page.Keyboard.PressAsync("ArrowRight");
                await Assertions.Expect(title).ToContainTextAsync($"{lesson}. ");
                await answer.FocusAsync();
                await tab.Page.Keyboard.PressAsync("Enter");
                await Assertions.Expect(tab.Page.Locator(".lesson.done")).ToBeVisibleAsync();
                await tab.Page.Keyboard.PressAsync("ArrowRight");
            }
        }

        Assert.EndsWith("lesson=10&part=4", tab.Page.Url, StringComparison.Ordinal);
        Assert.Equal(390, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Empty(foreign);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task Steps_go_into_the_address_back_and_forward_follow_them_and_a_link_shows_the_same_state()
    {
        await using var tab = await OpenAsync("/explore?rule=classic&path=s1.1-d1.1", 1280);

        // The window ends at its agent's head, and the message arrives by a click on it.
        await tab.Page.ClickAsync("#explore .agent-menu[data-menu='0']");
        await tab.Page.ClickAsync(".step-menu [data-step='w1.2']");
        await tab.Page.ClickAsync("#explore [data-token='d5']");
        await tab.Page.ClickAsync(".step-menu [data-step='d5.2']");
        var broken = tab.Page.Locator("[data-property=agreement].broken");
        await Assertions.Expect(broken).ToContainTextAsync("agent2 decided 1 (round 1) and agent3 decided 2 (round 2)");
        Assert.EndsWith("/explore?rule=classic&path=s1.1-d1.1-w1.2-d5.2", tab.Page.Url, StringComparison.Ordinal);
        var picture = await PictureAsync(tab);

        await tab.Page.GoBackAsync();
        await Assertions.Expect(broken).ToHaveCountAsync(0);
        Assert.EndsWith("path=s1.1-d1.1-w1.2", tab.Page.Url, StringComparison.Ordinal);
        await tab.Page.ClickAsync("#explore-back");
        await tab.Page.ClickAsync("#explore .all-steps > summary");
        await Assertions.Expect(tab.Page.Locator("[data-step='w1.2']")).ToBeVisibleAsync();
        await tab.Page.ClickAsync("#explore-forward");
        await tab.Page.SelectOptionAsync("[name=goal]", "disagreement");
        await tab.Page.ClickAsync("#seek");
        await Assertions.Expect(broken).ToBeVisibleAsync();
        Assert.Equal(picture, await PictureAsync(tab));

        await using var other = await OpenAsync("/explore?rule=classic&path=s1.1-d1.1-w1.2-d5.2", 1280);
        await Assertions.Expect(other.Page.Locator("[data-property=agreement].broken")).ToBeVisibleAsync();
        Assert.Equal(picture, await PictureAsync(other));
        Assert.Empty(tab.Errors);
    }

    [SkippableTheory]
    [InlineData("agents=3", null)]
    [InlineData("agents=4&spread=relay", Spread.Relay)]
    public async Task Every_button_of_random_paths_is_a_step_of_the_core_and_back_returns_to_the_same_buttons(string query, Spread? spread)
    {
        await using var tab = await OpenAsync($"/explore?{query}", 1280);
        var options = new ExplorationOptions(spread is null ? 3 : 4, Spread: spread);
        var (random, idle) = (new SeededRandom(3), tab.Page.Locator("#explore .explorer:not([aria-busy]) .all-steps [data-step]").First);
        await idle.WaitForAsync(new() { State = WaitForSelectorState.Attached });
        List<ExplorationStep> path = [];
        List<string[]> seen = [];
        for (var i = 0; i < 20; i++)
        {
            var expected = new ExploredCluster(options, path).NextSteps().Select(next => next.Step.ToString()).Order(StringComparer.Ordinal).ToArray();
            seen.Add(await ButtonsAsync(tab));
            Assert.Equal(expected, seen[^1]);
            path.Add(ExplorationStep.Parse(expected[random.Next(expected.Length)])!.Value);
            await PressAsync(tab, $"[data-step='{path[^1]}']");
        }

        for (var i = path.Count - 1; i >= 0; i--)
        {
            await PressAsync(tab, "#explore-back");
            Assert.Equal(seen[i], await ButtonsAsync(tab));
        }

        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_broken_rule_is_chosen_and_what_goes_wrong_is_drawn_beside_the_unbroken_rules()
    {
        await using var tab = await OpenAsync("/#simulate", 1280);
        await tab.Page.SelectOptionAsync("#simulate [name=mutant]", "short-proposal-quorum");
        await Assertions.Expect(tab.Page.Locator("#simulate .broken-rule")).ToContainTextAsync("one proposal less than a quorum");
        await tab.Page.ClickAsync("#counterexample");
        await Assertions.Expect(tab.Page.Locator(".stage[data-rule=broken] .verdict.bad")).ToContainTextAsync("Agreement is violated");
        await tab.Page.WaitForSelectorAsync(".stage[data-rule=ratified] .verdict.good");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_message_of_a_simulated_run_is_lost_by_a_click_and_the_run_goes_on_until_the_change_is_undone()
    {
        await using var tab = await OpenAsync("/#simulate?seed=5", 1280);
        var lost = tab.Page.Locator("#simulate .arrow.lost.k-new_round");
        var opening = await tab.Page.WaitForSelectorAsync("#simulate .arrow.k-new_round path");
        await Assertions.Expect(lost).ToHaveCountAsync(0);
        var box = (await opening!.BoundingBoxAsync())!;
        await tab.Page.Mouse.ClickAsync(box.X + (box.Width / 2), box.Y + (box.Height / 2));
        await tab.Page.ClickAsync("[data-change=lose]");
        await Assertions.Expect(lost).ToHaveCountAsync(1);
        await tab.Page.WaitForURLAsync(new Regex("&change=[0-9]+-lose$"));
        await tab.Page.ReloadAsync();
        await Assertions.Expect(lost).ToHaveCountAsync(1);
        await tab.Page.GetByText("Undo 1 change").ClickAsync();
        await Assertions.Expect(lost).ToHaveCountAsync(0);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task Every_message_in_flight_is_in_the_picture_and_a_key_loses_it()
    {
        await using var tab = await OpenAsync("/explore?agents=5&path=s1.2-d1.2", 1280);
        var tokens = tab.Page.Locator("#explore .token");
        await Assertions.Expect(tokens).ToHaveCountAsync(4);
        Assert.Equal(4, await tab.Page.Locator("#explore .pending, #explore .arrow.in-flight").CountAsync());

        // A key acts on its message also after the picture was drawn again.
        await tab.Page.Locator("#explore [data-token='d3']").FocusAsync();
        await tab.Page.EvaluateAsync("document.querySelector('#explore .background').dataset.old = ''");
        await tab.Page.SetViewportSizeAsync(1200, 844);
        await Assertions.Expect(tab.Page.Locator("#explore [data-old]")).ToHaveCountAsync(0);
        await tab.Page.Keyboard.PressAsync("Delete");
        await tab.Page.WaitForURLAsync("**/explore?agents=5&path=s1.2-d1.2-x3");
        await Assertions.Expect(tokens).ToHaveCountAsync(3);
        await Assertions.Expect(tab.Page.Locator("#explore .arrow.lost")).ToHaveCountAsync(1);
        await tab.Page.Locator("#explore [data-token='r1']").ClickAsync();
        await tab.Page.WaitForURLAsync("**-x3-r1");
        Assert.Empty((await tab.Page.RunAxe()).Violations);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_task_offers_only_what_it_needs_and_ends_with_a_debrief_and_a_tick()
    {
        await using var tab = await OpenAsync("/learn?lesson=1&part=5", 390);
        await tab.Page.ClickAsync("#learn .all-steps > summary");
        await tab.Page.WaitForSelectorAsync("#learn .all-steps [data-step]");
        Assert.DoesNotMatch("[^dr]", await tab.Page.EvaluateAsync<string>("[...document.querySelectorAll('#learn .all-steps [data-step]')].map(({ dataset }) => dataset.step[0]).join('')"));
        await tab.Page.ClickAsync("#lesson-answer");
        await Assertions.Expect(tab.Page.Locator("#learn .debrief")).ToContainTextAsync("majority");
        await Assertions.Expect(tab.Page.Locator(".lessons li").First).ToContainTextAsync("1. One round ✓");
    }

    [SkippableFact]
    public async Task A_search_shows_its_progress_can_be_stopped_and_says_what_it_searched()
    {
        await using var tab = await OpenAsync("/explore", 1280);
        var outcome = tab.Page.Locator("#explore .search-outcome");
        await tab.Page.SelectOptionAsync("[name=goal]", "disagreement");
        await tab.Page.ClickAsync("#seek");
        await Assertions.Expect(outcome).ToContainTextAsync(new Regex("[1-9][0-9,]* states so far"));
        await tab.Page.ClickAsync("#stop-search");
        await Assertions.Expect(outcome).ToHaveTextAsync("The search was stopped.");
        await tab.Page.SelectOptionAsync("[name=goal]", "stall");
        await tab.Page.ClickAsync("#seek");
        await Assertions.Expect(outcome).ToContainTextAsync(new Regex("^Found a stall after [0-9]+ steps: ."));
        await tab.Page.GotoAsync(new Uri(Cluster.Addresses[0], "/explore?agents=1").ToString());
        await tab.Page.SelectOptionAsync("[name=goal]", "adoption");
        await tab.Page.ClickAsync("#seek");
        await Assertions.Expect(outcome).ToContainTextAsync(new Regex("^Searched all [0-9,]+ states of this search: no adopted value"));
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task Words_and_picture_move_together_and_a_busy_agent_is_asked_again()
    {
        await using var tab = await OpenAsync("/learn?lesson=1&part=1", 1280);
        var (words, busy) = (tab.Page.Locator("#learn .words"), 2);
        await Assertions.Expect(words).ToContainTextAsync("Three agents");
        await tab.Page.RouteAsync("**/explore/state?*", route => Interlocked.Decrement(ref busy) >= 0
            ? route.FulfillAsync(new() { Status = 503, Headers = [new("Retry-After", "1")], ContentType = "application/problem+json", Body = "{}" }) : route.ContinueAsync());
        await tab.Page.ClickAsync("#lesson-next");
        await Assertions.Expect(tab.Page.Locator("#busy")).ToContainTextAsync("The agent is busy");
        await Assertions.Expect(words).ToContainTextAsync("Three agents");
        await Assertions.Expect(words).ToContainTextAsync("A client asks agent1");
        await Assertions.Expect(tab.Page.Locator("#learn .mark")).ToHaveCountAsync(1);
        await Assertions.Expect(tab.Page.Locator("#busy")).ToBeHiddenAsync();
    }

    [SkippableTheory]
    [InlineData("/", "#diagram .mark")]
    [InlineData("/learn?lesson=5&part=5", "#learn .mark")]
    [InlineData("/explore?rule=classic&path=s1.1-d1.1-w1.2-d5.2", "#explore .mark")]
    [InlineData("/#simulate", "#simulate .mark")]
    public async Task Axe_finds_no_violation_in_light_or_dark(string address, string drawn)
    {
        await Clients[0].Post("/run?wait=30");
        await using var tab = await OpenAsync(address, 1280);
        await tab.Page.WaitForSelectorAsync(drawn);
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await tab.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            var violations = (await tab.Page.RunAxe()).Violations;
            Assert.True(violations.Length == 0, string.Join('\n', violations.Select(violation => $"{scheme}: {violation.Id} {string.Join(' ', violation.Nodes.Select(node => node.Html))}")));
        }
    }

    [SkippableFact]
    public async Task A_page_that_lost_one_of_its_modules_loads_itself_again()
    {
        await using var tab = await OpenAsync("/learn", 1280);
        var lost = 0;
        await tab.Page.RouteAsync("**/js/app.*.js", route => Interlocked.Increment(ref lost) <= 2 ? route.AbortAsync() : route.ContinueAsync());
        await tab.Page.ReloadAsync();
        await tab.Page.WaitForSelectorAsync("body[data-ready=true]");
        Assert.True(lost > 2);
    }

    private Task<Tab> OpenAsync(string address, int width) => chromium.OpenAsync(new Uri(Cluster.Addresses[0], address), width, 844);

    private static Task<string[]> ButtonsAsync(Tab tab) =>
        tab.Page.EvaluateAsync<string[]>("() => [...document.querySelectorAll('#explore .all-steps [data-step]')].map(button => button.dataset.step).sort()");

    /// <summary>Presses a button, also one of a closed group, and waits for the next state.</summary>
    private static Task<bool> PressAsync(Tab tab, string button) => tab.Page.EvaluateAsync<bool>(
        """
        button => new Promise(done => {
          const root = document.querySelector('#explore .explorer');
          new MutationObserver((_, observer) => { if (!root.hasAttribute('aria-busy')) { observer.disconnect(); done(true); } }).observe(root, { attributes: true });
          document.querySelector(button).click();
        })
        """,
        button);

    private static Task<string> PictureAsync(Tab tab) => tab.Page.EvaluateAsync<string>(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelector('#explore .picture').innerHTML))))");
}
