using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;

namespace Consensus.Benchmarks.Cluster;

/// <summary><c>memory</c>: what three agents hold after more and more runs, which should be the same.</summary>
internal static class MemoryCommand
{
    private const int First = 1_000;

    private static readonly Option<int> Runs = new("--runs")
    {
        Description = $"Runs, from {First} on.", DefaultValueFactory = _ => 100_000, HelpName = "N",
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command(
            "memory",
            "The heap of three agents in one process after 1,000 runs and after many more (exit code 1: it grew by more than a tenth).")
        {
            Runs,
        };
        Runs.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < First)
            {
                result.AddError($"--runs must be at least {First}.");
            }
        });
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetValue(Runs), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(int runs, CancellationToken cancellation)
    {
        await using var cluster = await Memory.StartAsync(new AgentOptions { Id = "", RunRate = 0 });
        using var http = new HttpClient();
        var (first, last) = (0L, 0L);
        var next = First;
        for (var i = 1; i <= runs; i++)
        {
            if (cancellation.IsCancellationRequested)
            {
                return 130;
            }

            await Memory.DecideAsync(cluster, http);
            if (i == next || i == runs)
            {
                last = await HeapAsync(cancellation);
                first = first == 0 ? last : first;
                using var self = Process.GetCurrentProcess();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{i,9:N0} runs: heap {last / 1048576.0,6:0.00} MB, {(double)last / first:0.00} times the first; "
                        + $"{self.WorkingSet64 / 1048576,5} MB resident, {ThreadPool.ThreadCount} pool threads"));
                next *= next.ToString(CultureInfo.InvariantCulture)[0] == '1' ? 2 : 5;
            }
        }

        return last <= first * 1.1 ? 0 : 1;
    }

    /// <summary>Bytes of managed objects that are in use, once what a run leaves behind for a moment is gone.</summary>
    private static async Task<long> HeapAsync(CancellationToken cancellation)
    {
        // One idle second: the last messages arrive and timers of requests end.
        await Task.Delay(1500, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
