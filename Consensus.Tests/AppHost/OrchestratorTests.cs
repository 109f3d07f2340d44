using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.Tests.AppHost;

/// <summary>
/// The application through the real orchestrator: commands and what they answer, states, health, agents that go and return.
/// </summary>
[Collection(RunningApplication.Collection)]
[Trait(Category.Name, Category.System)]
public sealed partial class OrchestratorTests(RunningApplication application) : IAsyncLifetime
{
    public Task InitializeAsync() => application.BeginAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Run_consensus_answers_with_the_decision_in_a_sentence_and_every_agent_holds_it()
    {
        var ran = await application.SucceedAsync("consensus", "run");
        var sentence = Sentence().Match(ran.Message!);
        Assert.True(sentence.Success, ran.Message);
        Assert.StartsWith($"**{ran.Message}**", ran.Data!.Value, StringComparison.Ordinal);
        var shown = await application.ClusterIsAsync($"Decided {sentence.Groups["value"].Value}");
        Assert.Equal(("Running", HealthStatus.Healthy), (shown.State?.Text, shown.HealthStatus));
        var properties = shown.Properties.ToDictionary(property => property.Name, property => property.Value?.ToString());
        var run = properties["Run"];
        Assert.Equal([$"?run={run}"],
            shown.Urls.Where(url => !url.IsInternal).Select(url => Uri.UnescapeDataString(new Uri(url.Url).Query)));
        Assert.Contains($"/?run={run})", ran.Data.Value, StringComparison.Ordinal);
        var trace = TraceLink().Match(ran.Data.Value).Groups["address"].Value;
        Assert.Equal(application.Dashboard.GetLeftPart(UriPartial.Authority), new Uri(trace).GetLeftPart(UriPartial.Authority));
        Assert.Equal(trace, Assert.Single(shown.Urls, url => url.IsInternal).Url);
        foreach (var name in RunningApplication.Names)
        {
            using var client = application.ClientOf(name);
            var (code, held) = await client.Get($"/consensus?run={run}");
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal(sentence.Groups["value"].Value, held.GetProperty("value").ToString());
        }

        Assert.Equal(ran.Message, properties["Outcome"]);
        Assert.Equal(("ratified", "agent1, agent2, agent3"), (properties["Rule"], properties["Agents up"]));
        Assert.Equal(sentence.Groups["value"].Value, properties["Value"]);
        Assert.All(["Rounds", "Messages", "Duration"], name => Assert.NotEmpty(properties[name]!));
        await application.WaitAsync("agent2", now =>
            RunningApplication.PropertyOf(now, "Value") == sentence.Groups["value"].Value
                && RunningApplication.PropertyOf(now, "Run") == run);
    }

    [Fact]
    public async Task Messages_are_counted_until_the_last_one_as_the_page_counts_them()
    {
        await application.SucceedAsync("consensus", "run");
        var run = RunningApplication.PropertyOf(await application.WaitAsync("consensus", _ => true), "Run");
        using var client = application.ClientOf("agent1");
        var (shown, figures) = ("", "");
        for (var since = Stopwatch.StartNew(); since.Elapsed < TimeSpan.FromSeconds(30); await Task.Delay(50, application.Limit))
        {
            var (_, timeline) = await client.Get($"/timeline?cluster=true&run={run}");
            figures = timeline.GetProperty("verdict").GetProperty("figures").GetString()!;
            var before = shown;
            shown = RunningApplication.PropertyOf(await application.WaitAsync("consensus", _ => true), "Messages");
            if (figures.StartsWith($"{shown} message", StringComparison.Ordinal) && before == shown)
            {
                return;
            }
        }

        Assert.Fail($"The page shows {figures}, the dashboard {shown}.");
    }

    [Fact]
    public async Task A_disagreement_fails_the_command_and_leads_to_the_error_in_its_trace()
    {
        for (var tries = 0; tries < 200; tries++)
        {
            var ran = await application.CommandAsync("consensus", "run-with", ("rule", "classic"), ("values", "2"), ("window-ms", "0"));
            if (ran.Success || !ran.Message!.StartsWith("The agents disagree: ", StringComparison.Ordinal))
            {
                continue;
            }

            Assert.Matches(@"^The agents disagree: agent1 decided \d, agent2 decided \d, agent3 decided \d\. Trace: http", ran.Message);
            var shown = await application.ClusterIsAsync("Disagreed");
            Assert.Equal(KnownResourceStateStyles.Error, shown.State?.Style);
            Assert.EndsWith(Assert.Single(shown.Urls, url => url.IsInternal).Url, ran.Message, StringComparison.Ordinal);
            return;
        }

        Assert.Fail("No run disagreed.");
    }

