using System.Globalization;
using System.Net;
using System.Text;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Trace;

namespace Consensus.Tests.Api;

/// <summary>A cluster with a key: who may do what, and that the key goes nowhere else.</summary>
[Trait(Category.Name, Category.System)]
public sealed class UnknownClientsTests : IAsyncLifetime
{
    private const string Secret = "correct-horse-battery-staple";
    private static readonly AgentOptions Guarded = ThreeAgents.Patient with { Faults = true, Key = new ClusterKey(Secret) };

    private readonly Lines _lines = new();
    private readonly List<System.Diagnostics.Activity> _spans = [];
    private LocalCluster _cluster = null!;
    private RawHttp _http = null!;

    public async Task InitializeAsync()
    {
        _cluster = await LocalCluster.StartAsync(3, 0, Guarded, ["--Telemetry:Always=true"], (_, builder) =>
        {
            builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddFilter(null, LogLevel.Trace).AddProvider(_lines);
            builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddInMemoryExporter(_spans));
        });
        _http = new RawHttp(_cluster.Addresses[0]);
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _cluster.DisposeAsync();
    }

    public static TheoryData<string, string, string?> Guards => new()
    {
        { "POST", "/reset", null },
        { "POST", "/new_round", """{"round":1}""" },
        { "POST", "/proposal", """{"agent_id":"agent2","value":1,"round":1}""" },
        { "POST", "/vote", """{"agent_id":"agent2","value":1,"proposal":1,"round":1}""" },
        { "POST", "/final", """{"value":1,"round":1}""" },
        { "GET", "/faults", null },
        { "PUT", "/faults", "{}" },
        { "DELETE", "/faults", null },
        { "GET", "/cluster/1/faults", null },
        { "PUT", "/cluster/1/faults", "{}" },
        { "DELETE", "/cluster/1/faults", null },
    };

    [Theory]
    [MemberData(nameof(Guards))]
    public async Task A_call_for_agents_takes_the_key(string method, string path, string? body)
    {
        var before = await State();
        foreach (var key in new[] { null, "", "correct-horse-battery-stapla", "correct-horse-battery-staple2", "correct-horse" })
        {
            var refused = await Call(method, path, body, key is null ? [] : [$"Consensus-Key: {key}"]);
            Assert.Equal((401, "application/problem+json"), (refused.Status, refused.ContentType));
            Assert.Contains("CLUSTER_KEY", refused.Detail, StringComparison.Ordinal);
            Assert.Equal("Consensus-Key", refused.Headers["www-authenticate"]);
        }

        // Nor may a body that cannot be read tell more to a stranger.
        Assert.Equal(401, (await Call(method, path, "nonsense")).Status);
        Assert.Equal(before, await State());
        Assert.Equal(200, (await Call(method, path, body, $"Consensus-Key: {Secret}")).Status);
    }

    [Fact]
    public async Task People_need_no_key_to_run_and_to_look()
    {
        Assert.Equal(200, (await Call("POST", "/run?wait=30", null)).Status);
        foreach (var path in new[]
        {
            "/consensus", "/state", "/cluster", "/timeline", "/timeline/runs", "/cluster/1/consensus", "/health",
            "/alive", "/",
        })
        {
            Assert.Equal(200, (await Call("GET", path, null)).Status);
        }
    }

    [Fact]
    public async Task Agents_with_different_keys_accept_nothing_from_each_other_and_log_the_cause()
    {
        var lines = new Lines();
        var other = AgentApplication.Build(
            new AgentOptions { Id = "agent9", Peers = [_cluster.Addresses[0]], Key = new ClusterKey(Secret + "2") }, [],
            builder => builder.Logging.ClearProviders().AddProvider(lines));
        other.Urls.Add("http://127.0.0.1:0");
        await other.StartAsync();
        try
        {
            using var client = new ApiClient(LocalCluster.AddressOf(other));
            var (code, problem) = await client.Post("/run");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
            Assert.Contains("CLUSTER_KEY", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.Contains(lines.All, line => line.Contains("refuses this agent's CLUSTER_KEY", StringComparison.Ordinal));
        }
        finally
        {
            await LocalCluster.EndAsync(other);
        }
    }

    [Fact]
    public async Task The_key_is_in_no_log_no_trace_and_no_answer()
    {
        // Every kind of call that carries it, or could show it.
        Assert.Equal(200, (await Call("POST", "/run?wait=30", null)).Status);
        Assert.Equal(200, (await Call("PUT", "/cluster/1/faults", """{"links":[{"duplicate":100}]}""", $"Consensus-Key: {Secret}")).Status);
        Assert.Equal(200, (await Call("POST", "/run?wait=30", null)).Status);
        Assert.Equal(401, (await Call("POST", "/reset", null, $"Consensus-Key: {Secret[1..]}")).Status);
        foreach (var path in new[] { "/state", "/faults", "/cluster", "/timeline?cluster=true", "/openapi/v1.json", "/cluster/1/faults" })
        {
            Assert.DoesNotContain(Secret, (await Call("GET", path, null, $"Consensus-Key: {Secret}")).Body, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(Secret, Guarded.ToString(), StringComparison.Ordinal);
        await _cluster.DisposeAsync();
        Assert.NotEmpty(_lines.All);
        Assert.NotEmpty(_spans);
        Assert.DoesNotContain(_lines.All, line => line.Contains(Secret, StringComparison.Ordinal));
        Assert.DoesNotContain(_spans.SelectMany(span => span.TagObjects), tag => $"{tag.Value}".Contains(Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unknown_clients_fill_no_log()
    {
        for (var i = 0; i < 300; i++)
        {
            await Call("POST", "/reset", null);
            await Call("POST", "/run", null, "Sec-Fetch-Site: cross-site");
            await Call("POST", "/run", "nonsense");
        }

        // One line of each kind a second, and this takes a few.
        Assert.InRange(_lines.All.Count(line => line.Contains("WithoutKey", StringComparison.Ordinal)), 1, 30);
        Assert.InRange(_lines.All.Count(line => line.StartsWith("Warning", StringComparison.Ordinal)), 2, 60);
        Assert.DoesNotContain(_lines.All,
            line => line.StartsWith("Error", StringComparison.Ordinal) || line.StartsWith("Critical", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("has a space in the middle")]
    [InlineData("pässwörter-im-schlüssel")]
    public void A_key_that_is_none_is_refused_without_being_repeated(string key) =>
        Assert.DoesNotContain(key, Assert.Throws<ConfigurationException>(() => new ClusterKey(key)).Message, StringComparison.Ordinal);

    private async Task<string> State() => (await Call("GET", "/state", null)).Body;

    private async Task<RawAnswer> Call(string method, string path, string? body, params string[] headers) =>
        (await _http.SendAsync(RawHttp.Request(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), headers)))!;

    /// <summary>Everything that is logged, at any level.</summary>
    private sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> All => _lines;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            _lines.Enqueue(string.Create(CultureInfo.InvariantCulture, $"Scope {state}"));
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
