using Consensus.Conformance;
using Consensus.Tests.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Deploy;

/// <summary>The command that containers are checked by.</summary>
[Trait(Category.Name, Category.System)]
public sealed class HealthCommandTests
{
    [Theory]
    [InlineData(200, "Healthy", 0, "Healthy")]
    [InlineData(200, "Degraded\nagent3 does not answer\n", 0, "Degraded|agent3 does not answer")]
    [InlineData(503, "Unhealthy\nagent2 does not answer\nagent3 does not answer",
        1, "Unhealthy|agent2 does not answer|agent3 does not answer")]
    public async Task The_status_is_printed_with_its_reasons_and_decides_the_exit_code(int status, string body, int code, string printed)
    {
        await using var server = await ServeAsync(status, body);
        var result = await AgentProcess.RunAsync(["health", "--url", server.Urls.Single()], []);
        Assert.Equal((code, ""), (result.Code, result.Errors));
        Assert.Equal(printed.Split('|'), result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData(200, "<html>Welcome</html>")]
    [InlineData(404, "")]
    [InlineData(200, "7")]
    public async Task What_is_no_agent_is_an_error_in_one_line(int status, string body)
    {
        await using var server = await ServeAsync(status, body);
        await AssertErrorAsync($"answered {status} without a health status", "--url", server.Urls.Single());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("ftp://agent1/")]
    public Task An_address_that_cannot_work_is_an_error_in_one_line(string url) =>
        AssertErrorAsync($"--url is '{url}'; write it as http://host:port.", "--url", url);

    [Fact]
    public Task An_agent_that_does_not_listen_is_an_error_in_one_line() =>
        AssertErrorAsync("does not answer", "--url", $"http://localhost:{LoopbackPorts.Free(1)[0]}");

    [Fact]
    public async Task Without_an_address_it_asks_the_agent_of_its_own_environment_and_no_proxy()
    {
        var proxy = $"http://127.0.0.1:{LoopbackPorts.Free(1)[0]}";
        using var cluster = await AgentProcess.StartAsync(["--agents", "1", "--port", "0"]);
        await cluster.WaitUntilReadyAsync();
        foreach (var key in new[] { "ASPNETCORE_HTTP_PORTS", "PORT" })
        {
            var result = await AgentProcess.RunAsync(
                ["health"], (key, $"{cluster.Address.Port}"), ("http_proxy", proxy), ("all_proxy", proxy));
            Assert.Equal((0, ""), (result.Code, result.Errors));
            Assert.StartsWith("Healthy", result.Output, StringComparison.Ordinal);
        }
    }

    private static async Task AssertErrorAsync(string error, params string[] args)
    {
        var result = await AgentProcess.RunAsync(["health", .. args], []);
        Assert.Equal((1, ""), (result.Code, result.Output));
        Assert.Contains(error, Assert.Single(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    /// <summary>Starts a server that answers <c>GET /health</c> so, and nothing else.</summary>
    private static async Task<WebApplication> ServeAsync(int status, string body)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/health", async context =>
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(body);
        });
        await app.StartAsync();
        return app;
    }
}
