using System.Net;
using System.Text.Json;
using Consensus.Agent;
using Consensus.Tests.Api;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Timeline;

/// <summary>A page that asks something else leaves its last question. What it asked about is kept for the next.</summary>
[Trait(Category.Name, Category.System)]
public sealed class LeavingReaderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_reader_that_leaves_while_the_records_are_read_does_not_make_agents_count_as_down()
    {
        var (asked, go, ended) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        await using var cluster = await LocalCluster.StartAsync(3, 0, ThreeAgents.Patient, configure: (agent, builder) =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<IStartupFilter>(agent == 0
                ? On("/explore/possible", rest => rest().ContinueWith(_ => ended.TrySetResult(), TaskScheduler.Default))
                : On("/timeline/record", async rest =>
                {
                    asked.TrySetResult();
                    await go.Task;
                    await rest();
                }));
        });
        using var http = new HttpClient { BaseAddress = cluster.Addresses[0] };
        using var started = await http.PostAsync("/run?wait=30", null);
        using var answer = JsonDocument.Parse(await started.Content.ReadAsStringAsync());
        var question = $"/explore/possible?run={answer.RootElement.GetProperty("run").GetString()}&at=60000";

        using var leaving = new CancellationTokenSource();
        var first = http.GetAsync(question, leaving.Token);
        await asked.Task.WaitAsync(Patience);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await ended.Task.WaitAsync(Patience);
        go.SetResult();

        using var second = await http.GetAsync(question);
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        using var possible = JsonDocument.Parse(await second.Content.ReadAsStringAsync());
        Assert.InRange(possible.RootElement.GetProperty("crashes_to_stall").GetInt32(), 2, 3);
    }

    [Fact]
    public async Task An_agent_that_is_up_and_gives_no_record_is_named_and_not_taken_for_one_that_is_down()
    {
        await using var cluster = await LocalCluster.StartAsync(3, 0, ThreeAgents.Patient, configure: (agent, builder) =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<IStartupFilter>(
                On(agent == 1 ? "/timeline/record" : "/none", _ => throw new InvalidOperationException("On purpose.")));
        });
        using var client = new ApiClient(cluster.Addresses[0]);
        var (_, started) = await client.Post("/run?wait=30");
        var (code, problem) = await client.Get($"/explore/possible?run={started.GetProperty("run").GetString()}&at=60000");
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.EndsWith("agent2 did not give its record in time. Try again.",
            problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    /// <summary>Handles the requests for one path in its own way.</summary>
    private static FirstMiddleware On(string path, Func<Func<Task>, Task> handle) =>
        new((context, rest) => context.Request.Path == path ? handle(() => rest(context)) : rest(context));
}
