using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Tests.Api;
using Consensus.Tests.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Consensus.Tests.Telemetry;

/// <summary>Settings of OpenTelemetry count for every signal, from every source of configuration.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ExportTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Each_signal_goes_to_the_address_of_its_setting(bool commandLine)
    {
        await using var collector = await Collector.StartAsync();

        // Without the last two, traces would be gathered for ten minutes.
        (string Key, string Value)[] settings =
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", $"{collector.Address}"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", $"{collector.Address}own/path"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "200"),
            ("OTEL_BSP_SCHEDULE_DELAY", "600000"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1"),
            ("WARM_UP", "true"),
        ];
        string[] args = ["--agents", "3", "--port", "0"];
        using var agents = commandLine
            ? await AgentProcess.StartAsync([.. args, .. settings.Select(setting => $"--{setting.Key}={setting.Value}")])
            : await AgentProcess.StartAsync(args, settings);
        using var client = new ApiClient(agents.Address);
        var (code, answer) = await client.Post("/run?wait=60");
        Assert.Equal(HttpStatusCode.OK, code);

        var run = answer.GetProperty("run").GetString()!;
        await collector.UntilAsync("/own/path", "run 1: decided", run, "agent1");
        await collector.UntilAsync("/v1/logs", "decided", run, "agent3");
        await collector.UntilAsync("/v1/metrics", "consensus.decision.duration", "agent2");
        Assert.DoesNotContain("/v1/traces", collector.Paths);

        // What the warm-up does is exported nowhere.
        Assert.Equal(["1"], collector.RunNumbers("/own/path"));
    }

    [Theory]
    [InlineData("OTEL_SERVICE_NAME=chosen", "chosen")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES=service.name=chosen", "chosen")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES=service.version=7", "agent1")]
    public async Task The_name_of_the_service_is_the_agents_id_unless_a_setting_names_another(string setting, string name)
    {
        await using var app = AgentApplication.Build(
            new AgentOptions { Id = "agent1" }, ["--OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", $"--{setting}"]);
        var resource = app.Services.GetRequiredService<TracerProvider>().GetResource();
        Assert.Equal(name, Assert.Single(resource.Attributes, attribute => attribute.Key == "service.name").Value);
    }

    [Fact]
    public async Task Settings_of_the_queue_of_spans_count()
    {
        await using var app = AgentApplication.Build(
            new AgentOptions { Id = "agent1" },
            ["--OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "--OTEL_BSP_SCHEDULE_DELAY=1234", "--OTEL_BSP_MAX_QUEUE_SIZE=4321"]);
        var queue =
            app.Services.GetRequiredService<IOptionsMonitor<ActivityExportProcessorOptions>>().CurrentValue.BatchExportProcessorOptions;
        Assert.Equal(1234, queue.ScheduledDelayMilliseconds);
        Assert.Equal(4321, queue.MaxQueueSize);
    }

    /// <summary>Takes what is exported, as protobuf over HTTP. Texts are found in it as they are.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly ConcurrentQueue<(string Path, string Body)> _requests = new();
        private readonly WebApplication _app;

        private Collector(WebApplication app) => _app = app;

        public Uri Address => LocalCluster.AddressOf(_app);

        public IEnumerable<string> Paths => _requests.Select(request => request.Path).Distinct();

        public static async Task<Collector> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            app.Urls.Add("http://127.0.0.1:0");
            var collector = new Collector(app);
            app.Run(collector.TakeAsync);
            await app.StartAsync();
            return collector;
        }

        /// <summary>Waits until all of these texts came on this path.</summary>
        public async Task UntilAsync(string path, params string[] texts)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (!texts.All(
                text => _requests.Any(request => request.Path == path && request.Body.Contains(text, StringComparison.Ordinal))))
            {
                await Task.Delay(20, patience.Token);
            }
        }

        /// <summary>The numbers of runs in names of spans such as <c>run 1: decided 2 in round 1</c>.</summary>
        public IEnumerable<string> RunNumbers(string path) => _requests.Where(request => request.Path == path)
            .SelectMany(request => System.Text.RegularExpressions.Regex.Matches(request.Body, "run (\\d+): "))
            .Select(match => match.Groups[1].Value).Distinct();

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private async Task TakeAsync(HttpContext context)
        {
            using var body = new StreamReader(context.Request.Body, Encoding.Latin1);
            _requests.Enqueue((context.Request.Path, await body.ReadToEndAsync()));
        }
    }
}
