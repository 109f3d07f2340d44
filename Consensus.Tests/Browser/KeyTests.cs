using Consensus.Agent.Hosting;
using Consensus.ServiceDefaults;
using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The page where the cluster has a key: who watches needs none, who breaks does.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class KeyTests(Chromium chromium) : ThreeAgents(Breakable with { Key = new ClusterKey(Secret) })
{
    private const string Secret = "correct-horse-battery-staple";

    [SkippableFact]
    public async Task Without_the_key_a_person_runs_and_watches_and_with_it_breaks_and_resets()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        var key = tab.Page.Locator("#key");
        await tab.Page.ClickAsync("#run");
        await tab.VerdictAsync("good");
        await Assertions.Expect(key).ToBeVisibleAsync();
        await Assertions.Expect(tab.Page.Locator("#key-help"))
            .ToContainTextAsync("CLUSTER_KEY; under the AppHost, the parameter cluster-key");
        foreach (var agent in new[] { "agent1", "agent2", "agent3" })
        {
            await Assertions.Expect(tab.Page.GetByLabel($"Isolate {agent}")).ToBeDisabledAsync();
        }

        await Assertions.Expect(tab.Page.Locator("#heal")).ToBeDisabledAsync();
        Assert.Empty(tab.Errors);

        await key.FillAsync("not-the-key-of-this-cluster");
        await key.PressAsync("Enter");
        await Assertions.Expect(tab.Page.Locator("#notice")).ToContainTextAsync("refused this cluster key");
        await Assertions.Expect(tab.Page.GetByLabel("Isolate agent3")).ToBeDisabledAsync();
        await tab.Page.ClickAsync("#reset");
        await Assertions.Expect(tab.Page.Locator("#notice")).ToContainTextAsync("CLUSTER_KEY");
        Assert.All(tab.Errors, error => Assert.Contains("401", error, StringComparison.Ordinal));
        tab.Errors.Clear();

        await key.FillAsync(Secret);
        await key.PressAsync("Enter");
        await tab.Page.GetByLabel("Isolate agent3").ClickAsync();
        await Assertions.Expect(tab.Page.GetByLabel("Isolate agent3")).ToHaveTextAsync("Reconnect");
        await tab.Page.ClickAsync("#reset");
        await Assertions.Expect(tab.Page.Locator("#notice")).ToBeHiddenAsync();
        Assert.Equal(0, (await Clients[0].Get("/state")).Body.GetProperty("attempts").GetInt32());
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task The_key_is_in_no_address_and_in_no_history()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        List<string> addresses = [];
        tab.Page.Request += (_, request) => addresses.Add(request.Url);
        await tab.Page.Locator("#key").FillAsync(Secret);
        await tab.Page.GetByText("Use key").ClickAsync();
        await tab.Page.GetByLabel("Isolate agent3").ClickAsync();
        await Assertions.Expect(tab.Page.GetByLabel("Isolate agent3")).ToHaveTextAsync("Reconnect");
        Assert.NotEmpty(addresses);
        Assert.DoesNotContain(addresses, address => address.Contains(Secret, StringComparison.Ordinal));
        Assert.Equal(Cluster.Addresses[0].ToString(), tab.Page.Url);
        Assert.Null(await tab.Page.EvaluateAsync<string?>("history.state"));
    }

    [SkippableFact]
    public async Task The_page_that_tries_the_API_works_under_its_policy_and_calls_nobody_else()
    {
        await using var tab = await chromium.OpenAsync(Cluster.Addresses[0]);
        List<string> elsewhere = [];
        tab.Page.Request += (_, request) =>
        {
            var url = new Uri(request.Url);
            if (url.Scheme.StartsWith("http", StringComparison.Ordinal) && url.Authority != Cluster.Addresses[0].Authority)
            {
                elsewhere.Add(request.Url);
            }
        };
        await tab.Page.GotoAsync(new Uri(Cluster.Addresses[0], "/scalar/").ToString());
        await Assertions.Expect(tab.Page.GetByText("Between agents").First).ToBeVisibleAsync();
        Assert.Empty(elsewhere);
        Assert.Empty(tab.Errors);
    }
}
