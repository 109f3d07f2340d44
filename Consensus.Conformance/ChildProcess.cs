using System.Diagnostics;
using System.Globalization;
using Consensus.ServiceDefaults;

namespace Consensus.Conformance;

/// <summary>An agent in a process of its own, which ends with the judge.</summary>
internal sealed class ChildProcess : IAgentProcess
{
    private const int LongestLine = 500;
    private const int MostLines = 10;
    private static readonly TimeSpan LastWordsTimeout = TimeSpan.FromSeconds(1);
    private static readonly Lock Running = new();
    private static readonly HashSet<ChildProcess> Children = [];
    private static bool _ending;
    private readonly Process _process;
    private readonly Queue<string> _lines = [];

    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) => KillAll();

    /// <summary>Starts a process.</summary>
    /// <param name="command">A command line for the shell.</param>
    /// <param name="settings">Set as environment variables.</param>
    /// <param name="environment">More variables: <see cref="ProgramEnvironment.Clean"/>.</param>
    /// <exception cref="ConfigurationException">There is no shell to start it.</exception>
    public ChildProcess(string command, AgentSettings settings, IReadOnlyList<string> environment)
    {
        var info = OperatingSystem.IsWindows()
            ? new ProcessStartInfo("cmd.exe", ["/c", command]) : new ProcessStartInfo("/bin/sh", ["-c", command]);
        (info.RedirectStandardOutput, info.RedirectStandardError, info.RedirectStandardInput) = (true, true, true);
        ProgramEnvironment.Clean(info.Environment, environment);
        info.Environment["AGENT_ID"] = settings.Id;
        info.Environment["PORT"] = settings.Port.ToString(CultureInfo.InvariantCulture);
        info.Environment["PEERS"] = settings.Peers;
        info.Environment["PYTHONUNBUFFERED"] = "1";

        // Under the lock: a child that is started while the judge ends is killed, too.
        lock (Running)
        {
            ObjectDisposedException.ThrowIf(_ending, this);
            try
            {
                _process = Process.Start(info)!;
            }
            catch (System.ComponentModel.Win32Exception e)
            {
                throw new ConfigurationException($"'{command}' cannot be started: {e.Message}");
            }

            Children.Add(this);
        }

        _process.StandardInput.Close();
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <inheritdoc/>
    public bool HasExited => _process.HasExited;

    /// <inheritdoc/>
    public IReadOnlyList<string> LastLines
    {
        get
        {
            // A process may end before its output was read. Processes that it started may hold its output open for longer.
            if (HasExited)
            {
                _process.WaitForExitAsync().Wait(LastWordsTimeout);
            }

            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Kills the process and those that it started.</summary>
    public void Dispose()
    {
        lock (Running)
        {
            if (!Children.Remove(this))
            {
                return;
            }
        }

        Kill();
        _process.WaitForExit(5000);
        _process.Dispose();
    }

    private static void KillAll()
    {
        lock (Running)
        {
            _ending = true;
            foreach (var child in Children)
            {
                child.Kill();
            }

            Children.Clear();
        }
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has ended already.
        }
    }

    private void Keep(string? line)
    {
        if (!string.IsNullOrWhiteSpace(line))
        {
            lock (_lines)
            {
                _lines.Enqueue(ForeignText.Clean(ForeignText.Cut(line.TrimEnd(), LongestLine, "...")));
                if (_lines.Count > MostLines)
                {
                    _lines.Dequeue();
                }
            }
        }
    }
}
