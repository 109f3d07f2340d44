using System.Globalization;
using System.Net;
using Consensus.Agent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Api;

/// <summary>The cache of the API's description, which names the host that the request names.</summary>
[Trait(Category.Name, Category.System)]
public sealed class OpenApiCacheTests : ThreeAgents
{
    private const int MaxCachedBytes = 1024 * 1024;

    [Fact]
    public async Task A_reader_that_leaves_while_the_description_is_made_costs_the_next_reader_nothing()
    {
        // As when a page is reloaded: its first request ends, and the second waits for the same description.
        var (entered, left, go) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        await using var cluster = await LocalCluster.StartAsync(1, 0, Patient, configure: (_, builder) =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<IStartupFilter>(new FirstMiddleware((context, rest) =>
            {
                // The server notices that a client has left.
                context.RequestAborted.Register(() => left.TrySetResult());
                return rest(context);
            }));
            builder.Services.Configure<OpenApiOptions>("v1", openApi => openApi.AddDocumentTransformer(async (_, _, cancellation) =>
            {
                entered.TrySetResult();
                await go.Task;
                cancellation.ThrowIfCancellationRequested();
            }));
        });
        using var http = new HttpClient { BaseAddress = cluster.Addresses[0] };
        using var leaving = new CancellationTokenSource();
        var first = http.GetAsync("/openapi/v1.json", leaving.Token);
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(60));
        var second = http.GetAsync("/openapi/v1.json");
        await http.GetAsync("/state");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await left.Task.WaitAsync(TimeSpan.FromSeconds(60));
        go.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await second.WaitAsync(TimeSpan.FromSeconds(60))).StatusCode);
    }

    [Fact]
    public async Task Requests_that_name_ever_new_hosts_do_not_fill_the_memory()
    {
        using var http = new RawHttp(Cluster.Addresses[0]);
        var hosts = Enumerable.Range(0, 16).Select(number => string.Create(CultureInfo.InvariantCulture, $"h{number}.localhost")).ToList();

        // An answer from the cache has an age.
        Assert.False((await DescribeAsync("localhost")).Headers.ContainsKey("age"));
        Assert.True((await DescribeAsync("localhost")).Headers.ContainsKey("age"));
        foreach (var host in hosts)
        {
            await DescribeAsync(host);
        }

        // Earlier hosts may have made room for later ones.
        long cached = 0;
        long all = 0;
        foreach (var host in hosts)
        {
            var answer = await DescribeAsync(host);
            Assert.Contains($"http://{host}", answer.Body, StringComparison.Ordinal);
            all += answer.Body.Length;
            cached += answer.Headers.ContainsKey("age") ? answer.Body.Length : 0;
        }

        Assert.InRange(cached, 0, MaxCachedBytes);
        Assert.InRange(all, 3L * MaxCachedBytes / 2, long.MaxValue);

        async Task<RawAnswer> DescribeAsync(string host) =>
            (await http.SendAsync(RawHttp.Request("GET", "/openapi/v1.json", null, $"Host: {host}")))!;
    }
}
