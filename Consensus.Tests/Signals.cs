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
    /// Stops a process as a machine that hangs does. A thread runs on until the kernel interrupts it, up to 60 ms on a busy machine.
    /// It could still answer a call, so this waits until all threads have stopped.
    /// </summary>
    /// <param name="process">The process's number.</param>
    public static async Task StopAsync(int process)
    {
        await SendAsync("STOP", process);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!Procfs.ReadThreads(process, "stat").All(IsOfStoppedThread))
        {
            await Task.Delay(1, patience.Token);
        }
    }

    /// <summary>Whether the state is T. It follows the name, which may hold spaces and parentheses (<c>proc(5)</c>).</summary>
    private static bool IsOfStoppedThread(string stat) => stat[(stat.LastIndexOf(')') + 2)..].StartsWith('T');
}
