using System.Text.RegularExpressions;
using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The lessons, and broken rules in Simulate.</summary>
[Collection(Chromium.Lab)]
[Trait(Category.Name, Category.System)]
public sealed class LearnTests(Chromium chromium) : ThreeAgents
{
    [SkippableFact]
    public async Task Every_lesson_is_gone_through_by_keyboard_and_its_task_opens_the_way_to_the_next()
    {
        await using var tab = await OpenAsync("/learn", 390);
        List<string> foreign = [];
        tab.Page.Request += (_, request) =>
            foreign.AddRange(request.Url.StartsWith(Cluster.Addresses[0].ToString(), StringComparison.Ordinal) ? [] : [request.Url]);
        var (title, next, answer) =
            (tab.Page.Locator("#lesson-title"), tab.Page.Locator("#lesson-next"), tab.Page.Locator("#lesson-answer"));
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
    public async Task Every_word_of_a_lessons_picture_is_within_it_on_a_phone()
    {
        const string Cut = """
            () => [...document.querySelectorAll('#learn .diagram svg text')].filter((text) => {
              const [own, picture] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
              return own.width > 0 && (own.left < picture.left - 1 || own.right > picture.right + 1);
            }).map((text) => text.textContent)
            """;
        await using var tab = await OpenAsync("/learn", 390);
        for (var lesson = 1; lesson <= 10; lesson++)
        {
            await tab.Page.ClickAsync($".lessons li:nth-child({lesson}) a");
            await tab.AddressEndsAsync($"lesson={lesson}&part=1");
            foreach (var part in (int[])[2, 3])
            {
                await tab.Page.ClickAsync("#lesson-next");
                await tab.AddressEndsAsync($"lesson={lesson}&part={part}");
                Assert.Empty(await tab.Page.EvaluateAsync<string[]>(Cut));
            }
        }
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
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("&change=[0-9]+-lose$"));
        await tab.Page.ReloadAsync();
        await Assertions.Expect(lost).ToHaveCountAsync(1);
        await tab.Page.GetByText("Undo 1 change").ClickAsync();
        await Assertions.Expect(lost).ToHaveCountAsync(0);

        // A response offers what can be done to a response.
        var response = await Tab.BoxAsync(tab.Page.Locator("#simulate .arrow.response path").First);
        await tab.Page.Mouse.ClickAsync(response.X + (response.Width / 2), response.Y + (response.Height / 2));
        await Assertions.Expect(tab.Page.Locator("#simulate .changing")).ToContainTextAsync(" responds to ");
        await Assertions.Expect(tab.Page.Locator("[data-change]")).ToHaveCountAsync(2);
        await Assertions.Expect(tab.Page.Locator("[data-change=delay_response]")).ToHaveCountAsync(1);
        var responses = await tab.Page.Locator("#simulate .arrow.response").CountAsync();
        await tab.Page.ClickAsync("[data-change=lose_response]");
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("&change=[0-9]+-lose_response$"));
        await Assertions.Expect(tab.Page.Locator("#simulate .arrow.response")).Not.ToHaveCountAsync(responses);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task Every_part_of_every_lesson_draws_each_message_that_it_offers_and_no_text_over_another()
    {
        await using var tab = await OpenAsync("/learn", 1280);
        var (title, answer) = (tab.Page.Locator("#lesson-title"), tab.Page.Locator("#lesson-answer"));
        var place = "";
        while (place != await PlaceAsync())
        {
            place = await PlaceAsync();
            var faults = await tab.Page.EvaluateAsync<string[]>(
                """
                async () => {
                  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
                  const all = (selector) => [...document.querySelectorAll(`#learn ${selector}`)];
                  const texts = all('.picture .label, .picture .note, .token')
                    .map((element) => ({ text: element.firstChild.textContent, box: element.getBoundingClientRect() }));
                  const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
                  const faults = texts.flatMap(({ text, box }, i) =>
                    texts.slice(i + 1).filter((other) => over(box, other.box)).map((other) => `${text} over ${other.text}`));
                  const lines = all('.pending, .arrow.in-flight').length;
                  const tokens = all('.token').length;
                  const steps = all('.all-steps [data-step]').map(({ dataset }) => dataset.step.split('.')[0]);
                  const drawn = steps.every((step) => !'dr'.includes(step[0]) || document.querySelector(`#learn [data-token="${step}"]`));
                  return lines === tokens && drawn ? faults : [...faults, `${lines} messages drawn, ${tokens} tokens, offered ${steps}`];
                }
                """);
            Assert.True(faults.Length == 0, $"{place}: {string.Join("; ", faults)}");
            if (await answer.IsVisibleAsync())
            {
                await answer.ClickAsync();
                await Assertions.Expect(tab.Page.Locator(".lesson.done")).ToBeVisibleAsync();
            }

            await tab.Page.Keyboard.PressAsync("ArrowRight");
            await Assertions.Expect(tab.Page.Locator("#learn .explorer[aria-busy]")).ToHaveCountAsync(0);
        }

        Assert.StartsWith("10. ", place, StringComparison.Ordinal);
        Assert.Empty(tab.Errors);

        async Task<string> PlaceAsync() => $"{await title.TextContentAsync()} {new Uri(tab.Page.Url).Query}";
    }

