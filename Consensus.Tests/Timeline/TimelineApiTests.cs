using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Tests.Api;
using Consensus.Timeline;

namespace Consensus.Tests.Timeline;

/// <summary>The timeline of three real agents, over HTTP.</summary>
[Trait(Category.Name, Category.System)]
public sealed class TimelineApiTests : ThreeAgents
{
    private async Task<string> RunAsync(string request = "{}")
    {
        var (code, answer) = await Clients[0].Post("/run?wait=30", request);
        Assert.Equal(HttpStatusCode.OK, code);
        var run = answer.GetProperty("run").GetString()!;
        foreach (var client in Clients)
        {
            Assert.Equal(HttpStatusCode.OK, (await client.Get($"/consensus?wait=30&run={run}")).Code);
        }

        return run;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Any_agent_shows_all_agents_with_equal_decisions(int serving)
    {
        var run = await RunAsync();
        var (code, merged) = await Clients[serving].Get("/timeline?cluster=true");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal(run, merged.GetProperty("run").GetString());
        Assert.True(merged.GetProperty("agree").GetBoolean());
        Assert.Equal(["agent1", "agent2", "agent3"],
            merged.GetProperty("lanes").EnumerateArray().Select(lane => lane.GetProperty("agent_id").GetString()!));
        Assert.Single(merged.GetProperty("lanes").EnumerateArray().Select(lane => lane.GetProperty("value").GetInt32()).Distinct());
    }

    [Fact]
    public async Task Each_agent_records_what_its_core_was_given_and_the_states_come_from_it()
    {
        var run = await RunAsync();
        var recordings = new List<Recording>();
        foreach (var client in Clients)
        {
            recordings.Add(Recording.FromBytes(await client.GetBytes($"/timeline/record?run={run}")));
            var steps = recordings[^1].Reexecute().Select(step => (step.Differs, Known: step.Snapshot())).ToList();
            Assert.DoesNotContain(steps, step => step.Differs);
            Assert.Contains(steps, step => step.Known.Run?.Id.ToString() == run && step.Known.Decision is not null);
            var timeline = (await client.Get($"/timeline?run={run}")).Body;
            var states = timeline.GetProperty("states").EnumerateArray().ToList();
            Assert.True(states[0].GetProperty("fresh").GetBoolean());
            Assert.Contains(states, state => state.TryGetProperty("decision", out _));

            // A state stands at the time of an event, so that both are drawn as one step.
            var times = timeline.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("at_us").GetInt64()).ToHashSet();
            Assert.All(states, state => Assert.Contains(state.GetProperty("at_us").GetInt64(), times));
        }

        // Together they show that each event was a step of the model that is proved.
        Assert.Equal(new RecordedRefinement(Checked: 1, Partial: 0, Violation: null), RecordedRuns.Check(recordings));
        Assert.Equal(HttpStatusCode.NotFound, (await Clients[0].Get("/timeline/record?run=99.agent1.abc")).Code);
        Assert.Equal(HttpStatusCode.BadRequest, (await Clients[0].Get("/timeline/record?run=x")).Code);
    }

    [Fact]
    public async Task The_timeline_and_the_list_of_runs_have_one_duration_whichever_agent_serves_them()
    {
        await RunAsync();
        var durations = new List<double>();
        foreach (var client in Clients)
        {
            durations.Add((await client.Get("/timeline?cluster=true")).Body.GetProperty("duration_ms").GetDouble());
            durations.Add(
                (await client.Get("/timeline/runs?cluster=true")).Body.GetProperty("runs")[0].GetProperty("duration_ms").GetDouble());
        }

        // The initiator measured it: from its start to its decision, by one clock.
        var own = (await Clients[0].Get("/timeline/runs")).Body.GetProperty("runs")[0].GetProperty("duration_ms").GetDouble();
        Assert.All(durations, duration => Assert.Equal(own, duration));
        Assert.True(own > 0);
    }

    [Fact]
    public async Task Every_message_that_was_received_is_matched_with_its_send()
    {
        await RunAsync();
        var (sent, merged) = await GetSettledAsync(Clients[1], "/timeline?cluster=true");

        // A slow agent may query a peer before it joins the run: its own timeline of the run then lacks the query.
        var messages = merged.GetProperty("messages").EnumerateArray()
            .Where(message => message.GetProperty("kind").GetString() != "state"
                || !message.TryGetProperty("estimated", out var estimated) || !estimated.GetBoolean()).ToList();
        Assert.All(messages.Where(message => message.TryGetProperty("received", out _)), message =>
        {
            Assert.False(message.GetProperty("estimated").GetBoolean());
            Assert.InRange(message.GetProperty("from").GetInt32(), 0, 2);
            Assert.True(message.GetProperty("received").GetDouble() >= message.GetProperty("sent").GetDouble());
        });

        // Nothing that an agent sent is missing, and nothing is drawn twice.
        Assert.Equal(sent, messages.Count);
    }

