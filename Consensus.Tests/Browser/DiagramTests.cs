using System.Text.RegularExpressions;
using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>What a person sees and changes in a diagram.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class DiagramTests(Chromium chromium) : ThreeAgents
{
    private const string Visible = "#simulate .arrow:not(.filtered)";

    [SkippableFact]
    public async Task Pressed_kinds_are_shown_alone_until_none_is_pressed()
    {
        await using var tab = await OpenAsync("agents=9&seed=3&spread=direct");
        var (votes, proposals) = (tab.Page.Locator("#simulate .kind.k-vote"), tab.Page.Locator("#simulate .kind.k-proposal"));
        var all = await tab.Page.Locator(Visible).CountAsync();
        await votes.ClickAsync();
        await Assertions.Expect(votes).ToHaveAttributeAsync("aria-pressed", "true");
        Assert.Equal(["vote"], await KindsAsync(tab));
        await proposals.ClickAsync();
        Assert.Equal(["proposal", "vote"], await KindsAsync(tab));
        await votes.ClickAsync();
        await proposals.ClickAsync();
        Assert.Equal(all, await tab.Page.Locator(Visible).CountAsync());
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task The_message_that_completed_a_decision_is_marked_and_the_decision_counts_its_votes()
    {
        await using var tab = await OpenAsync("seed=5&values=1");
        await Assertions.Expect(tab.Page.Locator("#simulate .mark.m-decided")).Not.ToHaveCountAsync(0);
        var deciding = tab.Page.Locator("#simulate .arrow.deciding");
        Assert.Equal(await tab.Page.Locator("#simulate .mark.m-decided").CountAsync(), await deciding.CountAsync());
        Assert.Equal("3px", await deciding.First.Locator("path").First.EvaluateAsync<string>("path => getComputedStyle(path).strokeWidth"));
        await StepUntilAsync(tab, "decides 1 in round 1 by [23] of 3 votes");
    }

    [SkippableFact]
    public async Task A_message_of_a_step_is_lost_by_keyboard_and_the_focus_stays_at_the_choice()
    {
        await using var tab = await OpenAsync("seed=5");
        var lost = tab.Page.Locator("#simulate .arrow.lost.k-new_round");
        await tab.Page.Locator("#simulate").GetByLabel("Step of the run").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Home");
        await Assertions.Expect(tab.Page.Locator("#simulate .change-step")).ToBeHiddenAsync();
        await StepUntilAsync(tab, "sends new round");
        await tab.Page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(tab.Page.Locator("#simulate").GetByText("Why?")).ToBeFocusedAsync();
        await tab.Page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(tab.Page.Locator("#simulate .change-step")).ToBeFocusedAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(tab.Page.Locator("#simulate [data-change=lose]")).ToHaveCountAsync(2);
        await Assertions.Expect(tab.Page.Locator("#simulate [data-change=lose]").First).ToBeFocusedAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(lost).ToHaveCountAsync(1);
        await Assertions.Expect(tab.Page.Locator("#simulate .changing")).ToBeFocusedAsync();
        await tab.Page.Keyboard.PressAsync("Tab");
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(lost).ToHaveCountAsync(0);
        Assert.Empty(tab.Errors);
    }

    [SkippableTheory]
    [InlineData(ReducedMotion.NoPreference)]
    [InlineData(ReducedMotion.Reduce)]
    public async Task A_message_moves_along_its_arrow_when_it_arrives_but_not_with_reduced_motion(ReducedMotion preference)
    {
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/explore?path=s1.2"), 1280, 844);
        await tab.Page.EmulateMediaAsync(new() { ReducedMotion = preference });
        await tab.Page.EvaluateAsync("""
            () => {
              window.moved = 0;
              const count = ({ addedNodes }) => [...addedNodes].filter((node) => node.matches?.('.moving')).length;
              new MutationObserver((records) => { window.moved += records.reduce((sum, record) => sum + count(record), 0); })
                .observe(document.querySelector('#explore .picture'), { subtree: true, childList: true });
            }
            """);
        await tab.Page.ClickAsync("#explore [data-token='d1']");
        await tab.Page.ClickAsync(".step-menu [data-step='d1.2']");
        await tab.Page.WaitForSelectorAsync("#explore [data-token='r1']");
        await tab.Page.Locator("#explore").GetByLabel("One step back").ClickAsync();
        await tab.Page.Locator("#explore").GetByLabel("One step forward").ClickAsync();
        await tab.FramesAsync(5);
        Assert.Equal(preference == ReducedMotion.Reduce ? 0 : 2, await tab.Page.EvaluateAsync<int>("window.moved"));
        await Assertions.Expect(tab.Page.Locator("#explore .moving")).ToHaveCountAsync(0);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task On_paper_the_whole_picture_is_there_without_controls()
    {
        await using var tab = await OpenAsync("seed=5&agents=5&spread=direct");
        var arrows = await tab.Page.Locator("#simulate .arrow").CountAsync();
        await tab.Page.EvaluateAsync("dispatchEvent(new Event('beforeprint'))");
        await tab.Page.EmulateMediaAsync(new() { Media = Media.Print });
        Assert.Equal(0, await tab.Page.Locator(".bar:visible, .diagram:visible, form:visible, #simulate button:visible").CountAsync());
        await Assertions.Expect(tab.Page.Locator(".printed .arrow")).ToHaveCountAsync(arrows);
        Assert.Equal(5, await tab.Page.Locator(".printed text", new() { HasTextRegex = new("^agent[1-5] = ") }).CountAsync());
        var picture = await Tab.BoxAsync(tab.Page.Locator(".printed svg"));
        Assert.InRange(picture.Height, 300, double.MaxValue);
        Assert.InRange(picture.Width, 300, 1280);
    }

    private async Task<Tab> OpenAsync(string query)
    {
        var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], $"/#simulate?{query}"), 1280, 844);
        await tab.Page.WaitForSelectorAsync("#simulate .mark");
        return tab;
    }

    /// <summary>Presses the right arrow key until the text of the step matches.</summary>
    private static async Task StepUntilAsync(Tab tab, string pattern)
    {
        await tab.Page.Locator("#simulate").GetByLabel("Step of the run").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Home");
        var text = tab.Page.Locator("#simulate .step-text");
        for (var i = 0; i < 60 && !Regex.IsMatch(await text.InnerTextAsync(), pattern); i++)
        {
            await tab.Page.Keyboard.PressAsync("ArrowRight");
        }

        await Assertions.Expect(text).ToContainTextAsync(new Regex(pattern));
    }

    private static async Task<string[]> KindsAsync(Tab tab) =>
        await tab.Page.EvaluateAsync<string[]>(
            "selector => [...new Set([...document.querySelectorAll(selector)].map(arrow => arrow.dataset.kind))].sort()", Visible);
}
