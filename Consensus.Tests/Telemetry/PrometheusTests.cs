using System.Net;
using Consensus.Agent;
using Consensus.Agent.Hosting;
using Consensus.Tests.Api;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Telemetry;

/// <summary><c>/metrics</c>, without any endpoint that takes telemetry.</summary>
[Trait(Category.Name, Category.System)]
public sealed class PrometheusTests
{
    [Fact]
    public async Task Metrics_of_each_agent_are_shown_as_text_where_they_are_asked_for()
    {
        await using var cluster = await LocalCluster.StartAsync(
            3, 0, ThreeAgents.Patient with { Metrics = true }, configure: (_, builder) => builder.Logging.ClearProviders());
        using var client = new ApiClient(cluster.Addresses[0]);
        Assert.Equal(HttpStatusCode.OK, (await client.Post("/run?wait=60")).Code);
        foreach (var (number, address) in cluster.Addresses.Index())
        {
            using var http = new HttpClient { BaseAddress = address };
            using var response = await http.GetAsync("/metrics");
            var text = await response.Content.ReadAsStringAsync();
            Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
            Assert.Contains($"service_name=\"agent{number + 1}\"", text, StringComparison.Ordinal);

            // Ours, the server's and the runtime's; of runs, this agent's one and not those of its neighbours in the process.
            Assert.Contains("# TYPE consensus_decision_duration", text, StringComparison.Ordinal);
            Assert.Contains("http_server_request_duration", text, StringComparison.Ordinal);
            Assert.Contains("dotnet_", text, StringComparison.Ordinal);
            var counts = text.Split('\n')
                .Where(line => line.StartsWith("consensus_decision_duration_seconds_count", StringComparison.Ordinal))
                .Select(line => int.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal(1, counts.Sum());
        }
    }

    [Fact]
    public async Task Without_leave_there_are_none()
    {
        await using var cluster = await LocalCluster.StartAsync(1, 0, configure: (_, builder) => builder.Logging.ClearProviders());
        using var client = new ApiClient(cluster.Addresses[0]);
        Assert.Equal(HttpStatusCode.NotFound, (await client.Get("/metrics")).Code);
    }
}