    [Fact]
    public async Task An_agents_own_timeline_holds_its_own_events_alone()
    {
        // A slow agent may miss the start and learn the decision, but the agent that starts a run draws in it.
        var run = await RunAsync();
        var (_, own) = await Clients[0].Get($"/timeline?run={run}");
        Assert.Equal("agent1", own.GetProperty("agent_id").GetString());
        var kinds = own.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()).ToList();
        Assert.Contains("drew", kinds);
        Assert.Contains("sent", kinds);
        Assert.Single(kinds, kind => kind is "decided" or "learned");
    }

    [Fact]
    public async Task The_history_lists_each_run_once_newest_first()
    {
        List<string> runs = [await RunAsync(), await RunAsync("""{"rule":"classic","window_ms":50}"""), await RunAsync()];
        var (_, history) = await Clients[2].Get("/timeline/runs?cluster=true");
        var told = history.GetProperty("runs").EnumerateArray().ToList();
        runs.Reverse();
        Assert.Equal(runs, told.Select(run => run.GetProperty("run").GetString()!));
        Assert.Equal(["ratified", "classic", "ratified"], told.Select(run => run.GetProperty("rule").GetString()!));
        Assert.All(told, run => Assert.True(run.GetProperty("rounds").GetInt32() >= 1 && run.GetProperty("duration_ms").GetDouble() >= 0));
    }

    [Fact]
    public async Task An_agent_that_is_down_is_shown_down()
    {
        await RunAsync();
        await Cluster.StopAsync(2);
        var (_, merged) = await Clients[0].Get("/timeline?cluster=true");
        Assert.Equal([true, true, false], merged.GetProperty("lanes").EnumerateArray().Select(lane => lane.GetProperty("up").GetBoolean()));
    }

    [Theory]
    [InlineData("/timeline?run=nonsense")]
    [InlineData("/timeline?cluster=true&detail=5-1")]
    [InlineData("/timeline?cluster=true&detail=1-100000")]
    public async Task A_question_that_makes_no_sense_says_what_to_change(string path)
    {
        var (code, problem) = await Clients[0].Get(path);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task The_stream_sends_a_run_as_it_happens_and_resumes_where_it_was_left()
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[0] };
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var seen = new List<SseItem<string>>();
        using (var request = new HttpRequestMessage(HttpMethod.Get, "/events"))
        using (var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token))
        {
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
            await using var stream = await response.Content.ReadAsStreamAsync(patience.Token);
            await foreach (var item in SseParser.Create(stream).EnumerateAsync(patience.Token))
            {
                seen.Add(item);
                if (item.EventType == "hello")
                {
                    await RunAsync();
                }
                else if (item.EventType is "decided" or "learned")
                {
                    break;
                }
            }
        }

        Assert.Contains(seen, item => item.EventType == "drew");
        using var again = new HttpRequestMessage(HttpMethod.Get, "/events");
        again.Headers.Add("Last-Event-ID", seen[^2].EventId);
        using var resumed = await http.SendAsync(again, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        await using var rest = await resumed.Content.ReadAsStreamAsync(patience.Token);
        await foreach (var item in SseParser.Create(rest).EnumerateAsync(patience.Token))
        {
            if (item.EventType != "hello")
            {
                Assert.Equal(seen[^1].EventId, item.EventId);
                Assert.Equal(seen[^1].Data, item.Data);
                return;
            }
        }
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/run")]
    public async Task The_page_is_served_under_a_strict_policy_and_asking_for_it_changes_nothing(string path)
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[1] };
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        Assert.Matches("^default-src 'none'; script-src 'self' 'sha256-[^']+'; style-src 'self' 'sha256-[^']+' 'sha256-[^']+'; ",
            response.Headers.GetValues("Content-Security-Policy").Single());
        Assert.DoesNotContain("unsafe", Consensus.Agent.Http.CrossSiteProtection.Policy, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, (await Clients[1].Get("/state")).Body.GetProperty("my_value").ValueKind);
        Assert.Equal(0, (await Clients[1].Get("/state")).Body.GetProperty("round").GetInt32());
    }

    [Fact]
    public async Task Whatever_the_page_names_is_there()
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[0] };
        var page = await http.GetStringAsync(new Uri("/", UriKind.Relative));
        var named = System.Text.RegularExpressions.Regex.Matches(page, "(?:href|src)=\"([^\"#]+)\"")
            .Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.NotEmpty(named);
        foreach (var path in named)
        {
            using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
            Assert.True(response.IsSuccessStatusCode, path);
        }
    }
}
