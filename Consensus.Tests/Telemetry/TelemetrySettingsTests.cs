using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Consensus.Tests.Telemetry;

/// <summary>Settings of OpenTelemetry that its SDK ignores in silence are named at the start.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class TelemetrySettingsTests
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    [Theory]
    [InlineData(Endpoint, "localhost:4317", "OTEL_EXPORTER_OTLP_ENDPOINT is 'localhost:4317'; it must be an http or https address")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector", "it must be an http or https address")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "it must be grpc or http/protobuf.")]
    [InlineData("otel_exporter_otlp_logs_timeout", "10s", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT is '10s'; it must be a whole number")]
    [InlineData("OTEL_BSP_MAX_QUEUE_SIZE", "0", "it must be a whole number of at least 1.")]
    [InlineData("OTEL_TRACES_SAMPLER", "xray", "it must be always_on")]
    [InlineData("OTEL_TRACES_SAMPLER_ARG", "50%", "it must be from 0 to 1.")]
    [InlineData("OTEL_METRICS_EXEMPLAR_FILTER", "on", "it must be always_on")]
    [InlineData("OTEL_TRACES_EXPORTER", "none", "OTEL_TRACES_EXPORTER is not read here.")]
    public void A_setting_that_would_be_ignored_is_named(string name, string value, string complaint) =>
        Assert.Contains(complaint, Complaint((Endpoint, "http://localhost:4317"), (name, value)), StringComparison.Ordinal);

    [Fact]
    public void A_wrong_header_is_named_without_its_value() =>
        Assert.Equal(
            "OTEL_EXPORTER_OTLP_HEADERS must be name=value, separated by commas.",
            Complaint((Endpoint, "http://x"), ("OTEL_EXPORTER_OTLP_HEADERS", "secret")));

    [Fact]
    public void What_the_AppHost_sets_and_what_exports_nothing_is_no_matter()
    {
        Assert.Null(Complaint(
            (Endpoint, "https://localhost:21030"), ("OTEL_EXPORTER_OTLP_HEADERS", "x-otlp-api-key=abc=="),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_BSP_SCHEDULE_DELAY", "1000"), ("OTEL_BLRP_SCHEDULE_DELAY", "1000"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "1000"), ("OTEL_TRACES_SAMPLER", "always_on"), ("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=a,b=c"), ("OTEL_SERVICE_NAME", "agent1"),
            ("OTEL_DOTNET_EXPERIMENTAL_ASPNETCORE_DISABLE_URL_QUERY_REDACTION", "true")));
        Assert.Null(Complaint(("OTEL_TRACES_EXPORTER", "none")));
    }

    private static string? Complaint(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder();
        foreach (var (name, value) in settings)
        {
            configuration.AddInMemoryCollection([new(name, value)]);
        }

        return TelemetrySettings.Complaint(configuration.Build());
    }
}
