using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Consensus.Agent.Configuration;

namespace Consensus.Agent.Conformance;

/// <summary>A program that the judge starts as an agent, kills and starts again.</summary>
internal sealed class StartedAgent : IDisposable
{
    private const int MostOutput = 2000;
    private static readonly Lock Running = new();
    private static readonly HashSet<Process> Children = [];
    private readonly StringBuilder _output = new();
    private readonly string _command;
    private readonly string _peers;
    private Process? _process;

    // Programs that the judge started end with it, however it ends.
    static StartedAgent() => AppDomain.CurrentDomain.ProcessExit += (_, _) => KillAll();

    /// <param name="command">A command line for the shell.</param>
    /// <param name="id">AGENT_ID.</param>
    /// <param name="port">PORT.</param>
    /// <param name="peers">PEERS.</param>
    public StartedAgent(string command, string id, int port, IEnumerable<Uri> peers)
    {
        (_command, Id, Port) = (command, id, port);
        _peers = string.Join(',', peers.Select(peer => peer.ToString().TrimEnd('/')));
        Address = new Uri($"http://localhost:{port}");
    }

    /// <summary>Its id.</summary>
    public string Id { get; }

    /// <summary>Its port.</summary>
    public int Port { get; }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>How many processes it has had.</summary>
    public int Processes { get; private set; }

    /// <summary>Whether its process has ended.</summary>
    public bool HasExited => _process?.HasExited ?? true;

    /// <summary>The end of what the program printed.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString().Trim();
            }
        }
    }

    /// <summary>Ports that are free now. All are held until all are known, so that no two are the same.</summary>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        listeners.ForEach(listener => listener.Dispose());
        return ports;
    }

    /// <summary>Starts a process.</summary>
    /// <exception cref="ConfigurationException">There is no shell to start it.</exception>
    public void Start()
    {
        var info = OperatingSystem.IsWindows()
            ? new ProcessStartInfo("cmd.exe", ["/c", _command])
            : new ProcessStartInfo("/bin/sh", ["-c", "exec " + _command]);
        (info.RedirectStandardOutput, info.RedirectStandardError) = (true, true);
        (info.Environment["AGENT_ID"], info.Environment["PORT"], info.Environment["PEERS"]) = (Id, $"{Port}", _peers);
        info.Environment["PYTHONUNBUFFERED"] = "1";
        try
        {
            var process = Process.Start(info)!;
            process.OutputDataReceived += (_, line) => Append(line.Data);
            process.ErrorDataReceived += (_, line) => Append(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            _process = process;
            Processes++;
            lock (Running)
            {
                Children.Add(process);
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ConfigurationException($"'{_command}' cannot be started: {e.Message}");
        }
    }

    /// <summary>Kills the process and those that it started, and waits until it has ended.</summary>
    public void Kill()
    {
        if (_process is { } process)
        {
            lock (Running)
            {
                Children.Remove(process);
            }

            End(process);
            process.WaitForExit(5000);
            process.Dispose();
            _process = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Kill();

    private static void KillAll()
    {
        lock (Running)
        {
            foreach (var child in Children)
            {
                End(child);
            }

            Children.Clear();
        }
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has ended already.
        }
    }

    private void Append(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
            if (_output.Length > MostOutput)
            {
                _output.Remove(0, _output.Length - MostOutput);
            }
        }
    }
}
