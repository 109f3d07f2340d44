using System.Globalization;
using System.Text;
using System.Text.Json;
using Consensus.Conformance;
using Consensus.Protocol;
using Consensus.Tests.Api;
using Consensus.Timeline;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>Simulated runs on the page.</summary>
[Collection(Chromium.Lab)]
[Trait(Category.Name, Category.System)]
public sealed class SimulateTests(Chromium chromium) : ThreeAgents
{
    [SkippableTheory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task The_classic_rule_is_seen_to_disagree_beside_the_ratified_rule_that_agrees(int width)
    {
        await using var tab = await OpenAsync(width);
        await tab.Page.ClickAsync("#counterexample");
        await tab.Page.WaitForSelectorAsync(".stage[data-rule=classic] .verdict.bad");
        await tab.Page.WaitForSelectorAsync(".stage[data-rule=ratified] .verdict.good");
        await Assertions.Expect(tab.Page.Locator(".sentence")).ToContainTextAsync("had not reached it");
        Assert.Equal(2, (await DecisionsAsync(tab, "classic")).Distinct().Count());
        var ratified = await DecisionsAsync(tab, "ratified");
        Assert.Equal(3, ratified.Count);
        Assert.Single(ratified.Distinct());

        // What was held back is seen to be still on its way.
        Assert.NotEqual(0, await tab.Page.Locator("[data-rule=classic] .arrow.in-flight").CountAsync());
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Empty(tab.Errors);
    }

    [SkippableTheory]
    [InlineData("simulate")]
    [InlineData("explore")]
    public async Task What_a_person_asks_for_while_a_tab_loads_stays(string name)
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0], 1280, 844);
        var answers = await HeldRequest.OfAsync(tab.Page, "**/simulate/mutants");
        await tab.Page.ClickAsync($"#tab-{name}");
        if (name == "simulate")
        {
            await tab.Page.ClickAsync("#counterexample");
            await tab.Page.WaitForSelectorAsync(".stage[data-rule=classic] .verdict.bad");
        }
        else
        {
            await tab.Page.SelectOptionAsync("#explore [name=rule]", "classic");
            await Assertions.Expect(tab.Page.Locator("#explore path.lane")).Not.ToHaveCountAsync(0);
        }

        answers.Release();
        await tab.Page.WaitForFunctionAsync(
            "name => document.querySelectorAll(`#${name} [name=mutant] option`).length > 1 "
                + "&& !document.querySelector(`#${name} .stages[aria-busy]`)",
            name);
        if (name == "simulate")
        {
            await Assertions.Expect(tab.Page.Locator(".stage[data-rule=classic]")).ToHaveCountAsync(1);
        }

        await Assertions.Expect(tab.Page.Locator($"#{name} [name=rule]")).ToHaveValueAsync(name == "simulate" ? "ratified" : "classic");
    }

    [SkippableFact]
    public async Task Two_rules_side_by_side_share_their_rows_their_scroll_position_and_one_slider()
    {
        await using var tab = await chromium.OpenAsync(new Uri(Cluster.Addresses[0], "/#simulate?counterexample="), 1280, 700);
        await tab.Page.WaitForSelectorAsync("[data-rule=ratified] .mark");
        await Assertions.Expect(tab.Page.Locator("#simulate .playback")).ToHaveCountAsync(1);

        // A response of a handshake brings no run.
        await Assertions.Expect(tab.Page.Locator("#simulate .arrow.k-handshake")).ToHaveCountAsync(4);
        await Assertions.Expect(tab.Page.Locator("#simulate .arrow.response.k-state")).ToHaveCountAsync(0);

        // Both runs begin with the same draws at the same times.
        var rows = await RowsAsync();
        Assert.Equal(rows[0], rows[1]);
        await tab.Page.EvaluateAsync("document.querySelector('[data-rule=ratified] .scroll').scrollTop = 90");
        await tab.Page.WaitForFunctionAsync("() => document.querySelector('[data-rule=classic] .scroll').scrollTop > 80");
        rows = await RowsAsync();
        Assert.Equal(rows[0], rows[1]);

        await tab.Page.Locator("#simulate").GetByLabel("Step of the run").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Home");
        foreach (var rule in new[] { "classic", "ratified" })
        {
            await Assertions.Expect(tab.Page.Locator($"[data-rule={rule}] .verdict")).ToHaveTextAsync("At this step no agent has decided.");
            await Assertions.Expect(tab.Page.Locator($"[data-rule={rule}] .cover")).ToBeVisibleAsync();
        }

        await tab.Page.Keyboard.PressAsync("End");
        await Assertions.Expect(tab.Page.Locator("[data-rule=classic] .verdict.bad")).ToContainTextAsync("they disagree");
        Assert.Empty(tab.Errors);

        Task<int[][]> RowsAsync() => tab.Page.EvaluateAsync<int[][]>("""
            ['classic', 'ratified'].map((rule) => [...document.querySelectorAll(`[data-rule=${rule}] .mark[data-kind=drew]`)].slice(0, 2)
              .map((mark) => Math.round(mark.getBoundingClientRect().top)))
            """);
    }

    [SkippableFact]
    public async Task A_seed_is_drawn_with_its_faults_and_steps_through_like_a_real_run()
    {
        await using var tab = await OpenAsync(1280);
        foreach (var (name, value) in new[] { ("agents", "5"), ("drop", "20"), ("crash", "2.5"), ("seed", "11") })
        {
            await tab.Page.FillAsync($".simulation-form [name={name}]", value);
        }

        await tab.Page.ClickAsync(".simulation-form .primary");
        await Assertions.Expect(tab.Page.Locator("#simulate .head")).ToHaveCountAsync(5);
        await Assertions.Expect(tab.Page.Locator(".sentence code"))
            .ToHaveTextAsync("simulate --agents 5 --drop 0.2 --crash 0.025 --seed 11");
        Assert.NotEqual(0, await tab.Page.Locator("#simulate .arrow.lost").CountAsync());
        await tab.Page.Locator("#simulate").GetByLabel("To the beginning").ClickAsync();
        await Assertions.Expect(tab.Page.Locator("#simulate .step-text")).ToContainTextAsync("Before the first step");

        await tab.Page.ClickAsync("#next-seed");
        await Assertions.Expect(tab.Page.Locator(".sentence code")).ToContainTextAsync("--seed 12");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_file_with_an_observed_run_is_drawn_and_another_file_is_refused()
    {
        var run = new RunDescriptor(
            new RunId(1, "agent1", "a"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 20,
            new Dictionary<string, string> { ["agent1"] = "a", ["agent2"] = "b", ["agent3"] = "c" });
        var history = new ObservedHistory(["agent1", "agent2", "agent3"], TimeProvider.System);
        var lost = new ObservedCall(0, 1, 1, new Proposal("agent1", 2, 1, run)) { Lost = true };
        history.Add(HistoryEventKind.Sent, 0, 1, lost);
        history.Add(HistoryEventKind.Unanswered, 0, 1, lost);
        history.Add(HistoryEventKind.Sent, 2, 1, new ObservedCall(2, 1, 0, new Final(3, 1, run, "agent3")));
        var timeline = SimulatedTimeline.Of(HistoryTrace.Of(history, null), 3, "agent3 decided 3, which no agent proposed.", []);

        await using var tab = await OpenAsync(1280);
        var input = tab.Page.Locator("#simulate input[type=file]");
        await input.SetInputFilesAsync(FileOf("run.json", JsonSerializer.Serialize(timeline, TimelineJson.Default.ClusterTimeline)));
        await Assertions.Expect(tab.Page.Locator(".sentence")).ToHaveTextAsync("agent3 decided 3, which no agent proposed.");
        await Assertions.Expect(tab.Page.Locator("[data-rule=observed] .head")).ToHaveCountAsync(3);
        await Assertions.Expect(tab.Page.Locator("[data-rule=observed] .arrow.lost")).ToHaveCountAsync(1);

        var good = JsonSerializer.Serialize(timeline, TimelineJson.Default.ClusterTimeline);
        foreach (var (text, reason) in new[]
        {
            ("{", "it is not JSON"), ("{}", "it has no list “lanes”"),
            (good.Replace("\"folded\"", "\"x\"", StringComparison.Ordinal), "it has no list “folded”"),
            (good.Replace("\"unresponsive\"", "\"x\"", StringComparison.Ordinal), "it has no list “unresponsive”"),
            (good.Replace("\"sent\":", "\"sent\":\"now\",\"x\":", StringComparison.Ordinal), "the time of a message"),
            (good.Replace("\"from\":", "\"answered\":-9,\"from\":", StringComparison.Ordinal), "a response comes before its request"),
            (good.Replace("\"version\":2", "\"version\":3", StringComparison.Ordinal), "its version is 3"),
            (good[..^1] + ",\"states\":[{\"at_ms\":0,\"lane\":3}]}", "the state of an agent has no time, agent or value"),
            (good[..^1] + ",\"texts\":[1]}", "its words are no text"),
        })
        {
            await input.SetInputFilesAsync(FileOf("other.json", text));
            await Assertions.Expect(tab.Page.Locator("#notice")).ToContainTextAsync($"other.json cannot be shown: {reason}");
        }

        Assert.Equal(0, await tab.Page.Locator("#simulate .stage").CountAsync());
        Assert.Empty(tab.Errors);
    }

    [SkippableTheory]
    [InlineData("\"version\":1")]
    [InlineData("\"earlier\":0")] // Files of before had no version.
    public async Task A_file_of_version_1_is_drawn_as_the_same_run_of_version_2(string version)
    {
        var path = "/simulate?seed=7&drop=0.2&crash=0.05";
        using var now = JsonDocument.Parse((await Clients[0].Get(path)).Body.GetRawText());
        var earlier = FormerNames.Aggregate(
            now.RootElement.GetRawText().Replace("\"version\":2", version, StringComparison.Ordinal),
            (text, name) => text.Replace($"\"{name.Now}\":", $"\"{name.Former}\":", StringComparison.Ordinal));
        Assert.All(FormerNames, name => Assert.Contains($"\"{name.Former}\":", earlier, StringComparison.Ordinal));
        await using var tab = await OpenAsync(1280);
        var (input, svg) = (tab.Page.Locator("#simulate input[type=file]"), tab.Page.Locator("[data-rule=observed] .diagram svg").First);
        await input.SetInputFilesAsync(FileOf("now.json", now.RootElement.GetRawText()));
        await Assertions.Expect(svg.Locator(".mark").First).ToBeAttachedAsync();
        var drawn = await svg.InnerHTMLAsync();
        await input.SetInputFilesAsync(FileOf("none.json", "{}"));
        await Assertions.Expect(tab.Page.Locator("#simulate .stage")).ToHaveCountAsync(0);
        await input.SetInputFilesAsync(FileOf("earlier.json", earlier));
        await Assertions.Expect(svg.Locator(".mark").First).ToBeAttachedAsync();
        Assert.Equal(drawn, await svg.InnerHTMLAsync());
        Assert.Empty(tab.Errors);
    }

    /// <summary>What version 1 of a run's form called five of its fields.</summary>
    private static readonly (string Now, string Former)[] FormerNames =
        [("at_ms", "t"), ("role", "part"), ("piggybacked", "news"), ("estimated", "guessed"), ("unresponsive", "silences")];

    private static FilePayload FileOf(string name, string text) =>
        new() { Name = name, MimeType = "application/json", Buffer = Encoding.UTF8.GetBytes(text) };

    [SkippableFact]
    public async Task However_much_of_a_long_run_is_unfolded_only_what_is_in_sight_is_drawn()
    {
        await using var tab = await OpenAsync(1280);
        await tab.Page.SelectOptionAsync(".simulation-form [name=rule]", "classic");
        await tab.Page.FillAsync(".simulation-form [name=agents]", "9");
        await tab.Page.FillAsync(".simulation-form [name=values]", "1000000");
        await tab.Page.ClickAsync(".simulation-form .primary");
        var (folds, messages) = (tab.Page.Locator("#simulate .fold"), tab.Page.Locator("#simulate .verdict .figures"));
        await Assertions.Expect(folds).ToHaveCountAsync(1);
        for (var i = 0; i < 5; i++)
        {
            var before = await messages.InnerTextAsync();
            await folds.First.FocusAsync();
            await folds.First.PressAsync("Enter");
            await Assertions.Expect(messages).Not.ToHaveTextAsync(before);
        }

        var count = (await messages.InnerTextAsync()).Split(' ')[0];
        Assert.InRange(int.Parse(count, NumberStyles.AllowThousands, CultureInfo.InvariantCulture), 3_000, 20_000);
        foreach (var part in new[] { 0, 0.3, 0.6, 1 })
        {
            await tab.Page.EvaluateAsync("part => { const scroll = document.querySelector('#simulate .scroll'); "
                + "scroll.scrollTop = part * scroll.scrollHeight; }", part);
            await tab.FramesAsync(2);
            Assert.InRange(await tab.Page.Locator("#simulate .picture *").CountAsync(), 50, 4_000);
        }

        // Find-in-page also finds what is out of sight.
        const string Find = "value => { getSelection().removeAllRanges(); return find(value); }";
        var value = await tab.Page.Locator("#simulate .mark .value").Last.TextContentAsync();
        await tab.Page.EvaluateAsync("document.querySelector('#simulate .scroll').scrollTop = 0");
        await tab.Page.WaitForFunctionAsync($"value => !({Find})(value)", value);
        await tab.Page.Keyboard.PressAsync("Control+f");
        Assert.True(await tab.Page.EvaluateAsync<bool>(Find, value));

        Assert.Empty(tab.Errors);
    }

    private async Task<Tab> OpenAsync(int width)
    {
        var tab = await chromium.OpenAsync(Cluster.Addresses[0], width, 844);
        await tab.Page.ClickAsync("#tab-simulate");
        return tab;
    }

    private static async Task<IReadOnlyList<string>> DecisionsAsync(Tab tab, string rule) =>
        await tab.Page.Locator($"[data-rule={rule}] .head .chip").AllInnerTextsAsync();
}
