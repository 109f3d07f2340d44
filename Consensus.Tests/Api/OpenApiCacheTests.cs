using System.Globalization;

namespace Consensus.Tests.Api;

/// <summary>The cache of the API's description, which names the host that the request names.</summary>
public sealed class OpenApiCacheTests : ThreeAgents
{
    private const int MaxCachedBytes = 1024 * 1024;

    [Fact]
    public async Task Requests_that_name_ever_new_hosts_do_not_fill_the_memory()
    {
        using var http = new RawHttp(Cluster.Addresses[0]);
        var hosts = Enumerable.Range(0, 60).Select(number => string.Create(CultureInfo.InvariantCulture, $"h{number}.localhost")).ToList();

        // An answer from the cache has an age.
        Assert.False((await DescribeAsync("localhost")).Headers.ContainsKey("age"));
        Assert.True((await DescribeAsync("localhost")).Headers.ContainsKey("age"));
        foreach (var host in hosts)
        {
            await DescribeAsync(host);
        }

        // Earlier hosts may have made room for later ones.
        long cached = 0;
        foreach (var host in hosts)
        {
            var answer = await DescribeAsync(host);
            Assert.Contains($"http://{host}", answer.Body, StringComparison.Ordinal);
            cached += answer.Headers.ContainsKey("age") ? answer.Body.Length : 0;
        }

        Assert.InRange(cached, 0, MaxCachedBytes);

        async Task<RawAnswer> DescribeAsync(string host) => (await http.SendAsync(RawHttp.Request("GET", "/openapi/v1.json", null, $"Host: {host}")))!;
    }
}
