using System.Net;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;

namespace Consensus.Tests.Api;

/// <summary>A full house refuses, and does not grow.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ConcurrencyLimitsTests() : ThreeAgents(
    Breakable with { Limits = new CallLimits(Messages: 2, LongPolls: 2, Streams: 1, FanOut: 1) })
{
    [Fact]
    public async Task Requests_beyond_the_limit_are_refused_and_the_others_are_answered()
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[0] };
        await AssertOneIsRefusedAsync(() => http.GetAsync("/consensus?wait=60"), 3, async waiting =>
        {
            // A question that does not wait is answered all the same.
            Assert.Equal(HttpStatusCode.Accepted, (await Clients[0].Get("/consensus")).Code);
            Assert.Equal(HttpStatusCode.OK, (await Clients[1].Post("/run?wait=60")).Code);
            Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        });
        Assert.Equal(HttpStatusCode.OK, (await Clients[0].Get("/consensus?wait=60")).Code);
    }

    [Fact]
    public async Task Messages_that_come_on_top_of_a_full_inbox_are_refused_and_lost()
    {
        Assert.Equal(HttpStatusCode.OK, (await Clients[0].Put("/faults", """{"links":[{"direction":"in","delay_ms":60000}]}""")).Code);
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[0] };
        using var abandon = new CancellationTokenSource();
        await AssertOneIsRefusedAsync(
            () => http.PostAsync("/proposal", ApiClient.Json("""{"agent_id":"agent9","value":1,"round":1}"""), abandon.Token),
            3, async held =>
            {
                await abandon.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(held));
            });
        Assert.Equal(0, (await Clients[0].Get("/state")).Body.GetProperty("round").GetInt32());
    }

    [Fact]
    public async Task A_stream_too_many_is_refused_until_one_ends()
    {
        using var http = new HttpClient { BaseAddress = Cluster.Addresses[0] };
        using (var first = await http.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            using var second = await http.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, second.StatusCode);
        }

        HttpStatusCode code;
        do
        {
            using var again = await http.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead);
            code = again.StatusCode;
        }
        while (code != HttpStatusCode.OK);
    }

    private static async Task AssertOneIsRefusedAsync(
        Func<Task<HttpResponseMessage>> call, int calls, Func<List<Task<HttpResponseMessage>>, Task> others)
    {
        List<Task<HttpResponseMessage>> all = [.. Enumerable.Range(0, calls).Select(_ => call())];

        // Nobody else gets an answer, so the first to have one is the one that was refused.
        var first = await Task.WhenAny(all);
        using var refused = await first;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        all.Remove(first);
        await others(all);
    }
}
