using System.CommandLine;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Consensus.Benchmarks.Core;

/// <summary><c>core</c>: the protocol without a network, by BenchmarkDotNet.</summary>
internal static class CoreCommand
{
    /// <summary>The command; what follows it is BenchmarkDotNet's, such as <c>--filter *Step*</c>.</summary>
    public static Command Create()
    {
        var command = new Command("core", "The protocol's steps, messages, simulator and model checker, "
            + "with allocations. Options are BenchmarkDotNet's, such as --filter '*Step*'.")
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        command.SetAction(parsed =>
        {
            // Within this process: the agents' assembly is a web application, which the other toolchains would build again.
            var config = ManualConfig.CreateEmpty()
                .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
                .AddLogger(ConsoleLogger.Default)
                .AddColumnProvider(DefaultColumnProviders.Instance)
                .AddDiagnoser(MemoryDiagnoser.Default);
            string[] args = [.. parsed.UnmatchedTokens];
            return BenchmarkSwitcher.FromTypes(
                [typeof(StepBenchmarks), typeof(MessageBenchmarks), typeof(SimulatorBenchmarks), typeof(ModelCheckerBenchmarks)])
                .Run(args.Length == 0 ? ["--filter", "*"] : args, config).Any(summary => summary.HasCriticalValidationErrors) ? 1 : 0;
        });
        return command;
    }
}
