using System.Net;
using System.Text;

namespace Consensus.Tests.Api;

/// <summary><c>HEAD</c> answers as <c>GET</c> does, without a body, at once.</summary>
[Trait(Category.Name, Category.System)]
public sealed class HeadTests(DecidedAgents agents) : IClassFixture<DecidedAgents>
{
    [Theory]
    [InlineData("/state", 200, "application/json")]
    [InlineData("/consensus", 200, "application/json")]
    [InlineData("/cluster", 200, "application/json")]
    [InlineData("/cluster/1/consensus", 200, "application/json")]
    [InlineData("/timeline", 200, "application/json")]
    [InlineData("/timeline/runs", 200, "application/json")]
    [InlineData("/timeline?cluster=nonsense", 400, "application/problem+json")]
    [InlineData("/health", 200, "text/plain")]
    [InlineData("/alive", 200, "text/plain")]
    [InlineData("/openapi/v1.json", 200, "application/json")]
    [InlineData("/", 200, "text/html")]
    [InlineData("/run", 200, "text/html")]
    [InlineData("/page.css", 200, "text/css")]
    [InlineData("/glossary.md", 200, "text/markdown")]
    [InlineData("/reset", 405, "application/problem+json")]
    [InlineData("/nowhere", 404, "application/problem+json")]
    public async Task Status_and_headers_are_those_of_get_without_a_body(string path, int status, string type)
    {
        using var http = new RawHttp(agents.First);
        var get = await http.SendAsync(RawHttp.Request("GET", path, null));
        var head = await http.SendAsync(RawHttp.Request("HEAD", path, null), noBody: true);
        Assert.Equal((status, type, ""), (head!.Status, head.ContentType.Split(';')[0], head.Body));
        Assert.Equal(get!.Status, head.Status);
        Assert.Equal(Headers(get), Headers(head));
    }

    [Fact]
    public async Task The_connection_serves_the_next_request()
    {
        using var http = new HttpClient { BaseAddress = agents.First };
        foreach (var method in new[] { HttpMethod.Head, HttpMethod.Get, HttpMethod.Head, HttpMethod.Get })
        {
            using var request = new HttpRequestMessage(method, "/state");
            using var response = await http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(method == HttpMethod.Head, (await response.Content.ReadAsStringAsync()).Length == 0);
        }
    }

    // How a body is framed is no part of an answer without one.
    private static List<string> Headers(RawAnswer answer) => [.. answer.Headers
        .Where(header => header.Key.ToLowerInvariant() is not ("age" or "date" or "transfer-encoding" or "content-length" or "connection"))
        .Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal)];
}

/// <summary><c>HEAD</c> of what would wait for a decision or stream events.</summary>
[Trait(Category.Name, Category.System)]
public sealed class HeadWithoutDecisionTests : ThreeAgents
{
    [Theory]
    [InlineData("/consensus?wait=60", 202, "application/json")]
    [InlineData("/cluster/1/consensus?wait=60", 202, "application/json")]
    [InlineData("/events", 200, "text/event-stream")]
    public async Task It_is_answered_at_once_and_ends(string path, int status, string type)
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[0], Timeout = TimeSpan.FromSeconds(30) };
        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        using var response = await http.SendAsync(request);
        Assert.Equal((status, type), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
    }
}
