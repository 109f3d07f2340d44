using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>Requests of a page that get no response before the test permits it.</summary>
internal sealed class HeldRequest
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TaskCompletionSource<IRequest> _sent = new();
    private readonly TaskCompletionSource _released = new();
    private readonly IPage _page;

    private HeldRequest(IPage page) => _page = page;

    /// <summary>Holds every request from now on whose address fits a pattern of Playwright.</summary>
    public static async Task<HeldRequest> OfAsync(IPage page, string pattern)
    {
        var held = new HeldRequest(page);
        await page.RouteAsync(pattern, async route =>
        {
            held._sent.TrySetResult(route.Request);
            await held._released.Task;
            await route.ContinueAsync();
        });
        return held;
    }

    /// <summary>Waits until the page has sent one.</summary>
    public Task<IRequest> SentAsync() => _sent.Task.WaitAsync(Patience);

    /// <summary>Lets them pass.</summary>
    public void Release() => _released.SetResult();

    /// <summary>Lets them pass, and waits until the page has the response to the first.</summary>
    public async Task RespondAsync()
    {
        var first = await SentAsync();
        await _page.RunAndWaitForRequestFinishedAsync(
            () =>
            {
                Release();
                return Task.CompletedTask;
            },
            new() { Predicate = request => request == first });
    }
}
