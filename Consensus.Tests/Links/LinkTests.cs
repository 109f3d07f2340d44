using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using Consensus.Agent.Links;
using Consensus.Conformance;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Consensus.Tests.Links;

/// <summary>The links between agents that anybody wrote: what they break, and what they see.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class LinkTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<(int Agent, string Path)> _received = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private LoopbackServer _agents = null!;
    private LinkObserver _links = null!;
    private WebApplication _app = null!;

    public async Task InitializeAsync()
    {
        // Two agents that take every message. Only the second one decides, once it has a proposal.
        _agents = await LoopbackServer.StartAsync(2, async (agent, context) =>
        {
            _received.Enqueue((agent, context.Request.Path));
            var decided = agent == 1 && MessagesTo("/proposal").Contains(1);
            context.Response.StatusCode = context.Request.Path == "/consensus" && !decided ? 202 : 200;
            await context.Response.WriteAsync(
                context.Request.Path == "/consensus"
                ? decided ? """{"reached":true,"value":2,"round":1,"attempts":1}""" : """{"reached":false,"round":1}"""
                : context.Request.Path == "/state"
                    ? $$"""{"agent_id":"{{(agent == 0 ? "ada" : "bob")}}","round":1}""" : """{"status":"ok"}""");
        });
        _links = await LinkObserver.StartAsync([new("ada", _agents.Addresses[0]), new("bob", _agents.Addresses[1])], new int[4]);
        _app = LinksApplication.Build(_links, null, new Uri("http://127.0.0.1:0"));
        await _app.StartAsync();
        _http.BaseAddress = new Uri(_app.Urls.First());
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _links.DisposeAsync();
        await _agents.DisposeAsync();
        _http.Dispose();
    }

    [Fact]
    public async Task A_link_that_is_cut_one_way_still_works_the_other_way()
    {
        await BreakAsync("ada", "bob", """{"cut":true}""");
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(0, "/proposal", """{"agent_id":"ada","value":2,"round":1}"""));
        await SendAsync(1, "/proposal", """{"agent_id":"bob","value":2,"round":1}""");
        Assert.Equal([0], MessagesTo("/proposal"));
        (await _http.DeleteAsync("/links")).EnsureSuccessStatusCode();
        await SendAsync(0, "/proposal", """{"agent_id":"ada","value":2,"round":1}""");
        Assert.Equal([0, 1], MessagesTo("/proposal"));
    }

    [Fact]
    public async Task A_link_loses_delays_and_repeats_what_it_is_told_to()
    {
        await BreakAsync("ada", "bob", """{"repeat":1,"delay_ms":300}""");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await SendAsync(0, "/final", """{"value":2,"round":1}""");
        Assert.InRange(clock.ElapsedMilliseconds, 290, 30_000);
        Assert.Equal([1, 1], MessagesTo("/final"));
        await BreakAsync("ada", "bob", """{"lose":1}""");
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(0, "/final", """{"value":2,"round":1}"""));
        Assert.Equal([1, 1], MessagesTo("/final"));
    }

    [Theory]
    [InlineData("ada", "ada", """{"cut":true}""")]
    [InlineData("ada", "eve", """{"cut":true}""")]
    [InlineData("ada", "bob", """{"lose":2}""")]
    [InlineData("ada", "bob", """{"delay_ms":-1}""")]
    [InlineData("ada", "bob", "cut")]
    public async Task A_wrong_fault_is_refused_with_what_is_allowed(string from, string to, string body)
    {
        var refused = await _http.PutAsync($"/links/{from}/{to}", Json(body));
        Assert.Equal(400, (int)refused.StatusCode);
        Assert.NotEmpty((await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task A_run_is_drawn_from_its_messages_and_the_agents_states_are_unknown()
    {
        Assert.Equal("none", (await TimelineAsync()).GetProperty("verdict").GetProperty("tone").GetString());
        await SendAsync(0, "/reset", "{}");
        await SendAsync(0, "/new_round", """{"round":1}""");
        await SendAsync(0, "/proposal", """{"agent_id":"ada","value":2,"round":1}""");
        await SendAsync(1, "/final", """{"value":2,"round":1}""");
        JsonElement drawn;
        do
        {
            drawn = await TimelineAsync();
        }
        while (drawn.GetProperty("lanes")[1].TryGetProperty("value", out var value) != true || value.GetInt32() != 2);

        Assert.Equal("1.ada.bare", drawn.GetProperty("run").GetString());
        Assert.Equal(["reset", "new_round", "proposal", "final"],
            drawn.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("kind").GetString()));
        Assert.All(drawn.GetProperty("lanes").EnumerateArray(), lane => Assert.False(lane.GetProperty("state_known").GetBoolean()));

        // What comes before a run begins the next one.
        await SendAsync(1, "/reset", "{}");
        await SendAsync(1, "/new_round", """{"round":1}""");
        Assert.Equal("2.bob.bare", (await TimelineAsync()).GetProperty("run").GetString());
        var runs = await _http.GetFromJsonAsync<JsonElement>("/timeline/runs?cluster=true");
        Assert.Equal(["2.bob.bare", "1.ada.bare"],
            runs.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("run").GetString()));
        var cluster = await _http.GetFromJsonAsync<JsonElement>("/cluster");
        Assert.Equal(["ada", "bob"],
            cluster.GetProperty("agents").EnumerateArray().Select(agent => agent.GetProperty("state").GetProperty("agent_id").GetString()));
    }

    [Fact]
    public async Task What_an_agent_did_is_explained_by_its_messages_and_that_is_said()
    {
        await SendAsync(0, "/new_round", """{"round":1}""");
        await SendAsync(0, "/proposal", """{"agent_id":"ada","value":2,"round":1}""");
        await SendAsync(1, "/final", """{"value":2,"round":1}""");
        while (!(await _http.GetAsync("/timeline/why?run=1.ada.bare&agent=bob&kind=decided")).IsSuccessStatusCode)
        {
            await Task.Yield();
        }

        var why = await _http.GetFromJsonAsync<JsonElement>("/timeline/why?run=1.ada.bare&agent=bob&kind=decided");
        List<string> sentences = [.. why.GetProperty("sentences").EnumerateArray().Select(sentence => sentence.GetString()!)];
        Assert.StartsWith("bob decides 2 in round 1: ada proposed 2", sentences[0], StringComparison.Ordinal);
        Assert.Equal("bob gives no record, so this follows from the messages alone.", sentences[^1]);
        foreach (var (query, status) in new[]
        {
            ("run=1.ada.bare&agent=bob&kind=adopted", 404),
            ("run=9.ada.bare&agent=bob&kind=decided", 404), ("run=1.ada.bare&agent=bob&kind=x", 400),
        })
        {
            Assert.Equal(status, (int)(await _http.GetAsync($"/timeline/why?{query}")).StatusCode);
        }
    }

    [Fact]
    public async Task Where_there_is_a_key_it_takes_the_key_to_break_a_link_and_none_to_see_it()
    {
        const string Key = "a-key-of-24-characters-x";
        await using var app = LinksApplication.Build(_links, new ClusterKey(Key), new Uri("http://127.0.0.1:0"));
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        Assert.True((await http.GetAsync("/links")).IsSuccessStatusCode);
        Assert.Equal(401, (int)(await http.PutAsync("/links/ada/bob", Json("""{"cut":true}"""))).StatusCode);
        Assert.Equal(401, (int)(await http.PostAsync("/judge", null)).StatusCode);
        Assert.Equal(LinkFaults.None, _links.Links.FaultsOf(0, 1));
        http.DefaultRequestHeaders.Add(ClusterKey.Header, Key);
        Assert.True((await http.PutAsync("/links/ada/bob", Json("""{"cut":true}"""))).IsSuccessStatusCode);
        Assert.True(_links.Links.FaultsOf(0, 1).Cut);
    }

    [Fact]
    public void Failed_verdicts_come_first_and_name_their_agent()
    {
        var agent = new Uri("http://localhost:1/");
        Verdict Of(string id, VerdictOutcome outcome) => new(
            id, ConformanceLevel.Original, $"It does {id}. [{agent}]", outcome, "200",
            "a | b", [new Exchange("judge", "ada", "GET /state", null, 500, "")])
        { Agent = agent };
        var report = new ConformanceReport("agents", ConformanceLevel.Original, 1,
            [Of("fine", VerdictOutcome.Passed), Of("wrong", VerdictOutcome.Failed)]);
        var lines = ReportText.Markdown(report, _ => "ada").Split('\n');
        Assert.Equal("**Does not conform: wrong.**", lines[0]);
        Assert.Equal("| **FAIL** | ada | wrong | It does wrong. | 200 Observed: a \\| b judge -> ada: GET /state => 500 |", lines[4]);
        Assert.Equal("| pass | ada | fine | It does fine. |  |", lines[5]);
    }

    /// <summary>Who received a path, in order.</summary>
    private IEnumerable<int> MessagesTo(string path) => _received.Where(one => one.Path == path).Select(one => one.Agent);

    [Fact]
    public async Task A_decision_that_no_message_supports_is_explained_so()
    {
        await SendAsync(0, "/new_round", """{"round":1}""");
        await SendAsync(0, "/final", """{"value":2,"round":1}""");
        string? sentence = null;
        while (sentence is null)
        {
            var response = await _http.GetAsync("/timeline/why?run=1.ada.bare&agent=ada&kind=decided");
            sentence = response.IsSuccessStatusCode
                ? (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("sentences")[0].GetString() : null;
        }

        Assert.Equal("ada decides 2 in round 1: no message shows who proposed 2, and a majority is 2 of 2.", sentence);
    }

    private static StringContent Json(string body) => new(body, System.Text.Encoding.UTF8, "application/json");

    private Task<JsonElement> TimelineAsync() => _http.GetFromJsonAsync<JsonElement>("/timeline?cluster=true");

    private async Task BreakAsync(string from, string to, string faults) =>
        (await _http.PutAsync($"/links/{from}/{to}", Json(faults))).EnsureSuccessStatusCode();

    private async Task SendAsync(int from, string path, string body) =>
        (await _http.PostAsync(new Uri(_links.Links.PeersOf(from).Single(), path), new StringContent(body))).EnsureSuccessStatusCode();
}