    [Fact]
    public async Task Run_with_options_takes_them_and_opens_a_table()
    {
        var ran = await application.SucceedAsync(
            "consensus", "run-with", ("rule", "classic"), ("values", "1"), ("window-ms", "300"), ("seed", "7000000000"),
            ("agent", "agent2"));
        Assert.Equal(CommandResultFormat.Markdown, ran.Data!.Format);
        Assert.True(ran.Data.DisplayImmediately);
        Assert.StartsWith($"**{ran.Message}**", ran.Data.Value, StringComparison.Ordinal);

        // On a busy machine the window ends before an agent has its peers' proposals, or it learns a decision before it draws.
        Assert.Matches(@"\| agent3 \| 1 \| \d+ \| \d+ \|", ran.Data.Value);
        Assert.Contains(
            "rule classic, draw fresh, values 1, window 300 ms, spread direct, seed 7000000000", ran.Data.Value, StringComparison.Ordinal);
        using var client = application.ClientOf("agent1");
        var descriptor = (await client.Get("/state")).Body.GetProperty("descriptor");
        Assert.Equal("classic", descriptor.GetProperty("rule").GetString());
        Assert.Equal(
            (1, 300, 7_000_000_000), (descriptor.GetProperty("values").GetInt32(),
            descriptor.GetProperty("window_ms").GetInt32(), descriptor.GetProperty("seed").GetInt64()));
        Assert.Contains(".agent2.", descriptor.GetProperty("id").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("values", "0")]
    [InlineData("window-ms", "60001")]
    [InlineData("seed", "9007199254740992")]
    [InlineData("rule", "unanimous")]
    [InlineData("agent", "agent9")]
    public async Task A_wrong_option_is_refused_and_nothing_is_started(string name, string value)
    {
        using var client = application.ClientOf("agent1");
        var before = (await client.Get("/state")).Body.GetRawText();
        var refused = await application.CommandAsync("consensus", "run-with", (name, value));
        Assert.False(refused.Success);
        Assert.Equal("Command argument validation failed.", refused.Message);
        Assert.Equal(before, (await client.Get("/state")).Body.GetRawText());
    }

    [Fact]
    public async Task A_parameter_takes_only_values_that_agents_take()
    {
        var refused = await application.CommandAsync("values", "set-parameter", ("Value", "0"));
        Assert.False(refused.Success);
        Assert.Equal("3", (await application.WaitAsync("values", _ => true)).Properties.Single(property => property.Name == "Value").Value);
        Assert.True((await application.CommandAsync("values", "set-parameter", ("Value", "3"))).Success);
    }

    [Fact]
    public async Task A_run_takes_the_present_parameters_and_a_deleted_one_falls_back_to_its_default()
    {
        Assert.True((await application.CommandAsync("values", "set-parameter", ("Value", "1"))).Success);
        Assert.Contains("values 1,", (await application.SucceedAsync("consensus", "run")).Data!.Value, StringComparison.Ordinal);
        Assert.Equal("values has its default again: 3", (await application.SucceedAsync("values", "delete-parameter")).Message);
        Assert.Contains("values 3,", (await application.SucceedAsync("agent2", "run")).Data!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_key_says_that_the_agents_must_restart_and_a_deleted_one_is_the_first_again()
    {
        Assert.True((await application.CommandAsync("cluster-key", "set-parameter", ("Value", new string('k', 20)))).Success);
        var refused = await application.CommandAsync("agent1", "reset");
        Assert.Equal(
            (false, "agent1 has another cluster-key. Restart the agents: they take a new key when they start."),
            (refused.Success, refused.Message));
        await application.SucceedAsync("cluster-key", "delete-parameter");
        await application.SucceedAsync("agent1", "reset");
        Assert.False((await application.CommandAsync("cluster-key", "set-parameter", ("Value", "short"))).Success);
    }

    [Fact]
    public async Task Reset_all_makes_all_agents_forget()
    {
        await application.SucceedAsync("consensus", "run");
        var reset = await application.SucceedAsync("consensus", "reset");
        Assert.Equal("agent1, agent2, agent3 were reset", reset.Message);
        await application.ClusterIsAsync("Ready");
        foreach (var name in RunningApplication.Names)
        {
            using var client = application.ClientOf(name);
            Assert.Equal(HttpStatusCode.Accepted, (await client.Get("/consensus")).Code);
        }
    }

    [Fact]
    public async Task An_isolated_agent_is_degraded_its_commands_toggle_and_its_run_fails_with_the_reason()
    {
        await application.WaitAsync("agent3", now => IsEnabled(now, "isolate") && !IsEnabled(now, "reconnect"));
        Assert.Equal("agent3 is isolated", (await application.SucceedAsync("agent3", "isolate")).Message);
        await application.ClusterIsAsync("1 isolated");
        var degraded = await application.WaitAsync("agent3", now => now.HealthStatus == HealthStatus.Degraded);
        Assert.Contains(degraded.HealthReports, report => report.Description!.Contains("isolated", StringComparison.Ordinal));
        await application.WaitAsync("agent3", now => !IsEnabled(now, "isolate") && IsEnabled(now, "reconnect"));

        var alone = await application.CommandAsync("agent3", "run");
        Assert.False(alone.Success);
        Assert.Contains("agent3 is isolated: reconnect it", alone.Message, StringComparison.Ordinal);

        // The others decide without it, and the cluster finds one of them.
        var ran = await application.SucceedAsync("consensus", "run");
        Assert.Contains("agent1, agent2 decided", ran.Message, StringComparison.Ordinal);
        Assert.Contains("agent3 is isolated", ran.Message, StringComparison.Ordinal);

        Assert.Equal("agent1, agent2, agent3 have no faults now", (await application.SucceedAsync("consensus", "heal")).Message);
        await application.WaitAsync("agent3", now => now.HealthStatus == HealthStatus.Healthy && IsEnabled(now, "isolate"));
        Assert.Contains("agent1, agent2, agent3 decided",
            (await application.SucceedAsync("agent3", "run")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_agent_runs_forgets_and_is_connected_again_by_commands_of_its_own()
    {
        Assert.Matches(Sentence(), (await application.SucceedAsync("agent2", "run")).Message);
        Assert.Equal("agent2 was reset", (await application.SucceedAsync("agent2", "reset")).Message);
        using var client = application.ClientOf("agent2");
        Assert.Equal(HttpStatusCode.Accepted, (await client.Get("/consensus")).Code);
        await application.SucceedAsync("agent2", "isolate");
        Assert.Equal("agent2 is connected again", (await application.SucceedAsync("agent2", "reconnect")).Message);
        Assert.Matches(Sentence(), (await application.SucceedAsync("consensus", "run")).Message);
    }

    [Fact]
    public async Task Without_the_first_agent_the_cluster_still_runs_and_the_agent_learns_what_it_missed()
    {
        await application.StopAsync("agent1");
        await application.ClusterIsAsync("2 of 3 up");
        await application.WaitAsync("agent1", now => !IsEnabled(now, "run") && !IsEnabled(now, "reset") && !IsEnabled(now, "isolate"));
        var ran = await application.SucceedAsync("consensus", "run");
        Assert.Contains("agent2, agent3 decided", ran.Message, StringComparison.Ordinal);
        Assert.Contains("agent1 is down", ran.Message, StringComparison.Ordinal);
        var page = await application.ClusterIsAsync($"Decided {Sentence().Match(ran.Message!).Groups["value"].Value}");
        Assert.Equal(application.App.GetEndpoint("agent2", "http"),
            new Uri(new Uri(Assert.Single(page.Urls, url => !url.IsInternal).Url), "/"));

        await application.StartAsync("agent1");
        await application.WaitAsync("consensus", now =>
            now.Properties.Single(property => property.Name == "Outcome").Value!.ToString()!.StartsWith(
                "agent1, agent2, agent3 decided", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_quorum_a_run_fails_with_the_reason()
    {
        await application.StopAsync("agent2");
        await application.StopAsync("agent3");
        await application.ClusterIsAsync("1 of 3 up");
        var failed = await application.CommandAsync("consensus", "run");
        Assert.False(failed.Success);
        Assert.Contains("Too few agents answered", failed.Message, StringComparison.Ordinal);
        await application.StartAsync("agent2");
        await application.StartAsync("agent3");
    }

    [Fact]
    public async Task Every_link_leads_to_a_page()
    {
        using var http = new HttpClient();
        foreach (var name in RunningApplication.Names)
        {
            var links = (await application.WaitAsync(name, now => now.HealthStatus == HealthStatus.Healthy)).Urls;
            Assert.Equal(["Run", "Timeline", "Consensus", "State", "API"],
                links.Where(link => !link.IsInternal).Select(link => link.DisplayProperties.DisplayName));
            foreach (var link in links)
            {
                Assert.True((await http.GetAsync(link.Url, application.Limit)).IsSuccessStatusCode, link.Url);
            }
        }

        var timeline = Assert.Single(
            (await application.WaitAsync("consensus", now => RunningApplication.OutcomeOf(now) is not null)).Urls,
            url => !url.IsInternal);
        Assert.Contains("<title>", await http.GetStringAsync(timeline.Url, application.Limit), StringComparison.Ordinal);
    }

    private static bool IsEnabled(CustomResourceSnapshot snapshot, string command) =>
        snapshot.Commands.Any(found => found.Name == command && found.State == ResourceCommandState.Enabled);

    [GeneratedRegex(@"\[Trace\]\((?<address>http://[^)]+/traces/detail/[0-9a-f]{32})\)")]
    private static partial Regex TraceLink();

    [GeneratedRegex(@"^(agent1, )?agent2, agent3 decided (?<value>[123]) in rounds? [0-9to ]+ \([0-9.]+ m?s\)")]
    private static partial Regex Sentence();
}
