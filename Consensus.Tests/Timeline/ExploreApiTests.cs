using System.Globalization;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Consensus.Tests.Api;

namespace Consensus.Tests.Timeline;

[Trait(Category.Name, Category.System)]
public sealed class ExploreApiTests : ThreeAgents
{
    [Fact]
    public async Task A_state_names_its_path_what_each_agent_knows_the_properties_and_every_next_step()
    {
        var (code, state) = await Clients[0].Get("/explore/state?rule=classic&path=s1.1-d1.1-w1.2-d5.2");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("s1.1-d1.1-w1.2-d5.2", state.GetProperty("path").GetString());
        var broken = Assert.Single(
            state.GetProperty("properties").EnumerateArray(), property => !property.GetProperty("holds").GetBoolean());
        Assert.Equal("agreement", broken.GetProperty("name").GetString());
        Assert.Equal("In run 1.agent1.a1, agent2 decided 1 (round 1) and agent3 decided 2 (round 2).",
            broken.GetProperty("reason").GetString());
        Assert.Equal([1, 2, 2], state.GetProperty("agents").EnumerateArray()
            .Select(agent => agent.GetProperty("state").GetProperty("proposals").EnumerateObject().Count()));
        var window = state.GetProperty("steps").EnumerateArray().Where(step => step.GetProperty("kind").GetString() == "window").ToList();
        Assert.Equal(["w1.1", "w1.2", "w1.3"], window.Select(step => step.GetProperty("step").GetString()));
        Assert.Equal("draws 2 for round 3, attempt 3", window[1].GetProperty("effect").GetString());
        Assert.Equal(state.GetRawText(), (await Clients[1].Get("/explore/state?rule=classic&path=s1.1-d1.1-w1.2-d5.2")).Body.GetRawText());
    }

    [Fact]
    public async Task A_path_goes_on_from_a_moment_of_a_recorded_run()
    {
        var (_, started) = await Clients[0].Post("/run?wait=30");
        var run = started.GetProperty("run").GetString();
        var (_, timeline) = await Clients[1].Get($"/timeline?cluster=true&run={run}");
        var decided = timeline.GetProperty("events").EnumerateArray()
            .First(e => e.GetProperty("kind").GetString() == "decided").GetProperty("at_ms").GetDouble();

        // Just before the first decision, no agent has decided and messages are in flight. With these the agents decide.
        var at = (decided - 0.001).ToString(CultureInfo.InvariantCulture);
        var (code, state) = await Clients[1].Get($"/explore/state?run={run}&at={at}");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.DoesNotContain(state.GetProperty("agents").EnumerateArray(), HasDecided);
        Assert.Equal(run, state.GetProperty("timeline").GetProperty("run").GetString());
        var path = "";
        while (!state.GetProperty("agents").EnumerateArray().All(HasDecided))
        {
            var next = state.GetProperty("steps").EnumerateArray()
                .First(step => step.GetProperty("kind").GetString() is "deliver" or "respond" or "window");
            path = path.Length == 0 ? next.GetProperty("step").GetString()! : $"{path}-{next.GetProperty("step").GetString()}";
            (_, state) = await Clients[1].Get($"/explore/state?run={run}&at={at}&path={path}");
        }

        Assert.All(state.GetProperty("properties").EnumerateArray(), property => Assert.True(property.GetProperty("holds").GetBoolean()));

        static bool HasDecided(JsonElement agent) =>
            agent.GetProperty("state").GetProperty("consensus_value").ValueKind == JsonValueKind.Number;
    }

