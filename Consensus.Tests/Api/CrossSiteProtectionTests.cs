using System.Text;
using System.Text.RegularExpressions;
using Consensus.Agent.Http;

namespace Consensus.Tests.Api;

/// <summary>What a page of another site can make a person's browser do to an agent: nothing.</summary>
[Trait(Category.Name, Category.System)]
public sealed class CrossSiteProtectionTests(DecidedAgents agents) : IClassFixture<DecidedAgents>
{
    [Theory]
    [InlineData("POST", "/run", "Sec-Fetch-Site: cross-site", 403)]
    [InlineData("POST", "/run", "Sec-Fetch-Site: same-site", 403)]
    [InlineData("POST", "/run", "Sec-Fetch-Site: nonsense", 403)]
    [InlineData("POST", "/reset", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document", 403)]
    [InlineData("POST", "/final", "Sec-Fetch-Site: cross-site", 403)]
    [InlineData("POST", "/run", "Origin: http://evil.example", 403)]
    [InlineData("POST", "/run", "Origin: null", 403)]
    [InlineData("POST", "/run", "Origin: http://localhost:1", 403)]
    [InlineData("OPTIONS", "/run", "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST", 403)]
    [InlineData("GET", "/state", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image", 403)]
    [InlineData("GET", "/", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe", 403)]
    [InlineData("GET", "/run?embed", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe", 403)]
    [InlineData("GET", "/state?embed", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe", 403)]
    [InlineData("GET", "/explore?embed", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: iframe", 403)]
    [InlineData("GET", "/explore?embed", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe", 200)]
    [InlineData("GET", "/", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document", 200)]
    [InlineData("GET", "/state", "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document", 200)]
    [InlineData("GET", "/state", "Sec-Fetch-Site: same-origin", 200)]
    [InlineData("GET", "/state", "Origin: http://evil.example", 200)]
    [InlineData("POST", "/run?wait=30", "Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost", 200)]
    [InlineData("POST", "/run?wait=30", "Origin: http://localhost", 200)]
    [InlineData("POST", "/run?wait=30", "User-Agent: no browser", 200)]
    public async Task Only_the_agent_s_own_page_may_ask(string method, string path, string headers, int status)
    {
        var before = await agents.State();
        var answer = await Call(method, path, headers.Split("\r\n"));
        Assert.Equal(status, answer.Status);
        Assert.False(answer.Headers.ContainsKey("access-control-allow-origin"));
        if (status == 403)
        {
            Assert.Contains("another site", answer.Detail, StringComparison.Ordinal);
            Assert.Contains("in AllowedHosts", answer.Detail, StringComparison.Ordinal);
            Assert.Equal(before, await agents.State());
        }
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("localhost:5001", 200)]
    [InlineData("127.0.0.1:5001", 200)]
    [InlineData("[::1]:5001", 200)]
    [InlineData("agent1:5001", 200)]
    [InlineData("agent1.localhost", 200)]
    [InlineData("host.docker.internal:5001", 200)]
    [InlineData("evil.example", 421)]
    [InlineData("evil.example:5001", 421)]
    [InlineData("localhost.evil.example", 421)]
    [InlineData("127.0.0.1.evil.example", 421)]
    public async Task A_name_that_a_stranger_could_own_is_not_the_agent_s(string host, int status)
    {
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(status, (await Call("GET", "/state", $"Host: {host}")).Status);
            Assert.Equal(status, (await Call("GET", "/state", $"Host: {host}", "Consensus-Message: agent2/b/1")).Status);
        }
    }

    [Theory]
    [InlineData("backend.example:80", "http://consensus.example", 200)]
    [InlineData("backend.example:80", "https://consensus.example:8443", 200)]
    [InlineData("backend.example:80", "http://evil.example", 403)]
    public async Task Behind_a_proxy_that_changes_Host_the_page_works_by_the_names_of_AllowedHosts(string host, string origin, int status)
    {
        await using var cluster = await Agent.LocalCluster.StartAsync(1, 0, args: ["--AllowedHosts=consensus.example;backend.example"]);
        using var http = new RawHttp(cluster.Addresses[0]);
        var request = RawHttp.Request("POST", "/reset", Encoding.UTF8.GetBytes("{}"), $"Host: {host}", $"Origin: {origin}");
        var answer = await http.SendAsync(request);
        Assert.Equal(status, answer!.Status);
    }

    [Theory]
    [InlineData("GET", "/", 200)]
    [InlineData("GET", "/run", 200)]
    [InlineData("GET", "/page.css", 200)]
    [InlineData("GET", "/state", 200)]
    [InlineData("GET", "/nowhere", 404)]
    [InlineData("POST", "/proposal", 400)]
    [InlineData("PUT", "/run", 405)]
    [InlineData("GET", "/health", 200)]
    [InlineData("GET", "/openapi/v1.json", 200)]
    public async Task Every_response_limits_what_a_browser_may_do_with_it(string method, string path, int status)
    {
        var answer = await Call(method, path);
        Assert.Equal(status, answer.Status);

        // The page's own style sheets and script are inside it, and allowed by their hashes.
        Assert.Equal(CrossSiteProtection.Policy, Regex.Replace(answer.Headers["content-security-policy"], " 'sha256-[^']+'", ""));
        Assert.Equal("nosniff", answer.Headers["x-content-type-options"]);
        Assert.Equal("DENY", answer.Headers["x-frame-options"]);
        Assert.Equal("no-referrer", answer.Headers["referrer-policy"]);
        Assert.DoesNotContain("unsafe", CrossSiteProtection.Policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", CrossSiteProtection.Policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scalar_s_page_alone_may_run_its_own_script_and_set_styles()
    {
        var answer = await Call("GET", "/scalar/");
        var policy = answer.Headers["content-security-policy"];
        var nonce = policy.Split("'nonce-")[1].Split('\'')[0];
        Assert.Contains($"nonce=\"{nonce}\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.NotEqual(policy, (await Call("GET", "/scalar/")).Headers["content-security-policy"]);
    }

    [Fact]
    public async Task Too_many_runs_are_refused_with_the_time_to_wait_and_the_rest_goes_on()
    {
        await using var cluster = await Consensus.Tests.Cluster.TestCluster.StartAsync(3, ThreeAgents.Patient with { RunRate = 1 });
        using var http = new RawHttp(cluster.Addresses[0]);
        List<RawAnswer> answers = [];
        for (var i = 0; i < 10; i++)
        {
            answers.Add((await http.SendAsync(RawHttp.Request("POST", "/run", null)))!);
        }

        Assert.Equal(200, answers[0].Status);
        var refused = Assert.IsType<RawAnswer>(answers.Find(answer => answer.Status == 429));
        Assert.InRange(int.Parse(refused.Headers["retry-after"], System.Globalization.CultureInfo.InvariantCulture), 1, 5);
        Assert.Contains("RUN_RATE", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(200, (await http.SendAsync(RawHttp.Request("GET", "/state", null)))!.Status);
    }

    [Fact]
    public async Task A_thousand_runs_one_after_another_are_never_too_many()
    {
        using var http = new RawHttp(agents.First);
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(200, (await http.SendAsync(RawHttp.Request("POST", "/run?wait=30", null)))!.Status);
        }
    }

    private async Task<RawAnswer> Call(string method, string path, params string[] headers)
    {
        using var http = new RawHttp(agents.First);
        return (await http.SendAsync(RawHttp.Request(method, path, method == "POST" ? Encoding.UTF8.GetBytes("{}") : null, headers)))!;
    }
}
