using System.Diagnostics;
using System.Globalization;

namespace Consensus.Tests;

/// <summary>The signals of POSIX to a process that runs.</summary>
internal static class Signals
{
    /// <summary>Sends a signal.</summary>
    /// <param name="signal">Its name without <c>SIG</c>.</param>
    /// <param name="process">The process's number.</param>
    public static async Task SendAsync(string signal, int process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>
    /// Stops a process as a machine that hangs does. Each of its threads runs on until the kernel interrupts it, and could still answer
    /// a call; on a busy machine that takes 60 ms. So this waits until all have stopped.
    /// </summary>
    /// <param name="process">The process's number.</param>
    public static async Task StopAsync(int process)
    {
        await SendAsync("STOP", process);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!Directory.EnumerateDirectories($"/proc/{process}/task").All(HasStopped))
        {
            await Task.Delay(1, patience.Token);
        }
    }

    /// <summary>Whether a thread has the state T. It follows the name, which may hold spaces and parentheses (<c>proc(5)</c>).</summary>
    private static bool HasStopped(string thread) =>
        Procfs.Read(Path.Combine(thread, "stat")) is not { } stat || stat[(stat.LastIndexOf(')') + 2)..].StartsWith('T');
}