    [Theory]
    [InlineData("run=999999.agent1.abcdefabcdef&at=1", HttpStatusCode.NotFound, "No agent remembers this run.")]
    [InlineData("run=x&at=1", HttpStatusCode.BadRequest, "run must be a run id")]
    [InlineData("run=1.agent1.abcdefabcdef&at=x", HttpStatusCode.BadRequest, "and at a time in it in ms")]
    [InlineData("run=1.agent1.abcdefabcdef&at=1&rule=classic", HttpStatusCode.BadRequest, "With run, give only at and path")]
    public async Task A_moment_that_is_none_is_refused_with_the_reason(string query, HttpStatusCode expected, string reason)
    {
        foreach (var path in (string[])["/explore/state?", "/explore/search?goal=decision&"])
        {
            var (code, problem) = await Clients[0].Get(path + query);
            Assert.Equal(expected, code);
            Assert.Contains(reason, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("goal=decision&path=s1.1", "found", "Found a decision after 2 steps.", "s1.1-d1.1-r1")]
    [InlineData("goal=adoption&agents=1", "none", "Searched all ", null)]
    [InlineData("goal=violation&mutant=silent-learners", "none",
        "This broken rule violates termination, which no single state shows.", null)]
    public async Task A_search_ends_with_the_path_to_its_goal_or_with_what_it_searched(
        string query, string kind, string detail, string? path)
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[0] };
        var events = SseParser.Create(await http.GetStreamAsync(new Uri("/explore/search?" + query, UriKind.Relative)));
        var last = (await events.EnumerateAsync().ToListAsync())[^1];
        Assert.Equal(kind, last.EventType);
        using var outcome = JsonDocument.Parse(last.Data);
        Assert.StartsWith(detail, outcome.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(path, outcome.RootElement.TryGetProperty("path", out var found) ? found.GetString() : null);
    }

    [Fact]
    public async Task What_is_possible_and_likely_is_answered_for_a_path_and_for_each_of_its_steps()
    {
        var (code, end) = await Clients[0].Get("/explore/possible?path=s1.1-d1.1-d2.1-r1");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("""{"at_us":3000,"value":1}""", end.GetProperty("since").GetRawText());
        Assert.Equal(("[1]", true, false, 2), (end.GetProperty("values").GetRawText(), end.GetProperty("complete").GetBoolean(),
            end.GetProperty("disagreement").GetBoolean(), end.GetProperty("crashes_to_stall").GetInt32()));
        var sentences = end.GetProperty("sentences").EnumerateArray().Select(sentence => sentence.GetString()).ToList();
        Assert.Equal(("Only 1 can be decided.", "The line is where only 1 was left: before any agent had decided."),
            (sentences[0], sentences[^1]));
        var (_, before) = await Clients[0].Get("/explore/possible?path=s1.1-d1.1-d2.1-r1&until=2000");
        Assert.Equal(("[1,2,3]", 3), (before.GetProperty("values").GetRawText(), before.GetProperty("last_round").GetInt32() + 1));
        Assert.Equal("Two agents can decide different values.",
            (await Clients[0].Get("/explore/possible?rule=classic&path=s1.1-d1.1")).Body.GetProperty("sentences")[1].GetString());
        Assert.Equal("No agent knows a run yet.", (await Clients[0].Get("/explore/possible")).Body.GetProperty("sentences")[0].GetString());

        var (_, likely) = await Clients[0].Get("/explore/futures?path=s1.1-d1.1-d2.1&futures=200");
        Assert.Equal("""[{"number":1,"futures":200}]""", likely.GetProperty("rounds").GetRawText());
        Assert.Equal("""[{"number":1,"futures":200}]""", likely.GetProperty("values").GetRawText());
    }

    [Theory]
    [InlineData("")]
    [InlineData("c1-c2-c3")]
    [InlineData("s1.1-c1-c2-c3")]
    public async Task Futures_in_which_nothing_can_happen_are_answered(string path)
    {
        var (code, likely) = await Clients[0].Get($"/explore/futures?futures=200&path={path}");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("[]", likely.GetProperty("values").GetRawText());
        Assert.Equal(HttpStatusCode.OK, (await Clients[0].Get($"/explore/possible?path={path}")).Code);
    }

    [Fact]
    public async Task What_was_possible_is_answered_for_any_moment_of_a_recorded_run()
    {
        var (_, started) = await Clients[0].Post("/run?wait=30");
        var run = started.GetProperty("run").GetString();
        var (_, timeline) = await Clients[1].Get($"/timeline?cluster=true&run={run}");
        var (start, events) = (timeline.GetProperty("start_us").GetInt64(), timeline.GetProperty("events").EnumerateArray().ToList());
        var drawn = events.First(e => e.GetProperty("kind").GetString() == "drew").GetProperty("at_ms").GetDouble();
        var decided = events.First(e => e.GetProperty("kind").GetString() == "decided");
        var at = timeline.GetProperty("messages").EnumerateArray()
            .Max(message => message.TryGetProperty("answered", out var answered) ? answered.GetDouble() : 0) + 1;
        var query = $"/explore/possible?run={run}&at={at.ToString(CultureInfo.InvariantCulture)}";
        var (code, end) = await Clients[1].Get(query);
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal(decided.GetProperty("value").GetInt32(), end.GetProperty("since").GetProperty("value").GetInt32());
        Assert.InRange(end.GetProperty("since").GetProperty("at_us").GetInt64(),
            start + (long)(drawn * 1000), start + (long)(decided.GetProperty("at_ms").GetDouble() * 1000) + 1);
        var (_, first) = await Clients[1].Get($"{query}&until={start + (long)(drawn * 1000) + 1}");
        Assert.Equal("[1,2,3]", first.GetProperty("values").GetRawText());
        Assert.Equal(HttpStatusCode.OK, (await Clients[1].Get(query.Replace("possible", "futures", StringComparison.Ordinal))).Code);
    }

    [Fact]
    public async Task Searches_delay_no_step_and_steps_of_a_class_wait_for_each_other()
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[0] };
        var search = new Uri("/explore/search?goal=disagreement&agents=5", UriKind.Relative);
        using var first = await http.GetAsync(search, HttpCompletionOption.ResponseHeadersRead);
        using var leaving = new CancellationTokenSource();
        var second = http.GetAsync(search, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
        string[] paths = [.. Enumerable.Range(0, 30).SelectMany(_ => new[] { "/explore/state?path=s1.2-d1.2-r1", "/simulate?seed=5" })];
        var steps = await Task.WhenAll(paths.Select(path => http.GetAsync(new Uri(path, UriKind.Relative))));
        Assert.All(steps, step => Assert.Equal(HttpStatusCode.OK, step.StatusCode));
        Array.ForEach(steps, step => step.Dispose());
        await leaving.CancelAsync();
        await second.ContinueWith(left => left.IsCompletedSuccessfully ? left.Result : null, TaskScheduler.Default)
            .ContinueWith(left => left.Result?.Dispose(), TaskScheduler.Default);
    }

    [Theory]
    [InlineData("agents=6", "agents must be a whole number from 1 to 5.")]
    [InlineData("values=0", "values must be a whole number from 1 to 4.")]
    [InlineData("mutant=none", "mutant must be one of no-adoption, ")]
    [InlineData("path=s1", "Step 1 of the path, s1, is not possible there.")]
    public async Task A_bad_parameter_is_answered_with_what_to_change(string query, string detail)
    {
        var (code, problem) = await Clients[0].Get("/explore/state?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.StartsWith(detail, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        foreach (var path in (string[])["/explore/search?goal=decision&", "/explore/possible?", "/explore/futures?"])
        {
            (code, problem) = await Clients[0].Get(path + query);
            Assert.Equal(HttpStatusCode.BadRequest, code);
            Assert.StartsWith(detail, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("possible?until=soon", "until must be a time in µs")]
    [InlineData("futures?futures=100", "futures must be a whole number from 200 to 1000.")]
    [InlineData("futures?delay=0", "delay must be a whole number from 1 to 1000.")]
    public async Task A_bad_parameter_of_what_can_still_happen_is_answered_with_what_to_change(string query, string detail)
    {
        var (code, problem) = await Clients[0].Get("/explore/" + query);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.StartsWith(detail, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
