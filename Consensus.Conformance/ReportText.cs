using System.Globalization;
using System.Xml.Linq;
using Consensus.ServiceDefaults;

namespace Consensus.Conformance;

/// <summary>A report as text and as JUnit XML.</summary>
public static class ReportText
{
    /// <summary>The report in lines.</summary>
    public static IEnumerable<string> Lines(ConformanceReport report) => LinesAsSent(report).Select(ForeignText.Clean);

    private static IEnumerable<string> LinesAsSent(ConformanceReport report)
    {
        yield return $"{report.Subject}, judged by the level {Name(report.Level)}";
        foreach (var verdict in report.Verdicts)
        {
            var mark = verdict.Outcome switch { VerdictOutcome.Passed => "pass", VerdictOutcome.Failed => "FAIL", _ => "????" };
            yield return $"{mark}  {verdict.Id,-26} {verdict.Sentence}";
            if (verdict.Outcome != VerdictOutcome.Passed)
            {
                yield return $"      expected: {verdict.Expected}";
                if (verdict.Detail is { } detail)
                {
                    yield return $"      observed: {detail}";
                }
            }

            foreach (var exchange in verdict.Exchanges)
            {
                yield return $"      {exchange}";
            }
        }

        if (report.Counterexample is { } found)
        {
            yield return "";
            yield return string.Create(CultureInfo.InvariantCulture, $"{found.Property}, seed {found.Seed}: {found.Explanation}");
            foreach (var line in found.Faults.Select(fault => $"  {fault}").DefaultIfEmpty("  without faults").Concat(found.Diagram))
            {
                yield return line;
            }

            if (found.File is { } file)
            {
                yield return $"Written to {file}.";
            }
        }

        yield return "";
        if (report.Runs > 0)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{report.Runs:N0} {(report.Runs < report.RequestedRuns ? $"of {report.RequestedRuns:N0} " : "")}runs, "
                    + $"{report.Decided:N0} decided; {report.Faults:N0} faults, {report.Kills:N0} kills, "
                    + $"{report.Messages:N0} requests between agents.");
        }

        foreach (var level in report.Verdicts.GroupBy(verdict => verdict.Level).OrderBy(level => level.Key))
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{Name(level.Key)}: {level.Count(verdict => verdict.Outcome == VerdictOutcome.Passed)} of {level.Count()} passed");
        }

        var failed = report.Verdicts.Where(verdict => verdict.Outcome == VerdictOutcome.Failed).Select(verdict => verdict.Id);
        yield return report.ExitCode switch
        {
            0 => "Conforms.",
            2 => $"Does not conform: {string.Join(", ", failed)}.",
            _ => "Could not be judged.",
        };
    }

    /// <summary>The report as Markdown: the result, then a row for each verdict, the failed ones first.</summary>
    /// <param name="report">The report.</param>
    /// <param name="name">The name of the agent at an address.</param>
    public static string Markdown(ConformanceReport report, Func<Uri, string> name)
    {
        VerdictOutcome[] order = [VerdictOutcome.Failed, VerdictOutcome.NotJudged, VerdictOutcome.Passed];
        var rows = report.Verdicts.OrderBy(verdict => Array.IndexOf(order, verdict.Outcome)).Select(verdict =>
        {
            var mark = verdict.Outcome switch { VerdictOutcome.Passed => "pass", VerdictOutcome.Failed => "**FAIL**", _ => "not judged" };
            var observed = verdict.Outcome == VerdictOutcome.Passed ? ""
                : string.Join(" ", [
                    verdict.Expected, verdict.Detail is null ? null : $"Observed: {verdict.Detail}", .. verdict.Exchanges.TakeLast(1),
                ]);
            string[] cells =
            [
                mark, verdict.Agent is { } agent ? name(agent) : "all", verdict.Id,
                verdict.Sentence.Replace($" [{verdict.Agent}]", "", StringComparison.Ordinal), observed,
            ];
            return $"| {string.Join(" | ", cells.Select(InCell))} |";
        });
        string[] head = ["| | agent | check | what a conforming agent does | expected |", "| --- | --- | --- | --- | --- |"];
        return string.Join('\n', [$"**{Lines(report).Last()}**", "", .. head, .. rows, ""]);

        static string InCell(string text) => ForeignText.Clean(text).ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal);
    }

    /// <summary>The report as JUnit XML: a test case for each verdict.</summary>
    public static XDocument JUnit(ConformanceReport report) => new(new XElement(
        "testsuites",
        report.Verdicts.GroupBy(verdict => verdict.Level).Select(level => new XElement(
            "testsuite",
            new XAttribute("name", Name(level.Key)),
            new XAttribute("tests", level.Count()),
            new XAttribute("failures", level.Count(verdict => verdict.Outcome == VerdictOutcome.Failed)),
            new XAttribute("errors", level.Count(verdict => verdict.Outcome == VerdictOutcome.NotJudged)),
            level.Select(verdict => new XElement(
                "testcase",
                new XAttribute("classname", $"conform.{Name(level.Key)}"),
                new XAttribute("name", ForeignText.Clean($"{verdict.Id}: {verdict.Sentence}")),
                verdict.Outcome == VerdictOutcome.Passed ? null : new XElement(
                    verdict.Outcome == VerdictOutcome.Failed ? "failure" : "error",
                    new XAttribute("message", ForeignText.Clean($"expected: {verdict.Expected}; observed: {verdict.Detail}")),
                    ForeignText.Clean(string.Join('\n', verdict.Exchanges)))))))));

    private static string Name(ConformanceLevel level) => level.ToString().ToLowerInvariant();
}
