using System.Diagnostics;
using System.Text.Json;
using System.Xml.Linq;
using Consensus.Conformance;
using Consensus.ServiceDefaults;
using Consensus.Tests.Api;
using Consensus.Tests.Cluster;
using Consensus.Timeline;

namespace Consensus.Tests.Conformance;

/// <summary>The command <c>conform</c> as people use it, on running agents.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ConformCommandTests : ThreeAgents
{
    [Fact]
    public async Task Three_running_agents_conform_and_the_reports_say_so()
    {
        var junit = Path.GetTempFileName();
        try
        {
            var (code, output) = await AgentProcess.RunAsync(
                ["conform", .. Cluster.Addresses.SelectMany(address => new[] { "--url", address.ToString() }),
                    "--runs", "3", "--json", "--junit", junit]);
            var report = JsonSerializer.Deserialize(output, ConformanceJson.Default.ConformanceReport)!;
            Assert.Equal([], report.Verdicts.Where(verdict => verdict.Outcome != VerdictOutcome.Passed).Select(verdict => verdict.Id));
            Assert.Equal(0, code);
            Assert.Equal((3, 3), (report.Runs, report.Decided));
            Assert.Equal(ConformanceLevel.Ratified, report.Level);
            Assert.Equal(report.Verdicts.Count, XDocument.Load(junit).Descendants("testcase").Count());
            Assert.Empty(XDocument.Load(junit).Descendants("failure"));
        }
        finally
        {
            File.Delete(junit);
        }
    }

    [Fact]
    public async Task Running_agents_with_a_key_are_judged_with_it_and_not_without()
    {
        var key = new ClusterKey("0123456789abcdef");
        await using var cluster = await StartAsync(3, Patient with { Key = key });
        Task<ConformanceReport> JudgeAsync(ClusterKey? with)
        {
            var options = new ConformanceOptions(ConformanceLevel.Original, Runs: 1, Seed: 1, Seconds: 60, Key: with);
            return new ConformanceJudge(options, _ => { }, default).JudgeRunningAsync([cluster.Addresses[0]]);
        }

        var without = await Assert.ThrowsAsync<ConfigurationException>(() => JudgeAsync(null));
        Assert.Contains("need the cluster key", without.Message, StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<ConfigurationException>(() => JudgeAsync(new ClusterKey("another-key-of-16")));
        Assert.Contains("refuses this CLUSTER_KEY", wrong.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await JudgeAsync(key)).ExitCode);
    }

    [Theory]
    [InlineData("--url or a program", "conform")]
    [InlineData("not on this machine", "conform", "--url", "http://192.0.2.1:5001")]
    [InlineData("write it as", "conform", "--url", "mine")]
    [InlineData("--runs is -1", "conform", "--url", "http://localhost:1", "--runs", "-1")]
    [InlineData("is no option of conform", "conform", "--url", "http://localhost:1", "--quickly")]
    [InlineData("does not answer GET /state", "conform", "--start", "true")]
    public async Task What_cannot_be_judged_is_one_line_and_exit_code_1(string line, params string[] args)
    {
        var (code, output, errors) = await AgentProcess.RunAsync(args, []);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(line.Replace("--url or", "--url, or", StringComparison.Ordinal),
            Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_interrupt_ends_the_programs_that_conform_started()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "env resets the signal only on Linux.");
        var file = Path.GetTempFileName();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var info = new ProcessStartInfo(
            "env", ["--default-signal=INT", "dotnet", typeof(Agent.AgentApplication).Assembly.Location,
                "conform", "--start", $"sleep 600 & echo $$ $! > '{file}'; wait"])
        {
            RedirectStandardError = true,
        };
        using var conform = Process.Start(info)!;
        try
        {
            string[] children;
            while ((children = File.ReadAllText(file).Split(' ', '\n', StringSplitOptions.RemoveEmptyEntries)).Length < 2)
            {
                await Task.Delay(20, limit.Token);
            }

            await Signals.SendAsync("INT", conform.Id);
            Assert.Equal("Interrupted: nothing was judged.", (await conform.StandardError.ReadToEndAsync(limit.Token)).Trim());
            await conform.WaitForExitAsync(limit.Token);
            Assert.Equal(1, conform.ExitCode);
            Assert.All(children, child => Assert.True(HasEnded(child), $"process {child} still runs"));
        }
        finally
        {
            conform.Kill(entireProcessTree: true);
            File.Delete(file);
        }

        // A killed process may stay in the list until its parent has asked for its exit code.
        static bool HasEnded(string id) =>
            Procfs.Read($"{id}/stat")?.Contains(") Z ", StringComparison.Ordinal) ?? true;
    }

    [Fact]
    public void A_failure_is_in_the_text_in_the_exit_code_and_in_JUnit_whatever_the_agent_sent()
    {
        var exchange = new Exchange("judge", "agent1", "GET /consensus", null, 200, "\u0001<&");
        var verdict = new Verdict("final-sent", ConformanceLevel.Original, "Sentence.", VerdictOutcome.Failed, "this", "that", [exchange]);
        var report = new ConformanceReport("x", ConformanceLevel.Original, 1, [verdict], Runs: 3, RequestedRuns: 1000);
        Assert.Equal(2, report.ExitCode);
        Assert.Contains("Does not conform: final-sent.", ReportText.Lines(report));
        Assert.Contains(ReportText.Lines(report), line => line.StartsWith("3 of 1,000 runs,", StringComparison.Ordinal));
        var failure = Assert.Single(XDocument.Parse(ReportText.JUnit(report).ToString()).Descendants("failure"));
        Assert.Equal("expected: this; observed: that", failure.Attribute("message")!.Value);
        Assert.Contains(exchange.ToString().Replace('\u0001', ' '), failure.Value, StringComparison.Ordinal);
    }
}
