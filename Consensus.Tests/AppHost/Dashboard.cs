using System.Text.RegularExpressions;
using Consensus.Tests.Browser;
using Microsoft.Playwright;

namespace Consensus.Tests.AppHost;

/// <summary>
/// Aspire's dashboard, as a person uses it. On a busy machine its page may lose its connection: it stays empty, or takes no click.
/// A person reloads it then.
/// </summary>
internal static partial class Dashboard
{
    private const int Tries = 4;
    private const float PatienceMs = 20_000;

    /// <summary>Logs in, and waits until the list shows the agents.</summary>
    public static async Task<Tab> OpenAsync(Chromium chromium, Uri address, int width = 1400, int height = 800)
    {
        var tab = await chromium.OpenAsync(address, width, height, ready: "body");
        await RetryAsync(tab, () => Task.CompletedTask, tab.Page.Locator("[title$=': agent3']"));
        return tab;
    }

    /// <summary>Starts a run by the cluster's button in the list.</summary>
    public static Task RunAsync(Tab tab) =>
        RetryAsync(tab, () => Action(tab, "consensus", "Starts a run on all agents").ClickAsync(), tab.Page.GetByText("\"Run consensus\""));

    /// <summary>The row of a resource.</summary>
    public static ILocator Row(Tab tab, string resource) =>
        tab.Page.Locator("tr").Filter(new() { Has = tab.Page.Locator($"[title$=': {resource}']") });

    /// <summary>The link that shows what came of the cluster's newest run.</summary>
    public static ILocator Outcome(Tab tab) => Row(tab, "consensus").Locator(".url-container a").First;

    /// <summary>Waits until the list shows a decision.</summary>
    public static Task DecidedAsync(Tab tab) => Assertions.Expect(Outcome(tab)).ToHaveTextAsync(Decided());

    /// <summary>The button of a command, by the start of its description.</summary>
    public static ILocator Action(Tab tab, string resource, string description) => Row(tab, resource).Locator($"[title^='{description}']");

    /// <summary>Takes the picture of the page into the folder <c>CONSENSUS_SCREENSHOTS</c>, if that is set.</summary>
    public static async Task PictureAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("CONSENSUS_SCREENSHOTS") is { } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(SourceTree.Root, folder, name + ".png") });
        }
    }

    private static async Task RetryAsync(Tab tab, Func<Task> act, ILocator shown)
    {
        for (var tries = 1; ; tries++)
        {
            await act();
            try
            {
                await shown.First.WaitForAsync(new() { Timeout = PatienceMs });
                return;
            }
            catch (TimeoutException) when (tries < Tries)
            {
                // What ended the page's connection stands in its console. It is no error of the page that replaces it.
                tab.Errors.Clear();
                await tab.Page.ReloadAsync();
            }
        }
    }

    [GeneratedRegex("Decided [123]")]
    private static partial Regex Decided();
}