    [SkippableFact]
    public async Task A_task_offers_only_what_it_needs_and_ends_with_a_debrief_and_a_tick()
    {
        await using var tab = await OpenAsync("/learn?lesson=1&part=5", 390);
        await tab.Page.WaitForSelectorAsync("#learn .all-steps [data-step]");

        // By keyboard, the first step is at most three tabs away from the lesson's buttons.
        await tab.Page.FocusAsync("#lesson-back");
        for (var i = 0; i < 3; i++)
        {
            await tab.Page.Keyboard.PressAsync("Tab");
        }

        Assert.True(await tab.Page.EvaluateAsync<bool>("document.activeElement.matches('#learn [data-step]')"));
        Assert.DoesNotMatch("[^dr]", await tab.Page.EvaluateAsync<string>(
            "[...document.querySelectorAll('#learn .all-steps [data-step]')].map(({ dataset }) => dataset.step[0]).join('')"));
        await tab.Page.ClickAsync("#lesson-answer");
        await Assertions.Expect(tab.Page.Locator("#learn .debrief")).ToContainTextAsync("majority");
        await Assertions.Expect(tab.Page.Locator(".lessons li").First).ToContainTextAsync("1. One round ✓");
    }

    [SkippableFact]
    public async Task Words_and_picture_move_together_and_a_busy_agent_is_asked_again()
    {
        await using var tab = await OpenAsync("/learn?lesson=1&part=1", 1280);
        var (words, busy) = (tab.Page.Locator("#learn .words"), 2);
        await Assertions.Expect(words).ToContainTextAsync("Three agents");
        var refusal = new RouteFulfillOptions
        {
            Status = 503, Headers = [new("Retry-After", "1")], ContentType = "application/problem+json", Body = "{}",
        };
        await tab.Page.RouteAsync("**/explore/state?*", route =>
            Interlocked.Decrement(ref busy) >= 0 ? route.FulfillAsync(refusal) : route.ContinueAsync());
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
    [InlineData("/#simulate?counterexample=", "[data-rule=ratified] .mark")]
    [InlineData("/learn?lesson=8&part=5", "#learn .token")]
    [InlineData("/explore?agents=5&path=s1.2-d1.2", "#explore .token")]
    [InlineData("/", "#front .mark", false)]
    public async Task Axe_finds_no_violation_in_light_or_dark(string address, string drawn, bool runs = true)
    {
        await (runs ? Clients[0].Post("/run?wait=30") : Task.CompletedTask);
        await using var tab = await OpenAsync(address, 1280);
        await tab.Page.WaitForSelectorAsync(drawn);
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await tab.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            var violations = await tab.ViolationsAsync(scheme == ColorScheme.Dark ? "color-contrast" : null);
            Assert.True(violations.Length == 0, string.Join('\n',
                violations.Select(violation => $"{scheme}: {violation.Id} {string.Join(' ', violation.Nodes.Select(node => node.Html))}")));
        }
    }

    [SkippableFact]
    public async Task A_page_that_lost_one_of_its_modules_loads_itself_again()
    {
        await using var tab = await OpenAsync("/learn", 1280);
        var lost = 0;
        await tab.Page.RouteAsync(
            "**/js/app.*.js", route => Interlocked.Increment(ref lost) <= 2 ? route.AbortAsync() : route.ContinueAsync());
        await tab.Page.ReloadAsync();
        await tab.Page.WaitForSelectorAsync("body[data-ready=true]");
        Assert.True(lost > 2);
    }

    private Task<Tab> OpenAsync(string address, int width) => chromium.OpenAsync(new Uri(Cluster.Addresses[0], address), width, 844);
}
