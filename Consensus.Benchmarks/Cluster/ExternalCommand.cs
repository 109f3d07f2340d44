using System.Diagnostics;
using System.Globalization;

namespace Consensus.Benchmarks.Cluster;

/// <summary>Another system, timed by a command that prints one latency in ms per line and ends.</summary>
internal static class ExternalCommand
{
    /// <summary>Runs it once.</summary>
    /// <exception cref="InvalidOperationException">It failed, or printed what is no latency.</exception>
    public static async Task RunAsync(string command, Samples into)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardOutput = true })!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out var latency)
                || latency is not (>= 0 and < double.PositiveInfinity))
            {
                process.Kill(entireProcessTree: true);
                throw new InvalidOperationException($"--external: '{line}' is no latency; print one number of ms per line.");
            }

            into.Add(latency);
        }

        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"--external: the command ended with exit code {process.ExitCode}.");
        }
    }
}
