using System.Text.RegularExpressions;
using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>Copies of a run: pictures, JSON, and texts for other tools.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed partial class ShareTests(Chromium chromium) : ThreeAgents
{
    private static readonly string Goldens = Path.Combine(SourceTree.Root, "Consensus.Tests", "Browser", "Goldens");

    [SkippableFact]
    public async Task A_disagreement_is_shared_as_texts_for_mermaid_and_shiviz_and_as_a_picture_that_states_it()
    {
        await using var tab = await OpenAsync("/explore?rule=classic&path=s1.1-d1.1-w1.2-d5.2");
        await Assertions.Expect(tab.Page.Locator("[data-property=agreement].broken")).ToBeVisibleAsync();
        AssertGolden("disagreement.mmd", await SharedAsync(tab, "#explore", "Mermaid diagram"));
        var log = await SharedAsync(tab, "#explore", "ShiViz log");
        AssertGolden("disagreement.shiviz.txt", log);
        Assert.Equal(log.Split('\n').Length / 2, ShiVizEvent().Count(log));
        Assert.Contains("agent2 decided 1 and agent3 decided 2: they disagree.",
            await SharedAsync(tab, "#explore", "Picture as SVG"), StringComparison.Ordinal);
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task A_run_saved_as_json_draws_the_same_picture_again_also_while_the_agent_is_down()
    {
        const string Lost = "#simulate .arrow.lost";
        await using var tab = await OpenAsync("/#simulate?seed=5&agents=5&drop=0.2&crash=0.03");
        await tab.Page.WaitForSelectorAsync(Lost);
        var picture = await SharedAsync(tab, "#simulate", "Picture as SVG");
        var saved = await SharedAsync(tab, "#simulate", "Run as JSON");
        Assert.StartsWith("\uFFFDPNG", await SharedAsync(tab, "#simulate", "Picture as PNG"), StringComparison.Ordinal);
        Assert.Empty(tab.Errors);

        await tab.Page.Context.SetOfflineAsync(true);
        var file = new FilePayload { Name = "run.json", MimeType = "application/json", Buffer = System.Text.Encoding.UTF8.GetBytes(saved) };
        await tab.Page.Locator("#simulate input[type=file]").SetInputFilesAsync(file);
        await tab.Page.WaitForSelectorAsync("[data-rule=observed] .arrow.lost");
        Assert.Equal(picture, await SharedAsync(tab, "#simulate", "Picture as SVG"));
        Assert.Equal(saved, await SharedAsync(tab, "#simulate", "Run as JSON"));

        // Names that differ only in a space stay two, and a long name widens nothing.
        var renamed = saved.Replace("agent1", "agent one", StringComparison.Ordinal)
            .Replace("agent2", "agent_one", StringComparison.Ordinal).Replace("agent3", new string('Ж', 64), StringComparison.Ordinal);
        await tab.Page.Locator("#simulate input[type=file]").SetInputFilesAsync(
            new FilePayload { Name = "run.json", MimeType = "application/json", Buffer = System.Text.Encoding.UTF8.GetBytes(renamed) });
        await tab.Page.Locator("#simulate .head", new() { HasText = "agent one" }).First.WaitForAsync();
        var log = await SharedAsync(tab, "#simulate", "ShiViz log");
        Assert.Equal(5, ShiVizEvent().Matches(log).Select(line => line.Groups["host"].Value).Distinct().Count());
        Assert.All(ShiVizEvent().Matches(log),
            line => Assert.Contains($"\"{line.Groups["host"].Value}\":", line.Groups["clock"].Value, StringComparison.Ordinal));
        Assert.Equal(1280, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    [SkippableFact]
    public async Task A_saved_picture_holds_the_messages_in_flight()
    {
        await using var tab = await OpenAsync("/explore?path=s1.2-d1.2");
        await Assertions.Expect(tab.Page.Locator("#explore .token")).ToHaveCountAsync(3);
        var picture = await SharedAsync(tab, "#explore", "Picture as SVG");
        Assert.Contains(">↩ ✓ 2</text>", picture, StringComparison.Ordinal);
        Assert.Equal(2, Regex.Count(picture, ">round 1 · 2</text>"));
        Assert.Empty(tab.Errors);
    }

    /// <summary>The golden text, and the texts of runs with lost messages, restarts, learners and a broken rule.</summary>
    [SkippableFact]
    public async Task Mermaid_itself_reads_the_texts_that_are_made_for_it()
    {
        var mermaid = Environment.GetEnvironmentVariable("MERMAID_PATH") ?? "";
        if (!File.Exists(mermaid))
        {
            MissingTool.Report("MERMAID_PATH names no mermaid.min.js of the npm package mermaid.");
        }

        var texts = new List<string> { Golden.Read(Path.Combine(Goldens, "disagreement.mmd")) };
        await using var tab = await OpenAsync("/");
        foreach (var query in new[]
        {
            "agents=5&drop=0.2&crash=0.03&reset=0.02&seed=4", "rule=classic&agents=4&seed=2&latency=tail",
            "mutant=restarted-member&crash=0.05&drop=0.1&seed=3",
        })
        {
            await tab.Page.GotoAsync(new Uri(Cluster.Addresses[0], $"/?{texts.Count}#simulate?{query}").ToString());
            await tab.Page.WaitForSelectorAsync("#simulate .mark");
            texts.Add(await SharedAsync(tab, "#simulate", "Mermaid diagram"));
        }

        await tab.Page.GotoAsync("about:blank");
        await tab.Page.AddScriptTagAsync(new() { Path = mermaid });
        foreach (var text in texts)
        {
            Assert.Equal("sequence", await tab.Page.EvaluateAsync<string>("async (text) => (await mermaid.parse(text)).diagramType", text));
        }

        await Assert.ThrowsAsync<PlaywrightException>(
            () => tab.Page.EvaluateAsync("(text) => mermaid.parse(text)", texts[0].Replace("->>", "-", StringComparison.Ordinal)));
    }

    private Task<Tab> OpenAsync(string address) => chromium.OpenAsync(new Uri(Cluster.Addresses[0], address), 1280, 844);

    /// <summary>The text of the file that a button of the menu saves.</summary>
    private static async Task<string> SharedAsync(Tab tab, string view, string button)
    {
        var menu = tab.Page.Locator($"{view} .share");
        if (await menu.GetAttributeAsync("open") is null)
        {
            await menu.Locator("summary").ClickAsync();
        }

        var download = await tab.Page.RunAndWaitForDownloadAsync(() => menu.GetByText(button, new() { Exact = true }).ClickAsync());
        return await File.ReadAllTextAsync(await download.PathAsync());
    }

    private static void AssertGolden(string name, string actual)
    {
        var path = Path.Combine(Goldens, name);
        Golden.AssertEqual(path, Golden.Read(path), actual);
    }

    /// <summary>The pattern with which ShiViz reads a log unless another is given.</summary>
    [GeneratedRegex(@"^(?<event>.*)\n(?<host>\S*) (?<clock>{.*})$", RegexOptions.Multiline)]
    private static partial Regex ShiVizEvent();
}
