using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Consensus.Tests.Simulation;

/// <summary><c>simulate</c> as a process of its own, as users call it.</summary>
[Trait(Category.Name, Category.System)]
public sealed class SimulateCommandTests
{
    [Fact]
    public async Task One_simulated_run_is_a_diagram_and_a_verdict_and_the_same_every_time()
    {
        var (code, text, error) = await RunAsync("--seed", "3", "--agents", "4", "--drop", "0.1", "--crash", "0.02", "--latency", "tail");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("agent4", text, StringComparison.Ordinal);
        Assert.Contains("POST /run", text, StringComparison.Ordinal);
        Assert.Matches(@"(All hold|hold|Stalled|No run).*\d+ messages arrived", text);
        Assert.Equal(text, (await RunAsync("--seed", "3", "--agents", "4", "--drop", "0.1", "--crash", "0.02", "--latency", "tail")).Text);
    }

    [Fact]
    public async Task Many_simulated_runs_are_figures()
    {
        var (code, text, error) = await RunAsync(
            "--runs", "200", "--agents", "5", "--draw", "plurality", "--drop", "0.1", "--duplicate", "0.1", "--partition", "0.05");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("200 runs (seeds 1..200)", text, StringComparison.Ordinal);
        Assert.Matches(@"[\d,]+ runs/s, [\d,]+ messages/s", text);
        Assert.Matches(@"rounds +mean \d+\.\d\d, p50 \d+, p99 \d+, max \d+", text);
        Assert.Matches(@"messages +mean [\d,.]+, p50 [\d,]+, p99 [\d,]+, max [\d,]+", text);
        Assert.Contains("0 violations", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Violations_of_the_classic_rule_are_listed_with_their_seeds_and_exit_with_0()
    {
        var (code, text, _) = await RunAsync(
            "--runs", "500", "--rule", "classic", "--values", "2", "--window-ms", "1", "--latency", "tail");
        Assert.Equal(0, code);
        Assert.Matches(@"\d+ violations: \d+ of agreement by the classic rule", text);
        Assert.Matches(@"  seed \d+: agreement: In run ", text);
        Assert.Contains("The shortest counterexample found", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--agents is 0; it must be from 1 to 101.", "--agents", "0")]
    [InlineData("--drop is 1.01; it must be from 0 to 1.", "--drop", "1.01")]
    [InlineData("--runs is 0; it must be from 1 to ", "--runs", "0")]
    [InlineData("--seed must be a whole number from -9007199254740991 to 9007199254740991.", "--seed", "9007199254740992")]
    [InlineData("--seed must be a whole number from -9007199254740991 to 9007199254740991.", "--seed", "99999999999999999999")]
    [InlineData("--runs 2 from --seed 9007199254740991 goes beyond the last seed, 9007199254740991.",
        "--seed", "9007199254740991", "--runs", "2")]
    [InlineData("--crash", "--crash", "often")]
    [InlineData("--rule", "--rule", "loud")]
    [InlineData("--nothing", "--nothing")]
    public async Task A_bad_option_is_one_line_and_exit_code_1(string expected, params string[] options)
    {
        var (code, text, error) = await RunAsync(options);
        Assert.Equal((1, ""), (code, text));
        Assert.Contains(expected, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("simulate", "--faults", "700000", "--fault-duration-ms is 700000; it must be from 0 to 600000.")]
    [InlineData("simulate", "--window", "60001", "--window-ms must be a whole number from 0 to 60000.")]
    [InlineData("check", "--starts", "9", "--starts-per-initiator is 9; it must be from 1 to ")]
    public async Task A_former_name_of_an_option_is_read_as_its_name_and_the_help_does_not_show_it(
        string command, string former, string value, string expected)
    {
        Assert.Contains(expected, (await RunCommandAsync(command, former, value)).Error, StringComparison.Ordinal);
        var (code, help, _) = await RunCommandAsync(command, "--help");
        Assert.Equal(0, code);
        Assert.Contains(expected[..expected.IndexOf(' ', StringComparison.Ordinal)], help, StringComparison.Ordinal);
        Assert.DoesNotMatch(former + @"(?![\w-])", help);
    }

    [SkippableFact]
    public async Task An_interrupt_ends_a_long_batch()
    {
        Skip.If(RuntimeInformation.IsOSPlatform(OSPlatform.Windows), "There is no SIGINT to send.");
        using var process = Start("simulate", "--runs", "1000000000");
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            // The first progress line shows that it runs.
            Assert.Contains("of 1,000,000,000 runs", await process.StandardOutput.ReadLineAsync(timeout.Token), StringComparison.Ordinal);
            await Signals.SendAsync("INT", process.Id);
            await process.WaitForExitAsync(timeout.Token);
        }
        finally
        {
            // A batch that goes on would take every core from the tests after this one.
            process.Kill();
        }

        Assert.NotEqual(2, process.ExitCode);
    }

    private static Task<(int Code, string Text, string Error)> RunAsync(params string[] options) => RunCommandAsync("simulate", options);

    private static async Task<(int Code, string Text, string Error)> RunCommandAsync(string command, params string[] options)
    {
        using var process = Start(command, options);
        var (text, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await text, await error);
    }

    /// <summary>
    /// A shell ignores SIGINT for what it runs in the background, and its children inherit that. <c>env</c> undoes it on Linux.
    /// </summary>
    private static Process Start(string command, params string[] options)
    {
        string[] line = ["dotnet", typeof(Agent.AgentApplication).Assembly.Location, command, .. options];
        string[] started = RuntimeInformation.IsOSPlatform(OSPlatform.Linux) ? ["env", "--default-signal=INT", .. line] : line;
        return Process.Start(
            new ProcessStartInfo(started[0], started[1..]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }
}
