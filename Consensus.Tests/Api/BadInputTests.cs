using System.Text;
using Consensus.Agent.Hosting;

namespace Consensus.Tests.Api;

/// <summary>Agents that hold a decision; what is refused leaves them as they are, so that all tests here can share them.</summary>
public sealed class DecidedAgents : ThreeAgents
{
    internal Uri First => Cluster.Addresses[0];

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await Clients[0].Post("/run?wait=30");
    }

    internal async Task<string> State() => (await Clients[0].Get("/state")).Body.GetRawText();
}

/// <summary>Every endpoint and field with what it must not be: a 4xx that says what to change, and nothing changed.</summary>
[Trait(Category.Name, Category.System)]
public sealed class BadInputTests(DecidedAgents agents) : IClassFixture<DecidedAgents>
{
    private const string Run = "{\"id\":\"99.agent2.b2\",\"n\":3,\"start_round\":2,\"rule\":\"ratified\",\"values\":3,\"draw\":\"fresh\","
        + "\"window_ms\":200,\"members\":{\"agent2\":\"b2\",\"agent3\":\"b3\"}}";

    /// <summary>Bodies of messages between agents, the field that is wrong, and a word of the answer.</summary>
    public static TheoryData<string, string, string> Messages => new()
    {
        // Fields of each message.
        { "/new_round", "{}", "round is missing" },
        { "/new_round", """{"round":null}""", "round must not be null" },
        { "/new_round", """{"round":"1"}""", "round must be a whole number" },
        { "/new_round", """{"round":1.5}""", "round must be a whole number" },
        { "/new_round", """{"round":true}""", "round must be a whole number" },
        { "/new_round", """{"round":[1]}""", "round must be a whole number" },
        { "/new_round", """{"round":0}""", "round must be from 1" },
        { "/new_round", """{"round":-1}""", "round must be from 1" },
        { "/new_round", """{"round":2147483647}""", "round must be from 1" },
        { "/new_round", """{"round":2147483648}""", "round must be a whole number" },
        { "/new_round", """{"round":1e400}""", "round must be a whole number" },
        { "/new_round", """{"round":1,"round":2}""", "round is there twice" },
        { "/new_round", """{"round":1,"agent_id":"agent2"}""", "ride along together" },
        { "/new_round", """{"round":1,"value":2}""", "ride along together" },
        { "/new_round", """{"round":1,"agent_id":"agent2","value":0}""", "value must be from 1" },
        { "/proposal", """{"value":1,"round":1}""", "agent_id is missing" },
        { "/proposal", """{"agent_id":"agent2","round":1}""", "value is missing" },
        { "/proposal", """{"agent_id":"agent2","value":1}""", "round is missing" },
        { "/proposal", """{"agent_id":null,"value":1,"round":1}""", "agent_id must not be null" },
        { "/proposal", """{"agent_id":2,"value":1,"round":1}""", "agent_id must be a string" },
        { "/proposal", """{"agent_id":"","value":1,"round":1}""", "agent_id must be 1 to 128" },
        { "/proposal", """{"agent_id":"a\nb","value":1,"round":1}""", "control characters" },
        { "/proposal", """{"agent_id":"\ud800","value":1,"round":1}""", "not Unicode" },
        { "/proposal", """{"agent_id":"agent2","value":null,"round":1}""", "value must not be null" },
        { "/proposal", """{"agent_id":"agent2","value":"x","round":1}""", "value must be a whole number" },
        { "/proposal", """{"agent_id":"agent2","value":0,"round":1}""", "value must be from 1" },
        { "/proposal", """{"agent_id":"agent2","value":-5,"round":1}""", "value must be from 1" },
        { "/proposal", """{"agent_id":"agent2","value":1000000001,"round":1}""", "value must be from 1" },
        { "/proposal", """{"agent_id":"agent2","value":1,"round":0}""", "round must be from 1" },
        { "/proposal", """{"agent_id":"agent2","agent_id":"agent3","value":1,"round":1}""", "agent_id is there twice" },
        { "/vote", """{"value":1,"proposal":1,"round":1}""", "agent_id is missing" },
        { "/vote", """{"agent_id":"agent2","proposal":1,"round":1}""", "value is missing" },
        { "/vote", """{"agent_id":"agent2","value":1,"round":1}""", "proposal is missing" },
        { "/vote", """{"agent_id":"agent2","value":1,"proposal":null,"round":1}""", "proposal must not be null" },
        { "/vote", """{"agent_id":"agent2","value":1,"proposal":0,"round":1}""", "proposal must be from 1" },
        { "/vote", """{"agent_id":"agent2","value":0,"proposal":1,"round":1}""", "value must be from 1" },
        { "/vote", """{"agent_id":"agent2","value":1,"proposal":1,"round":-7}""", "round must be from 1" },
        { "/final", """{"round":1}""", "value is missing" },
        { "/final", """{"value":1}""", "round is missing" },
        { "/final", """{"value":0,"round":1}""", "value must be from 1" },
        { "/final", """{"value":1,"round":2147483647}""", "round must be from 1" },
        { "/final", """{"value":1,"round":1,"agent_id":""}""", "agent_id must be 1 to 128" },
        { "/final", """{"value":1,"round":1,"agent_id":7}""", "agent_id must be a string" },
        { "/reset", """{"handshake":"yes"}""", "handshake must be true or false" },
        { "/reset", """{"handshake":null}""", "handshake must not be null" },
        { "/reset", "[]", "The body must be a JSON object" },
        { "/reset", "nonsense", "not JSON" },

        // The run that travels with them.
        { "/proposal", Proposal("7"), "run must be a JSON object" },
        { "/proposal", Proposal("{}"), "run.id is missing" },
        { "/proposal", Proposal("99.agent2.b2", "agent2"), "run.id must be a run id" },
        { "/proposal", Proposal("99.agent2.b2", "0.agent2.b2"), "run.id must be a run id" },
        { "/proposal", Proposal("99.agent2.b2", "9223372036854775807.agent2.b2"), "run.id has a number" },
        { "/proposal", Proposal("99.agent2.b2", "99999999999999999999.agent2.b2"), "run.id must be a run id" },
        { "/proposal", Proposal("99.agent2.b2", "99.agent2.b9"), "initiator with its boot" },
        { "/proposal", Proposal("\"n\":3", "\"n\":0"), "run.n must be from 1" },
        { "/proposal", Proposal("\"n\":3", "\"n\":102"), "run.n must be from 1" },
        { "/proposal", Proposal("\"n\":3", "\"n\":1"), "run.members must name 1 to n agents" },
        { "/proposal", Proposal("\"start_round\":2", "\"start_round\":0"), "run.start_round must be from 1" },
        { "/proposal", Proposal("\"start_round\":2", "\"start_round\":2000000000"), "run.start_round must be from 1" },
        { "/proposal", Proposal("\"start_round\":2", "\"start_round\":3"), "below run.start_round" },
        { "/proposal", Proposal("ratified", "best"), "run.rule must be one of classic, ratified" },
        { "/proposal", Proposal("\"ratified\"", "1"), "run.rule must be one of classic, ratified" },
        { "/proposal", Proposal("\"values\":3", "\"values\":0"), "run.values must be from 1" },
        { "/proposal", Proposal("\"values\":3", "\"values\":1"), "value must be from 1 to run.values, 1" },
        { "/proposal", Proposal("\"fresh\"", "null"), "run.draw must not be null" },
        { "/proposal", Proposal("\"window_ms\":200", "\"window_ms\":60001"), "run.window_ms must be from 0" },
        { "/proposal", Proposal("\"window_ms\":200", "\"window_ms\":-1"), "run.window_ms must be from 0" },
        { "/proposal", Proposal("\"b3\"", "null"), "run.members must map ids to boots" },
        { "/proposal", Proposal("\"b3\"", "\"\""), "run.members must map ids to boots" },
        { "/proposal", Proposal("agent3", "a\\u0007"), "run.members must map ids to boots" },
        { "/proposal", Proposal("agent3", "agent2"), "run.members.agent2 is there twice" },
        { "/proposal", Proposal("\"members\"", "\"seed\":\"x\",\"members\""), "run.seed must be a whole number" },
        { "/proposal", ByStranger, "agent_id must be among run.members" },
        { "/new_round", $$"""{"round":2,"agent_id":"agent9","value":2,"run":{{Run}}}""", "agent_id must be among run.members" },
        { "/new_round", $$"""{"round":1,"run":{{Run}}}""", "below run.start_round" },
        { "/vote", $$"""{"agent_id":"agent9","value":2,"proposal":2,"round":2,"run":{{Run}}}""", "agent_id must be among run.members" },
        { "/vote", $$"""{"agent_id":"agent2","value":4,"proposal":2,"round":2,"run":{{Run}}}""", "value must be from 1 to run.values, 3" },
        {
            "/vote", $$"""{"agent_id":"agent2","value":2,"proposal":4,"round":2,"run":{{Run}}}""",
            "proposal must be from 1 to run.values, 3"
        },
        { "/vote", $$"""{"agent_id":"agent2","value":2,"proposal":2,"round":2,"run":{{ClassicRun}}}""", "knows no votes" },
        { "/final", $$"""{"value":4,"round":2,"run":{{Run}}}""", "value must be from 1 to run.values, 3" },
        { "/final", $$"""{"value":3,"round":1,"run":{{Run}}}""", "below run.start_round" },

        // Runs that people ask for.
        { "/run", """{"round":0}""", "round must be a whole number from 1 to" },
        { "/run", """{"round":1000000001}""", "round must be a whole number from 1 to" },
        { "/run", """{"round":99999999999}""", "round must be a whole number" },
        { "/run", """{"rule":"best"}""", "rule must be one of classic, ratified" },
        { "/run", """{"rule":1}""", "rule must be one of classic, ratified" },
        { "/run", """{"values":0}""", "values must be a whole number from 1 to" },
        { "/run", """{"values":"many"}""", "values must be a whole number" },
        { "/run", """{"draw":"lots"}""", "draw must be one of fresh, plurality" },
        { "/run", """{"window_ms":60001}""", "window_ms must be a whole number from 0 to" },
        { "/run", """{"window_ms":-1}""", "window_ms must be a whole number from 0 to" },
        { "/run", """{"seed":9223372036854775808}""", "seed must be a whole number from -9007199254740991 to 9007199254740991" },
        { "/run", """{"seed":9007199254740992}""", "seed must be a whole number from -9007199254740991 to 9007199254740991" },
        { "/run", """{"seed":-9007199254740992}""", "seed must be a whole number from -9007199254740991 to 9007199254740991" },
        { "/run", """{"seed":1,"seed":2}""", "seed is there twice" },
        { "/run", "null", "The body is null" },
        { "/run", "[{}]", "The body must be a JSON object" },
        { "/run", "\"1\"", "The body must be a JSON object" },
        { "/run?wait=61", "{}", "wait must be" },
        { "/run?wait=-1", "{}", "wait must be" },
        { "/run?wait=", "{}", "wait must be" },
        { "/run?wait=NaN", "{}", "wait must be" },
        { "/run?wait=1,2", "{}", "wait must be" },
        { "/run?wait=1&wait=2", "{}", "wait must be" },
        { "/run?wait=1e1000", "{}", "wait must be" },

        // JSON itself.
        { "/proposal", "", "The body is missing" },
        { "/proposal", " ", "not JSON" },
        { "/proposal", "{", "not JSON" },
        { "/proposal", """{"agent_id":"agent2","value":1,"round":1}}""", "not JSON" },
        { "/proposal", """{'agent_id':'agent2'}""", "not JSON" },
        { "/proposal", "[]", "The body must be a JSON object" },
        { "/proposal", "null", "The body is null" },
        { "/proposal", Nested(17), "nested more than 16 deep" },
        { "/run", Nested(20_000), "nested more than 16 deep" },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task A_body_that_cannot_be_is_refused_and_changes_nothing(string path, string json, string named)
    {
        var answer = await Refused(400, RawHttp.Request("POST", path, Encoding.UTF8.GetBytes(json), "Content-Type: application/json"));
        Assert.Contains(named, answer.Detail, StringComparison.Ordinal);
        Assert.True(answer.Detail.Length < 300, answer.Detail);
        Assert.DoesNotContain("Consensus.", answer.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/consensus?wait=61", 400, "wait must be")]
    [InlineData("GET", "/consensus?wait=x", 400, "wait must be")]
    [InlineData("GET", "/consensus?run=x", 400, "run must be")]
    [InlineData("GET", "/consensus?run=", 400, "run must be")]
    [InlineData("GET", "/cluster/1/consensus?wait=61", 400, "wait must be")]
    [InlineData("GET", "/cluster/1/consensus?run=x", 400, "run must be")]
    [InlineData("GET", "/cluster/3/consensus", 404, "There are 2 peers")]
    [InlineData("GET", "/cluster/0/consensus", 404, "There is no such path")]
    [InlineData("GET", "/cluster/99999999999/consensus", 404, "There is no such path")]
    [InlineData("GET", "/timeline?cluster=maybe", 400, "cluster must be true or false")]
    [InlineData("GET", "/timeline?run=x", 400, "run must be")]
    [InlineData("GET", "/timeline?run=999999.agent1.abcdefabcdef", 404, "agent1 does not remember this run")]
    [InlineData("GET", "/timeline?cluster=true&run=999999.agent1.abcdefabcdef&detail=1-9", 404, "No agent remembers this run.")]
    [InlineData("GET", "/timeline?cluster=true&run=bare", 404, "No agent remembers this run.")]
    [InlineData("GET", "/timeline?detail=x", 400, "detail must be")]
    [InlineData("GET", "/timeline?detail=5-1", 400, "detail must be")]
    [InlineData("GET", "/timeline?detail=1-1000", 400, "detail must be")]
    [InlineData("POST", "/run?wiat=5", 400, "wiat is no query parameter here; this path takes wait.")]
    [InlineData("GET", "/cluster/1/consensus?wiat=5", 400, "this path takes wait, run.")]
    [InlineData("GET", "/simulate?window=5", 400, "window_ms, ")]
    [InlineData("GET", "/timeline/runs?cluster=1", 400, "cluster must be true or false")]
    [InlineData("GET", "/nowhere", 404, "There is no such path")]
    [InlineData("POST", "/", 404, "There is no such path")]
    [InlineData("GET", "/reset", 405, "This path takes POST")]
    [InlineData("GET", "/proposal", 405, "This path takes POST")]
    [InlineData("PUT", "/run", 405, "This path takes POST")]
    [InlineData("DELETE", "/state", 405, "This path takes GET")]
    [InlineData("OPTIONS", "/run", 405, "This path takes POST")]
    [InlineData("GARBAGE", "/run", 405, "This path takes POST")]
    [InlineData("GET", "/openapi/v2.json", 404, "There is no such path")]
    public async Task A_request_that_cannot_be_is_refused_in_words_whatever_the_client_accepts(
        string method, string path, int status, string named)
    {
        // A browser gets a page for an unknown path (AddressTests).
        var isPage = method == "GET" && named == "There is no such path";
        foreach (var accept in isPage ? ["application/json", "*/*"] : new[] { "application/json", "text/html" })
        {
            var answer = await Refused(status, RawHttp.Request(method, path, null, $"Accept: {accept}"));
            Assert.Contains(named, answer.Detail, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml; charset=utf-8")]
    [InlineData("nonsense")]
    public async Task A_body_of_another_type_is_refused(string type)
    {
        foreach (var path in new[] { "/run", "/reset", "/new_round", "/proposal", "/vote", "/final" })
        {
            var answer = await Refused(415, RawHttp.Request("POST", path, "{}"u8.ToArray(), $"Content-Type: {type}"));
            Assert.Contains("Content-Type: application/json", answer.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_body_that_is_not_UTF8_is_refused()
    {
        byte[] body = [.. "{\"agent_id\":\""u8, 0xff, 0xfe, .. "\",\"value\":1,\"round\":1}"u8];
        var answer = await Refused(400, RawHttp.Request("POST", "/proposal", body, "Content-Type: application/json"));
        Assert.Contains("UTF-8", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_over_64_KB_is_refused_whether_or_not_it_says_so()
    {
        byte[] body = [.. "{\"agent_id\":\""u8, .. Enumerable.Repeat((byte)'a', 64 * 1024), .. "\",\"value\":1,\"round\":1}"u8];
        var answer = await Refused(413, RawHttp.Request("POST", "/proposal", body, "Content-Type: application/json"));
        Assert.Contains("at most 65536 bytes", answer.Detail, StringComparison.Ordinal);
        byte[] chunked = [.. Encoding.ASCII.GetBytes($"{body.Length:x}\r\n"), .. body, .. "\r\n0\r\n\r\n"u8];
        answer = await Refused(
            413, RawHttp.Request("POST", "/proposal", chunked, "Content-Type: application/json", "Transfer-Encoding: chunked"));
        Assert.Contains("at most 65536 bytes", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_does_not_come_is_not_waited_for()
    {
        // The agent waits two seconds, and then no longer.
        var answer = await Refused(408,
            [.. RawHttp.Request("POST", "/proposal", null, "Content-Type: application/json", "Content-Length: 50"), .. "{\"agent_id\""u8]);
        Assert.Contains("too slowly", answer.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10_000, 431)]
    [InlineData(101, 431)]
    [InlineData(90, 200)]
    public async Task Only_so_many_headers_are_read(int count, int status)
    {
        using var http = new RawHttp(agents.First);
        var answer = await http.SendAsync(
            RawHttp.Request("GET", "/health", null, [.. Enumerable.Range(0, count).Select(i => $"x-{i}: y")]));
        Assert.Equal(status, answer!.Status);
    }

    [Theory]
    [InlineData("NOT HTTP AT ALL\r\n\r\n", 400)]
    [InlineData("GET /state HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n", 400)]
    [InlineData("GET /state HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)]
    [InlineData("POST /reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400)]
    [InlineData("POST /reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400)]
    [InlineData("GET /state HTTP/9.9\r\nHost: localhost\r\n\r\n", 505)]
    public async Task What_is_no_HTTP_is_refused_and_the_connection_closed(string request, int status)
    {
        var before = await agents.State();
        using var http = new RawHttp(agents.First);
        var answer = await http.SendAsync(Encoding.ASCII.GetBytes(request));
        Assert.Equal(status, answer!.Status);
        Assert.Equal("close", answer.Headers["connection"]);
        Assert.Equal(before, await agents.State());
    }

    private async Task<RawAnswer> Refused(int status, byte[] request)
    {
        var before = await agents.State();
        using var http = new RawHttp(agents.First);
        var answer = await http.SendAsync(request);
        Assert.NotNull(answer);
        Assert.Equal((status, "application/problem+json"), (answer.Status, answer.ContentType));
        Assert.Equal(before, await agents.State());
        return answer;
    }

    private static string Proposal(string run) => $$"""{"agent_id":"agent2","value":2,"round":2,"run":{{run}}}""";

    private static string ClassicRun => Run.Replace("ratified", "classic", StringComparison.Ordinal);

    private static string ByStranger =>
        Proposal(Run).Replace("\"agent_id\":\"agent2\"", "\"agent_id\":\"agent9\"", StringComparison.Ordinal);

    /// <summary>A proposal in a run that differs from <see cref="Run"/> in one part.</summary>
    private static string Proposal(string part, string instead) => Proposal(Run.Replace(part, instead, StringComparison.Ordinal));

    private static string Nested(int depth) => $"{{\"x\":{new string('[', depth)}{new string(']', depth)}}}";
}
