using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Consensus.Benchmarks.Cluster;

/// <summary>One row of latencies.</summary>
/// <param name="Name">What was timed.</param>
/// <param name="Count">How often.</param>
/// <param name="P50">ms; likewise the others.</param>
/// <param name="P90">ms.</param>
/// <param name="P99">ms.</param>
/// <param name="Mean">ms.</param>
/// <param name="RawRoundTrips">The median in medians of the raw round trip that was timed in turns with it.</param>
/// <param name="Times">The median in medians of <paramref name="Than"/>, timed in turns with it.</param>
/// <param name="Than">What it is compared with.</param>
internal sealed record Latencies(
    string Name, int Count, double P50, double P90, double P99, double Mean,
    double RawRoundTrips, double? Times = null, string? Than = null)
{
    public static Latencies Of(Cell cell, Cell raw, Cell? than = null, string? name = null) => new(
        name ?? cell.Name, cell.Samples.Count, cell.Samples.Percentile(0.5),
        cell.Samples.Percentile(0.9), cell.Samples.Percentile(0.99), cell.Samples.Mean,
        cell.Samples.Percentile(0.5) / raw.Samples.Percentile(0.5),
        cell.Samples.Percentile(0.5) / than?.Samples.Percentile(0.5), than?.Name);
}

/// <summary>One figure that is no latency.</summary>
internal sealed record Figure(string Name, double Value, string Unit);

/// <summary>A bound, and what was measured against it.</summary>
internal sealed record Target(string Name, double Measured, double AtMost)
{
    public bool Met => Measured <= AtMost;
}

/// <summary>All that was measured.</summary>
internal sealed record Report(
    int Processors, IReadOnlyList<Latencies> Latencies, IReadOnlyList<Figure> Figures, IReadOnlyList<Target> Targets)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public void Draw(IAnsiConsole console)
    {
        var table = new Table().Border(TableBorder.Markdown);
        foreach (var column in (string[])["", "times", "p50 ms", "p90", "p99", "mean", "p50 in raw round trips", "p50 in others"])
        {
            table.AddColumn(column.Length == 0 ? new TableColumn(column) : new TableColumn(column).RightAligned());
        }

        foreach (var row in Latencies)
        {
            table.AddRow(
                row.Name, Text(row.Count, "N0"), Text(row.P50), Text(row.P90), Text(row.P99), Text(row.Mean), Text(row.RawRoundTrips, "N1"),
                row.Times is { } times ? $"{Text(times)} × {row.Than}" : "");
        }

        foreach (var figure in Figures)
        {
            table.AddRow(figure.Name, "", $"{Text(figure.Value)} {figure.Unit}", "", "", "", "", "");
        }

        console.Write(table);
        var targets = new Table().Border(TableBorder.Markdown).AddColumns("target", "measured", "at most", "");
        foreach (var target in Targets)
        {
            targets.AddRow(target.Name, Text(target.Measured), Text(target.AtMost, "0.##"), target.Met ? "met" : "missed");
        }

        console.Write(targets);
    }

    private static string Text(double number, string format = "N2") => number.ToString(format, CultureInfo.InvariantCulture);
}
