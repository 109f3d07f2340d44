using System.Net;
using Consensus.Protocol;
using Consensus.Tests.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Cluster;

/// <summary>What the program promises that a test host with more reflection than it would not notice.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ProgramTests
{
    [Fact]
    public async Task The_description_of_the_api_names_every_path()
    {
        using var cluster = await AgentProcess.StartAsync(["--agents", "1", "--port", "0"]);
        using var client = new ApiClient(cluster.Address);
        var (code, document) = await client.Get("/openapi/v1.json");
        Assert.Equal(HttpStatusCode.OK, code);
        var paths = document.GetProperty("paths").EnumerateObject().Select(path => path.Name);
        Assert.Superset(
            new HashSet<string>
            {
                "/run", "/consensus", "/state", "/reset", "/new_round", "/proposal", "/vote", "/final", "/cluster",
                "/timeline", "/timeline/runs", "/events",
            },
            new HashSet<string>(paths));

        // Names and ranges are those of the wire.
        var options = document.GetProperty("components").GetProperty("schemas").GetProperty("RunRequest").GetProperty("properties");
        Assert.Equal(RunOption.All.Select(option => option.Name).Order(), options.EnumerateObject().Select(option => option.Name).Order());
        Assert.Equal(ProtocolLimits.MaxWindowMs, options.GetProperty("window_ms").GetProperty("maximum").GetInt32());
    }

    [Fact]
    public async Task Trigger_repeats_the_draws_of_a_seed_and_refuses_one_out_of_range()
    {
        using var cluster = await AgentProcess.StartAsync(["--agents", "1", "--port", "0"]);
        var runs = new List<string>();
        foreach (var seed in new[] { "9007199254740991", "9007199254740991", "5" })
        {
            var (code, output) = await AgentProcess.RunAsync(
                "trigger", "--url", $"{cluster.Address}", "--values", "1000000000", "--seed", seed);
            Assert.Equal(0, code);
            runs.Add(output.Split('\n').Single(line => line.StartsWith("Agreed on", StringComparison.Ordinal)));
        }

        Assert.Equal(runs[0], runs[1]);
        Assert.NotEqual(runs[0], runs[2]);
        Assert.Equal((1, ""), await AgentProcess.RunAsync("trigger", "--url", $"{cluster.Address}", "--seed", "9007199254740992"));
    }

    [Fact]
    public async Task Trigger_asks_the_agent_that_is_named()
    {
        using var cluster = await AgentProcess.StartAsync(["--agents", "3", "--port", "0"]);
        var (code, output) = await AgentProcess.RunAsync(
            "trigger", "2", "--url", $"{cluster.Address}", "--rule", "ratified", "--values", "5", "--draw", "plurality");
        Assert.Equal(0, code);
        Assert.Contains("Agreed on", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trigger_reports_in_one_line_that_the_address_is_no_agents()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var server = builder.Build();
        server.Urls.Add("http://127.0.0.1:0");
        server.Run(context => context.Response.WriteAsync("<html>Welcome</html>"));
        await server.StartAsync();
        var (code, output, errors) = await AgentProcess.RunAsync(["trigger", "--url", server.Urls.Single()], []);
        Assert.Equal((1, ""), (code, output));
        Assert.EndsWith("/ did not answer as an agent does: is it one?",
            Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }
}
