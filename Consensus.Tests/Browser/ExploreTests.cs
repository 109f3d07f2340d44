using System.Text.RegularExpressions;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Exploration;
using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The explorer.</summary>
[Collection(Chromium.Lab)]
[Trait(Category.Name, Category.System)]
public sealed class ExploreTests(Chromium chromium) : ThreeAgents
{
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
            var expected = new ExploredCluster(options, path).NextSteps()
                .Select(next => next.Step.ToString()).Order(StringComparer.Ordinal).ToArray();
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
    public async Task Every_message_in_flight_is_in_the_picture_and_a_key_or_menu_loses_and_duplicates_it()
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
        await tab.AddressEndsAsync("/explore?agents=5&path=s1.2-d1.2-x3");
        await Assertions.Expect(tokens).ToHaveCountAsync(3);
        await Assertions.Expect(tab.Page.Locator("#explore .arrow.lost")).ToHaveCountAsync(1);
        await tab.Page.Locator("#explore [data-token='r1']").ClickAsync();
        await tab.AddressEndsAsync("-x3-r1");
        await Assertions.Expect(tab.Page.Locator("#explore [data-token='d4']")).ToHaveCountAsync(1);
        await tab.Page.Locator("#explore [data-token='d4']").PressAsync("d");
        await tab.AddressEndsAsync("-x3-r1-y4");
        await Assertions.Expect(tab.Page.Locator("#explore .arrow.in-flight")).ToHaveCountAsync(3);
        await tab.Page.Locator("#explore [data-token='d4']").ClickAsync(new() { Button = MouseButton.Right });
        await tab.Page.Locator(".step-menu").GetByText("Duplicate").ClickAsync();
        await Assertions.Expect(tab.Page.Locator("#explore .arrow.in-flight")).ToHaveCountAsync(4);
        Assert.Empty(await tab.ViolationsAsync());
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task The_response_that_makes_an_agent_a_learner_is_a_token_and_then_an_arrow()
    {
        await using var tab = await OpenAsync("/explore?path=s1.1-d1.1-c2-u2-d4", 1280);
        var token = tab.Page.Locator("#explore [data-token='r4']");
        await Assertions.Expect(token).ToContainTextAsync("↩ run");
        await Assertions.Expect(tab.Page.Locator("#explore .arrow.response.k-state")).ToHaveCountAsync(0);
        await token.ClickAsync();
        await Assertions.Expect(tab.Page.Locator("#explore .arrow.response.k-state")).ToHaveCountAsync(1);
        var text = tab.Page.Locator("#explore .step-text");
        await Assertions.Expect(text).ToContainTextAsync("agent2 receives agent1's run 1.agent1.a1 in a response");
        await Assertions.Expect(tab.Page.Locator("#explore .head[data-agent=agent2] .status")).ToHaveTextAsync("learner");
        Assert.Empty(tab.Errors);
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
    public async Task An_answer_that_comes_during_a_press_moves_nothing_before_the_click()
    {
        await using var tab = await OpenAsync("/explore", 1280);
        var question = await HeldRequest.OfAsync(tab.Page, "**/explore/possible?*");
        await tab.Page.GotoAsync(new Uri(Cluster.Addresses[0], "/explore?path=s1.1-d1.1").ToString());
        await question.SentAsync();
        var words = tab.Page.Locator("#explore .possible [role=status]");
        await Assertions.Expect(words).ToBeEmptyAsync();
        var box = await Tab.BoxAsync(tab.Page.Locator("#explore .agent-menu[data-menu='0']"));
        await tab.Page.Mouse.MoveAsync(box.X + (box.Width / 2), box.Y + (box.Height / 2));
        await tab.Page.Mouse.DownAsync();
        await question.RespondAsync();
        await tab.FramesAsync(2);
        await tab.Page.Mouse.UpAsync();
        await Assertions.Expect(tab.Page.Locator(".step-menu [data-step]").First).ToBeVisibleAsync();
        await Assertions.Expect(words).Not.ToBeEmptyAsync();
        Assert.Empty(tab.Errors);
    }

    private Task<Tab> OpenAsync(string address, int width) => chromium.OpenAsync(new Uri(Cluster.Addresses[0], address), width, 844);

    private static Task<string[]> ButtonsAsync(Tab tab) =>
        tab.Page.EvaluateAsync<string[]>(
            "() => [...document.querySelectorAll('#explore .all-steps [data-step]')].map(button => button.dataset.step).sort()");

    /// <summary>Presses a button, also one of a closed group, and waits for the next state.</summary>
    private static Task<bool> PressAsync(Tab tab, string button) => tab.Page.EvaluateAsync<bool>(
        """
        button => new Promise(done => {
          const root = document.querySelector('#explore .explorer');
          new MutationObserver((_, observer) => {
            if (!root.hasAttribute('aria-busy')) { observer.disconnect(); done(true); }
          }).observe(root, { attributes: true });
          document.querySelector(button).click();
        })
        """,
        button);

    private static Task<string> PictureAsync(Tab tab) => tab.Page.EvaluateAsync<string>(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => "
            + "done(document.querySelector('#explore .picture').innerHTML))))");
}
