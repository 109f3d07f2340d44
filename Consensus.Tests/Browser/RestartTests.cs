using System.Net;
using Consensus.Agent;
using Consensus.Agent.Hosting;
using Consensus.Tests.Api;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The page on the second day: the agents were stopped, and started again with what they keep.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class RestartTests(Chromium chromium) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-");

    public void Dispose() => _folder.Delete(recursive: true);

    [SkippableFact]
    public async Task After_a_restart_the_page_shows_the_decision_and_its_duration_and_no_agent_that_left()
    {
        await using (var before = await StartAsync(5))
        {
            using var client = new ApiClient(before.Addresses[0]);
            for (var run = 1; run <= 2; run++)
            {
                await client.Post("/run?wait=60", """{"values":1,"seed":1}""");

                // The agent that started the run decides first, and a next run would take the place of this one.
                foreach (var address in before.Addresses)
                {
                    using var agent = new ApiClient(address);
                    Assert.Equal(HttpStatusCode.OK, (await agent.Get("/consensus?wait=60")).Code);
                }
            }
        }

        await using var cluster = await StartAsync(3);
        await using var tab = await chromium.OpenAsync(cluster.Addresses[0]);
        await tab.VerdictAsync("good");
        var verdict = tab.Page.Locator("#diagram .verdict strong");
        var newest = tab.Page.Locator("#history .runs li").First;
        var took = await newest.Locator(".took").InnerTextAsync();
        await Assertions.Expect(verdict)
            .ToHaveTextAsync($"agent1, agent2 and agent3 agreed on 1 after 1 round in {took}, before the restart.");
        await Assertions.Expect(tab.Page.Locator("#diagram .figures")).ToContainTextAsync("2 of its agents left the cluster");
        await Assertions.Expect(tab.Page.Locator("#agents tbody tr")).ToHaveCountAsync(3);
        Assert.Equal(0, await tab.Page.Locator("[data-status=down]").CountAsync());
        foreach (var agent in new[] { "agent1", "agent2", "agent3" })
        {
            await tab.IsAsync(agent, "decided");
        }

        // Of an older run not even the restart is recorded.
        await tab.Page.Locator("#history .runs li").Nth(1).Locator("button").ClickAsync();
        took = await tab.Page.Locator("#history .runs li").Nth(1).Locator(".took").InnerTextAsync();
        await Assertions.Expect(verdict).ToHaveTextAsync($"agent1, agent2 and agent3 agreed on 1 after 1 round in {took}.");
        await tab.IsAsync("agent2", "decided");
        Assert.DoesNotMatch("Infinity|NaN|undefined", await tab.Page.InnerTextAsync("body"));
        Assert.Empty(tab.Errors);
    }

    private Task<LocalCluster> StartAsync(int agents) => LocalCluster.StartAsync(
        agents, 0, ThreeAgents.Patient with { Data = Path.Combine(_folder.FullName, "kept.db") },
        configure: (_, builder) => builder.Logging.ClearProviders());
}
