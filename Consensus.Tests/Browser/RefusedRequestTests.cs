using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The page where an agent, or a proxy in front of it, refuses requests.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class RefusedRequestTests(Chromium chromium) : ThreeAgents(Breakable)
{
    [SkippableTheory]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_page_whose_first_requests_are_refused_recovers_by_itself(int status)
    {
        await Clients[0].Post("/run?wait=30");
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        var refused = 0;
        await tab.Page.RouteAsync(
            "**/events", route => route.FulfillAsync(new() { ContentType = "text/event-stream", Body = "retry: 3600000\n\n" }));
        foreach (var path in new[] { "**/timeline?*", "**/cluster" })
        {
            var first = 1;
            await tab.Page.RouteAsync(path, route => Interlocked.Exchange(ref first, 0) == 0 ? route.ContinueAsync()
                : route.FulfillAsync(new()
                {
                    Status = status, ContentType = "application/problem+json",
                    Body = $$"""{"detail":"refusal {{Interlocked.Increment(ref refused)}}"}""",
                }));
        }

        await tab.Page.ReloadAsync(new() { WaitUntil = WaitUntilState.Commit });
        await tab.VerdictAsync("good");
        await Assertions.Expect(tab.Page.Locator("#connection")).ToHaveTextAsync("3 of 3 agents up, seen from agent1");
        await Assertions.Expect(tab.Page.Locator("#faults")).ToBeVisibleAsync();
        Assert.Equal(2, refused);
    }
}
