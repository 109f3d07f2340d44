using System.Diagnostics;
using System.Globalization;
using Consensus.Agent;
using Consensus.Agent.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit.Abstractions;

namespace Consensus.Tests.Cluster;

/// <summary>
/// A ratio, never a time; half as much again fails. A wait shows in the fastest of some shutdowns, beside those of bare servers that
/// hold as many requests: 1.5 to 2.2 measured, and 5 to 7 where an agent waits 1 ms more. What is much at a moment is tried again.
/// </summary>
[Collection(SerialCollection.Name)]
[Trait(Category.Name, Category.System)]
public sealed class ShutdownSpeedTests(ITestOutputHelper output)
{
    private const double MaxRatio = 2.3;
    private const int Attempts = 5;
    private const int Shutdowns = 25;
    private const int Agents = 3;
    private const int Held = 20;
    private const string Path = "/consensus";

    [Fact]
    public async Task A_shutdown_waits_for_nothing_but_the_responses_to_the_requests_that_it_holds()
    {
        var best = double.MaxValue;
        for (var attempt = 0; attempt < Attempts && best > MaxRatio; attempt++)
        {
            var (bare, agents) = (double.MaxValue, double.MaxValue);
            for (var i = 0; i < Shutdowns; i++)
            {
                bare = Math.Min(bare, await EndBareServersAsync());
                agents = Math.Min(agents, await EndAgentsAsync());
            }

            best = Math.Min(best, agents / bare);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{agents / bare:0.00} shutdowns of bare servers ({agents:0.0} and {bare:0.0} ms)"));
        }

        Assert.InRange(best, 0, MaxRatio);
    }

    private static async Task<double> EndAgentsAsync()
    {
        var arrivals = new Arrivals();
        var cluster = await LocalCluster.StartAsync(Agents, 0, configure: (_, builder) =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<IStartupFilter>(new FirstMiddleware(arrivals.CountAsync));
        });
        using var http = new HttpClient();
        using var decided = await http.PostAsync(new Uri(cluster.Addresses[0], "/run?wait=30"), null);
        decided.EnsureSuccessStatusCode();

        // These wait for a run that never comes.
        return await EndAsync(
            http, cluster.Addresses, $"{Path}?wait=60&run=999999.agent1.none", arrivals, () => cluster.DisposeAsync().AsTask());
    }

    private static async Task<double> EndBareServersAsync()
    {
        var arrivals = new Arrivals();
        var servers = new List<WebApplication>();
        for (var i = 0; i < Agents; i++)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<IStartupFilter>(new FirstMiddleware(arrivals.CountAsync));
            HttpServer.Configure(builder.WebHost);
            var server = builder.Build();
            server.Urls.Add("http://127.0.0.1:0");
            server.MapGet(Path, () => Task.Delay(Timeout.Infinite, server.Lifetime.ApplicationStopping)
                .ContinueWith(_ => "", TaskScheduler.Default));
            await server.StartAsync();
            servers.Add(server);
        }

        using var http = new HttpClient();
        return await EndAsync(
            http, [.. servers.Select(LocalCluster.AddressOf)], Path, arrivals, () => Task.WhenAll(servers.Select(LocalCluster.EndAsync)));
    }

    /// <summary>Sends requests that are held, and ends the servers.</summary>
    /// <returns>How long the end took, in milliseconds.</returns>
    private static async Task<double> EndAsync(
        HttpClient http, IReadOnlyList<Uri> addresses, string path, Arrivals arrivals, Func<Task> end)
    {
        var held = Enumerable.Range(0, Held).Select(number => http.GetAsync(new Uri(addresses[number % addresses.Count], path))).ToList();
        await arrivals.WaitAsync(Held);
        var start = Stopwatch.GetTimestamp();
        await end();
        var took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Assert.All(await Task.WhenAll(held), response => Assert.True(response.IsSuccessStatusCode));
        return took;
    }

    /// <summary>Counts the requests that arrived and are held.</summary>
    private sealed class Arrivals
    {
        private int _count;

        public async Task WaitAsync(int count)
        {
            while (Volatile.Read(ref _count) < count)
            {
                await Task.Delay(1);
            }
        }

        public Task CountAsync(HttpContext context, RequestDelegate rest)
        {
            if (context.Request.Path == Path)
            {
                Interlocked.Increment(ref _count);
            }

            return rest(context);
        }
    }
}
