using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>
/// One Chromium for the tests of a collection: <c>CHROMIUM_PATH</c>, or <c>/usr/bin/chromium-headless-shell</c>, or
/// <c>/usr/bin/chromium</c>. The shell has no window of its own, so a page takes it less than half the CPU.
/// </summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Shell = "/usr/bin/chromium-headless-shell";
    private static readonly string Executable =
        Environment.GetEnvironmentVariable("CHROMIUM_PATH") ?? (File.Exists(Shell) ? Shell : "/usr/bin/chromium");
    private const float PatienceMs = 60_000;

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The tests of the live page and of what all tabs share. They share a browser and run one after the other.</summary>
    public const string Live = "live page";

    /// <summary>The tests of Learn, Simulate and Explore, beside those of the live page.</summary>
    public const string Lab = "other tabs";

    public async Task InitializeAsync()
    {
        if (!File.Exists(Executable))
        {
            return;
        }

        // As long as the other waits of these tests: a busy machine may take more than the 5 s that are the default.
        Assertions.SetDefaultExpectTimeout(PatienceMs);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = Executable, Args = ["--no-sandbox"] });
    }

    public async Task DisposeAsync()
    {
        await (_browser?.DisposeAsync() ?? ValueTask.CompletedTask);
        _playwright?.Dispose();
    }

    /// <summary>Opens a page; what goes wrong in it is collected.</summary>
    /// <param name="address">The page.</param>
    /// <param name="width">Of the window, in pixels.</param>
    /// <param name="height">Of the window, in pixels.</param>
    /// <param name="script">Runs in the page, and in further pages of its browser context, before any other script.</param>
    /// <param name="touch">True for a touch screen.</param>
    /// <param name="ready">Selects what is there once the page can be used; by default, of our own page.</param>
    public async Task<Tab> OpenAsync(
        Uri address, int width = 1280, int height = 800, string? script = null, bool touch = false, string ready = "body[data-ready=true]")
    {
        if (_browser is null)
        {
            MissingTool.Report($"There is no Chromium at {Executable}: install it, or set CHROMIUM_PATH.");
        }

        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height }, ReducedMotion = ReducedMotion.Reduce,
            HasTouch = touch,
        });
        if (script is not null)
        {
            await context.AddInitScriptAsync(script);
        }

        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(PatienceMs);
        var tab = new Tab(context, page);
        await LoadAsync(tab, address, ready);

        // Chromium drops presses before it has shown the first picture of a page.
        await page.WaitForFunctionAsync("() => performance.getEntriesByName('first-contentful-paint').length > 0");
        return tab;
    }

    /// <summary>
    /// Loads the page, and again if the browser dropped one of its scripts because a network interface of this machine came or went,
    /// as they do whenever a container starts.
    /// </summary>
    private static async Task LoadAsync(Tab tab, Uri address, string ready)
    {
        for (var attempt = 1; ; attempt++)
        {
            var dropped = new TaskCompletionSource();
            void OnFailure(object? sender, IRequest request)
            {
                if (request.ResourceType == "script" && request.Failure == "net::ERR_NETWORK_CHANGED")
                {
                    dropped.TrySetResult();
                }
            }

            tab.Page.RequestFailed += OnFailure;
            await tab.Page.GotoAsync(address.ToString());
            var loaded = tab.Page.WaitForSelectorAsync(ready);
            var first = await Task.WhenAny(loaded, dropped.Task);
            tab.Page.RequestFailed -= OnFailure;
            if (first == loaded || attempt == 10)
            {
                await loaded;
                return;
            }

            tab.Errors.Clear();
        }
    }
}

/// <summary>A page and the errors of its console.</summary>
public sealed class Tab : IAsyncDisposable
{
    private readonly IBrowserContext _context;

    public Tab(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            const string Failed = "Failed to load resource: the server responded with a status of";
            var line = $"{message.Text.Replace(Failed, "status", StringComparison.Ordinal)} {message.Location}";
            if (message.Type is "error" or "warning")
            {
                Errors.Add(line);
            }

            if (message.Type is "warning")
            {
                Warnings.Add(line);
            }
        };
        page.PageError += (_, error) => Errors.Add(error);
    }

    public IPage Page { get; }

    /// <summary>What the console showed as errors and warnings.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>The warnings among <see cref="Errors"/>.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>The table's row of an agent.</summary>
    public ILocator Row(string agent) => Page.Locator($"#agents tr[data-agent={agent}]");

    /// <summary>Waits until an agent's row says this.</summary>
    public Task IsAsync(string agent, string status) =>
        Assertions.Expect(Row(agent)).ToHaveAttributeAsync("data-status", status);

    /// <summary>Waits until the sentence above the diagram has this tone: good, open, bad.</summary>
    public Task VerdictAsync(string tone) => Page.WaitForSelectorAsync($"#diagram .verdict.{tone}");

    /// <summary>Waits until the address ends so. Playwright's own wait misses an address that changes just when it begins.</summary>
    public Task AddressEndsAsync(string end) => Assertions.Expect(Page).ToHaveURLAsync(new Regex($"{Regex.Escape(end)}$"));

    /// <summary>
    /// Where an element is. A drawing that replaces the element at that moment leaves it without a place, so it is asked again.
    /// </summary>
    public static async Task<LocatorBoundingBoxResult> BoxAsync(ILocator element)
    {
        for (var tries = 1; tries <= 50; tries++)
        {
            if (await element.BoundingBoxAsync() is { } box)
            {
                return box;
            }
        }

        throw new InvalidOperationException($"{element} has no place on the page.");
    }

    /// <summary>Waits until the page has drawn so many frames.</summary>
    public Task FramesAsync(int count) => Page.EvaluateAsync(
        "async (count) => { for (let frame = 0; frame < count; frame++) await new Promise(requestAnimationFrame); }", count);

    /// <summary>What Axe finds wrong on the page.</summary>
    /// <param name="rule">The one rule to check; null: all.</param>
    public async Task<AxeResultItem[]> ViolationsAsync(string? rule = null) => (await Page.RunAxe(new AxeRunOptions
    {
        RunOnly = rule is null ? null : RunOnlyOptions.Rules(rule), ResultTypes = [ResultType.Violations],
    })).Violations;

    /// <summary>Waits until the page has so many elements of a kind. False where it does not within 5 s.</summary>
    public async Task<bool> ShowsAsync(string selector, int count)
    {
        try
        {
            await Assertions.Expect(Page.Locator(selector)).ToHaveCountAsync(count, new() { Timeout = 5_000 });
            return true;
        }
        catch (PlaywrightException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}

#pragma warning disable CA1711 // xunit names them so
[CollectionDefinition(Chromium.Live)]
public sealed class LivePageCollection : ICollectionFixture<Chromium>;

[CollectionDefinition(Chromium.Lab)]
public sealed class OtherTabsCollection : ICollectionFixture<Chromium>;
#pragma warning restore CA1711
