using System.Net;
using System.Text;

namespace Consensus.Tests.Api;

/// <summary>What the original's clients may send is taken.</summary>
[Trait(Category.Name, Category.System)]
public sealed class UnknownFieldsTests : ThreeAgents
{
    [Theory]
    [InlineData("POST", "/reset", null)]
    [InlineData("POST", "/reset", "", "Content-Type: application/x-www-form-urlencoded")]
    [InlineData("POST", "/reset", "", "Content-Type: application/json")]
    [InlineData("POST", "/reset", "{}")]
    [InlineData("POST", "/reset", "0\r\n\r\n", "Transfer-Encoding: chunked")]
    [InlineData("POST", "/run", null)]
    [InlineData("POST", "/run", "")]
    [InlineData("POST", "/run", """{"round":5}""")]
    [InlineData("POST", "/run", """{"round":5}""", "Content-Type: application/json; charset=utf-8")]
    [InlineData("POST", "/run", """{"round":5,"note":{"of":["the client's"]}}""", "Content-Type: application/vnd.client+json")]
    [InlineData("POST", "/run", """{"round":null,"rule":null,"values":null,"draw":null,"window_ms":null,"seed":null}""")]
    [InlineData("POST", "/run?wait=0", "{}")]
    [InlineData("POST", "/run?wait=2.5", "{}")]
    [InlineData("POST", "/new_round", """{"round":1}""")]
    [InlineData("POST", "/proposal", """{"agent_id":"agent2","value":7,"round":1}""")]
    [InlineData("POST", "/final", "\r\n{ \"value\": 2, \"round\": 1 }\r\n")]
    public async Task It_is_taken(string method, string path, string? body, params string[] headers)
    {
        using var http = new RawHttp(Cluster.Addresses[0]);
        var answer = await http.SendAsync(RawHttp.Request(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), headers));
        Assert.Contains(answer!.Status, new[] { 200, 202 });
        Assert.Equal("application/json", answer.ContentType.Split(';')[0]);
        Assert.Equal(HttpStatusCode.OK, (await Clients[0].Post("/run?wait=30")).Code);
    }
}
