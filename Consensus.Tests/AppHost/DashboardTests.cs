using System.Text.RegularExpressions;
using Consensus.Tests.Browser;
using Microsoft.Playwright;

namespace Consensus.Tests.AppHost;

/// <summary>
/// The real dashboard in Chromium, as a person uses it. With <c>CONSENSUS_SCREENSHOTS</c> set to a folder, the pictures of
/// the README are taken into it.
/// </summary>
[Collection(RunningApplication.Collection)]
[Trait(Category.Name, Category.System)]
public sealed partial class DashboardTests(RunningApplication application, Chromium chromium) : IAsyncLifetime
{
    public Task InitializeAsync() => application.BeginAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [SkippableFact]
    public async Task A_click_on_run_shows_the_decision_in_the_list_and_in_a_sentence_behind_the_bell()
    {
        await application.SucceedAsync("consensus", "reset");
        await using var tab = await OpenAsync("");
        await Assertions.Expect(State(tab, "consensus")).ToHaveTextAsync("Running");
        await Assertions.Expect(Dashboard.Outcome(tab)).ToHaveTextAsync("Ready");
        await Dashboard.RunAsync(tab);
        await Dashboard.DecidedAsync(tab);
        await Assertions.Expect(tab.Page.GetByText("consensus \"Run consensus\" succeeded")).ToBeVisibleAsync();
        await Dashboard.PictureAsync(tab.Page, "dashboard-resources");

        await tab.Page.GetByLabel("Notifications").First.ClickAsync();
        await Assertions.Expect(tab.Page.GetByText(Sentence()).First).ToBeVisibleAsync();
        AssertNoErrors(tab);
    }

    [SkippableFact]
    public async Task The_longest_value_is_seen_in_the_list_on_a_telephone()
    {
        await application.SucceedAsync("consensus", "reset");
        await using var tab = await Dashboard.OpenAsync(chromium, application.Dashboard, 390, 844);
        await Assertions.Expect(Dashboard.Outcome(tab)).ToHaveTextAsync("Ready");
        await application.SucceedAsync("consensus", "run-with", ("values", "1000000000"), ("draw", "plurality"));
        await Assertions.Expect(Dashboard.Outcome(tab)).ToHaveTextAsync(new Regex(@"Decided \d{7,10}"));
        Assert.True(await Dashboard.Outcome(tab).EvaluateAsync<bool>(
            "link => link.getBoundingClientRect().right <= link.closest('td').getBoundingClientRect().right"));
        AssertNoErrors(tab);
    }

    [SkippableFact]
    public async Task Run_with_options_asks_in_a_dialog_refuses_a_wrong_number_and_opens_the_outcome()
    {
        await using var tab = await OpenAsync("");
        await Dashboard.Action(tab, "consensus", "Starts a run with").ClickAsync();
        var dialog = tab.Page.Locator("fluent-dialog");
        var values = dialog.Locator(".interaction-input").Filter(new() { HasText = "Values" }).Locator("input");
        await values.FillAsync("0");
        await Confirm(dialog).ClickAsync();
        await Assertions.Expect(dialog.GetByText("values is '0'; it must be a whole number from 1 to 1000000000.")).ToBeVisibleAsync();
        await Dashboard.PictureAsync(tab.Page, "dashboard-options");
        await values.FillAsync("1");
        await Confirm(dialog).ClickAsync();
        await Assertions.Expect(tab.Page.Locator("fluent-dialog").GetByText("agent1, agent2, agent3 decided 1 in round 1"))
            .ToBeVisibleAsync();
        AssertNoErrors(tab);
    }

    [SkippableFact]
    public async Task A_failed_run_names_the_cause_in_its_toast_and_the_isolated_agent_is_marked()
    {
        await application.SucceedAsync("agent3", "isolate");
        await using var tab = await OpenAsync("");
        await Assertions.Expect(Dashboard.Outcome(tab)).ToHaveTextAsync("1 isolated");
        await Assertions.Expect(State(tab, "agent3")).ToContainTextAsync("Degraded");
        await Dashboard.Action(tab, "agent3", "Starts a run by this agent").ClickAsync();
        await Assertions.Expect(tab.Page.GetByText("agent3 is isolated: reconnect it").First).ToBeVisibleAsync();
        AssertNoErrors(tab);
    }

