using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// Finds settings of OpenTelemetry that change nothing. The SDK ignores names and values that it does not know. It reports them only to
/// an event source.
/// </summary>
public static partial class TelemetrySettings
{
    private const string Prefix = "OTEL_";

    private static readonly (Regex Name, Func<string, bool> IsValid, string Sentence)[] Known =
    [
        (Endpoint(), IsAddress, "must be an http or https address, such as http://localhost:4317"),
        (Protocol(), value => value.Trim() is "grpc" or "http/protobuf", "must be grpc or http/protobuf"),
        (Compression(), value => IsOneOf(value, "none", "gzip"), "must be none or gzip"),
        (Headers(), value => value.Split(',').All(IsPair), "must be name=value, separated by commas"),
        (Number(), value => IsNumber(value, 1), "must be a whole number of at least 1"),
        (Limit(), value => IsNumber(value, 0), "must be a whole number"),
        (Sampler(), IsSampler, "must be always_on, always_off or traceidratio, or one of these after parentbased_"),
        (SamplerArgument(), IsRatio, "must be from 0 to 1"),
        (ExemplarFilter(),
            value => IsOneOf(value, "always_on", "always_off", "trace_based"), "must be always_on, always_off or trace_based"),
        (Temporality(), value => IsOneOf(value, "cumulative", "delta", "lowmemory"), "must be cumulative, delta or lowmemory"),
        (File(), System.IO.File.Exists, "must name a file that is there"),
        (Switch(), value => bool.TryParse(value, out _), "must be true or false"),
        (Text(), _ => true, ""),
    ];

    /// <summary>Names the settings that are ignored or cannot be used; null: there are none, or nothing is exported.</summary>
    public static string? Complaint(IConfiguration configuration)
    {
        if (!Extensions.HasEndpoint(configuration))
        {
            return null;
        }

        var complaints = new List<string>();
        var unknown = new List<string>();
        foreach (var (name, value) in configuration.GetChildren().Select(setting => (Name: setting.Key.ToUpperInvariant(), setting.Value))
            .Where(setting => setting.Name.StartsWith(Prefix, StringComparison.Ordinal)).Order())
        {
            if (string.IsNullOrWhiteSpace(value))
            {
                continue;
            }

            var known = Known.FirstOrDefault(one => one.Name.IsMatch(name));
            if (known.Name is null)
            {
                unknown.Add(name);
            }
            else if (!known.IsValid(value))
            {
                // Headers hold secrets.
                complaints.Add($"{name}{(Headers().IsMatch(name) ? "" : $" is '{value}'; it")} {known.Sentence}.");
            }
        }

        if (unknown.Count > 0)
        {
            complaints.Add($"{string.Join(", ", unknown)} {(unknown.Count == 1 ? "is" : "are")} not read here.");
        }

        return complaints.Count == 0 ? null : string.Join(" ", complaints);
    }

    private static bool IsAddress(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https", Host.Length: > 0 };

    private static bool IsOneOf(string value, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (name.Equals(value.Trim(), StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsPair(string text) => text.IndexOf('=', StringComparison.Ordinal) > 0;

    private static bool IsNumber(string value, int min) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min;

    private static bool IsRatio(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var ratio) && ratio is >= 0 and <= 1;

    private static bool IsSampler(string value)
    {
        const string ParentBased = "parentbased_";
        var name = value.StartsWith(ParentBased, StringComparison.OrdinalIgnoreCase) ? value[ParentBased.Length..] : value;
        return IsOneOf(name, "always_on", "always_off", "traceidratio");
    }

    [GeneratedRegex("^OTEL_EXPORTER_OTLP_((TRACES|METRICS|LOGS)_)?ENDPOINT$")]
    private static partial Regex Endpoint();

    [GeneratedRegex("^OTEL_EXPORTER_OTLP_((TRACES|METRICS|LOGS)_)?PROTOCOL$")]
    private static partial Regex Protocol();

    [GeneratedRegex("^OTEL_EXPORTER_OTLP_((TRACES|METRICS|LOGS)_)?COMPRESSION$")]
    private static partial Regex Compression();

    [GeneratedRegex("^OTEL_(EXPORTER_OTLP_((TRACES|METRICS|LOGS)_)?HEADERS|RESOURCE_ATTRIBUTES)$")]
    private static partial Regex Headers();

    [GeneratedRegex("^OTEL_(EXPORTER_OTLP_((TRACES|METRICS|LOGS)_)?TIMEOUT|METRIC_EXPORT_(INTERVAL|TIMEOUT)"
        + "|(BSP|BLRP)_(SCHEDULE_DELAY|EXPORT_TIMEOUT|MAX_QUEUE_SIZE|MAX_EXPORT_BATCH_SIZE))$")]
    private static partial Regex Number();

    [GeneratedRegex("^OTEL_((SPAN|EVENT|LINK|LOGRECORD)_)?(ATTRIBUTE|EVENT|LINK)_(VALUE_LENGTH|COUNT)_LIMIT$")]
    private static partial Regex Limit();

    [GeneratedRegex("^OTEL_TRACES_SAMPLER$")]
    private static partial Regex Sampler();

    [GeneratedRegex("^OTEL_TRACES_SAMPLER_ARG$")]
    private static partial Regex SamplerArgument();

    [GeneratedRegex("^OTEL_METRICS_EXEMPLAR_FILTER$")]
    private static partial Regex ExemplarFilter();

    [GeneratedRegex("^OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE$")]
    private static partial Regex Temporality();

    [GeneratedRegex("^OTEL_EXPORTER_OTLP_(CERTIFICATE|CLIENT_KEY|CLIENT_CERTIFICATE)$")]
    private static partial Regex File();

    [GeneratedRegex("^OTEL_SDK_DISABLED$")]
    private static partial Regex Switch();

    [GeneratedRegex("^OTEL_(SERVICE_NAME|SEMCONV_STABILITY_OPT_IN|EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION|DOTNET_.*)$")]
    private static partial Regex Text();
}
