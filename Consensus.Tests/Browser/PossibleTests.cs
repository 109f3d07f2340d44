using System.Text.RegularExpressions;
using Consensus.Tests.Api;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>What can still happen, on the page.</summary>
[Collection(Chromium.Lab)]
[Trait(Category.Name, Category.System)]
public sealed class PossibleTests(Chromium chromium) : ThreeAgents
{
    [SkippableTheory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task Explore_says_what_is_possible_at_each_step_and_draws_the_line_before_the_first_decision(int width)
    {
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/explore?path=s1.1-d1.1-d2.1-r1"), width, 900);
        var (words, line) = (tab.Page.Locator("#explore .possible p").First, tab.Page.Locator("#explore .only-value"));
        await Assertions.Expect(words).ToContainTextAsync(
            "Only 1 can be decided. No two agents can decide different values. The run cannot stall unless 2 more agents crash.");
        await Assertions.Expect(words).ToContainTextAsync("before any agent had decided.");
        await Assertions.Expect(line).ToHaveCountAsync(1);
        await Assertions.Expect(line).ToContainTextAsync("from here on only 1");
        Assert.True(
            (await Tab.BoxAsync(line.Locator("text"))).Y < (await Tab.BoxAsync(tab.Page.Locator("#explore .mark[data-kind=decided]"))).Y);

        await tab.Page.Locator("#explore .likely").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(tab.Page.GetByRole(AriaRole.Img, new() { Name = "Decided by round: 1: 100 %" })).ToBeVisibleAsync();
        await Assertions.Expect(tab.Page.GetByRole(AriaRole.Img, new() { Name = "Decided value: 1: 100 %" })).ToBeVisibleAsync();
        var violations = (await tab.Page.Locator("#explore .explored .card").First.RunAxe()).Violations;
        Assert.Empty(violations.Select(violation => violation.Help));

        // At an earlier step more is possible. The line stays where it is.
        await tab.Page.Locator("#explore").GetByLabel("Step of the run").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Home");
        await tab.Page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(words).ToContainTextAsync("1, 2 and 3 can be decided. No disagreement in 10,000 states.");
        await Assertions.Expect(line).ToHaveCountAsync(1);
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_recorded_run_says_what_was_possible_at_a_moment_once_a_person_asks()
    {
        await Clients[0].Post("/run?wait=30");
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/"), 1280, 900);
        List<string> asked = [];
        tab.Page.Request += (_, request) =>
            asked.AddRange(request.Url.Contains("/explore/", StringComparison.Ordinal) ? [request.Url] : []);
        await tab.VerdictAsync("good");
        Assert.Empty(asked);
        var words = tab.Page.Locator("#diagram .possible p").First;
        await tab.Page.Locator("#diagram .possible summary").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(words).ToContainTextAsync(new Regex("^Only [123] can be decided.*The line is where only [123] was left: "));
        await Assertions.Expect(tab.Page.Locator("#diagram .only-value")).ToHaveCountAsync(1);
        await tab.Page.Locator("#diagram").GetByLabel("Step of the run").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Home");
        for (var steps = 0; steps < 6 && await tab.Page.Locator("#diagram .step-text:has-text(' draws ')").CountAsync() == 0; steps++)
        {
            await tab.Page.Keyboard.PressAsync("ArrowRight");
        }

        await Assertions.Expect(words).ToContainTextAsync("1, 2 and 3 can be decided.");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task Lesson_7_shows_the_line_of_the_ratified_rule_and_lesson_5_that_the_classic_rule_has_none()
    {
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/learn?lesson=7&part=3"), 1280, 900);
        await Assertions.Expect(tab.Page.Locator("#learn .only-value")).ToContainTextAsync("from here on only 1");
        await Assertions.Expect(tab.Page.Locator("#learn .words")).ToContainTextAsync("from when on only 1 was possible");
        await tab.Page.ClickAsync(".lessons li:nth-child(5) a");
        await tab.Page.ClickAsync("#lesson-next");
        await Assertions.Expect(tab.Page.Locator("#learn .mark[data-kind=decided]")).ToHaveCountAsync(1);
        await Assertions.Expect(tab.Page.Locator("#learn .possible p").First)
            .ToContainTextAsync("1, 2 and 3 can be decided. Two agents can decide different values.");
        await Assertions.Expect(tab.Page.Locator("#learn .only-value")).ToHaveCountAsync(0);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task Lesson_9_is_a_game_of_orders_against_a_coin_and_its_figure_is_what_networks_of_random_delays_did()
    {
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/learn?lesson=9&part=4"), 1280, 900);
        await tab.Page.EvaluateAsync("Math.random = () => window.coin");
        var (_, network) = await Clients[0].Get("/explore/futures?path=s1.1-d1.2&values=2&futures=1000&delay=1000");
        var decided = network.GetProperty("rounds").EnumerateArray()
            .ToDictionary(round => round.GetProperty("number").GetInt32(), round => round.GetProperty("futures").GetInt32());
        var debrief = tab.Page.Locator("#learn .debrief");

        // A step, and what the coin shows where it is tossed: 1 or 2.
        foreach (var step in "r1 w1 d4 w2 d6 w2.1 w1.2 d8 w1 d12 w2 w2.1".Split(' '))
        {
            await tab.Page.EvaluateAsync($"window.coin = {(step.EndsWith(".2", StringComparison.Ordinal) ? "0.9" : "0.1")}");
            await tab.Page.Locator($"#learn .next-steps [data-step=\"{step.Split('.')[0]}\"]").ClickAsync();
            await Assertions.Expect(tab.Page.Locator("#learn .search-outcome"))
                .ToHaveTextAsync(step.Contains('.', StringComparison.Ordinal) ? $"The coin shows {step[^1]}." : "");
            await Assertions.Expect(tab.Page.Locator("#learn .explorer[aria-busy]")).ToHaveCountAsync(0);
        }

        await Assertions.Expect(debrief).ToHaveTextAsync(new Regex(
            $"^You kept them undecided for 2 rounds; one in {Math.Round(1000.0 / (1000 - decided[2]), MidpointRounding.AwayFromZero)} "
                + "networks with random delays of up to 1000 ms would[.] "));
        await Assertions.Expect(tab.Page.Locator("#lesson-next")).ToBeEnabledAsync();

        // Equal values: the game is lost in the first round.
        await tab.Page.ClickAsync("text=Start the task again");
        await Assertions.Expect(debrief).ToBeEmptyAsync();
        await tab.Page.EvaluateAsync("window.coin = 0.1");
        foreach (var step in (string[])["d2", "r2"])
        {
            await tab.Page.Locator($"#learn .next-steps [data-step=\"{step}\"]").ClickAsync();
            await Assertions.Expect(tab.Page.Locator("#learn .explorer[aria-busy]")).ToHaveCountAsync(0);
        }

        await Assertions.Expect(debrief).ToHaveTextAsync("They decided in round 1. Start the task again.");
        await Assertions.Expect(tab.Page.Locator("#lesson-next")).ToBeDisabledAsync();
        Assert.Empty(tab.Errors);
    }
}