    [SkippableFact]
    public async Task A_run_is_one_trace_of_three_agents_that_reads_like_the_protocol()
    {
        await application.SucceedAsync("consensus", "run");
        var ran = await application.SucceedAsync("consensus", "run-with", ("values", "1"), ("agent", "agent2"));
        Assert.Contains("decided 1", ran.Message, StringComparison.Ordinal);
        await using var tab = await OpenAsync("traces");
        var trace = tab.Page.Locator("tr").Filter(new() { HasText = "agent2: run" }).Last;
        foreach (var name in RunningApplication.Names)
        {
            await Assertions.Expect(trace).ToContainTextAsync($"{name} (");
        }

        await Assertions.Expect(tab.Page.Locator("tr").Filter(new() { HasText = "POST /reset" })).ToHaveCountAsync(0);
        await trace.ClickAsync();
        foreach (var line in new[]
        {
            "run [0-9]+: decided 1 in round 1", "new_round 1, propose 1 → agent[13]", "(vote|final) 1 → agent",
            "^ *decided 1",
        })
        {
            await Assertions.Expect(tab.Page.Locator("tr").GetByText(new Regex(line)).First).ToBeVisibleAsync();
        }

        await Dashboard.PictureAsync(tab.Page, "dashboard-trace");
        AssertNoErrors(tab);
    }

    [SkippableFact]
    public async Task The_page_of_a_run_leads_to_its_trace()
    {
        await application.SucceedAsync("consensus", "run");
        var cluster = await application.WaitAsync("consensus", now => now.Urls.Any(url => url.IsInternal));
        await using var tab = await OpenAsync("");
        await tab.Page.GotoAsync(cluster.Urls.Single(url => !url.IsInternal).Url);
        var link = tab.Page.GetByRole(AriaRole.Link, new() { Name = "Trace", Exact = true });
        Assert.Equal(cluster.Urls.Single(url => url.IsInternal).Url, await link.GetAttributeAsync("href"));
        await tab.Page.GotoAsync((await link.GetAttributeAsync("href"))!);
        await Assertions.Expect(tab.Page.Locator("tr").GetByText(new Regex("run [0-9]+: decided")).First).ToBeVisibleAsync();
        await Assertions.Expect(tab.Page.GetByText("Waiting for span")).ToHaveCountAsync(0);
        AssertNoErrors(tab);
    }

    [SkippableFact]
    public async Task Logs_hold_the_draws_and_the_decisions()
    {
        await application.SucceedAsync("consensus", "run-with", ("values", "1"));
        await using var tab = await OpenAsync("structuredlogs");
        foreach (var name in RunningApplication.Names)
        {
            await Assertions.Expect(tab.Page.GetByText($"[{name}] Round 1, Attempt 1, Value 1").First).ToBeVisibleAsync();
            await Assertions.Expect(tab.Page.GetByText(new Regex($@"\[{name}\].*decided 1")).First).ToBeVisibleAsync();
        }

        AssertNoErrors(tab);
    }

    [SkippableFact]
    public async Task Metrics_list_those_of_the_agents()
    {
        await application.SucceedAsync("consensus", "run");
        await using var tab = await OpenAsync("metrics/resource/agent1");
        foreach (var instrument in new[] { "consensus.decision.duration", "consensus.messages", "consensus.rounds", "consensus.runs" })
        {
            await Assertions.Expect(tab.Page.GetByText(instrument, new() { Exact = true }).First).ToBeVisibleAsync();
        }

        AssertNoErrors(tab);
    }

    [SkippableFact]
    public async Task The_graph_shows_the_cluster_and_its_agents()
    {
        await using var tab = await OpenAsync("?view=Graph");
        foreach (var name in RunningApplication.Names.Append("consensus"))
        {
            await Assertions.Expect(tab.Page.Locator("svg").GetByText(name, new() { Exact = true }).First).ToBeVisibleAsync();
        }

        AssertNoErrors(tab);
    }

    /// <summary>Logs in, then goes to a page of the dashboard.</summary>
    private async Task<Tab> OpenAsync(string path)
    {
        var tab = await Dashboard.OpenAsync(chromium, application.Dashboard);
        if (path.Length > 0)
        {
            await tab.Page.GotoAsync(new Uri(application.Dashboard, "/" + path).ToString());
        }

        return tab;
    }

    /// <summary>The dashboard's own input of numbers warns where it is filled at once; errors are not expected.</summary>
    private static void AssertNoErrors(Tab tab)
    {
        var errors = string.Join('\n', tab.Errors.Except(tab.Warnings));
        Assert.True(errors.Length == 0, errors);
    }

    private static ILocator State(Tab tab, string resource) => Dashboard.Row(tab, resource).Locator("td").Nth(1);

    private static ILocator Confirm(ILocator dialog) => dialog.Locator("fluent-button").Filter(new() { HasText = "Run with options" });

    [GeneratedRegex(@"agent1, agent2, agent3 decided [123] in rounds? [0-9to ]+ \([0-9.]+ m?s\)")]
    private static partial Regex Sentence();
}
