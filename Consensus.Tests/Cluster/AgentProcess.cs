using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Consensus.Tests.Cluster;

/// <summary>An agent in a process of its own.</summary>
internal sealed class AgentProcess : IDisposable
{
    private readonly Process _process;

    private AgentProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    /// <summary>Ports that nobody has now; all are held until all are known, so that no two are the same.</summary>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        listeners.ForEach(listener => listener.Dispose());
        return ports;
    }

    /// <summary>Starts agent number <paramref name="index"/> of a cluster on these ports, and waits until it listens.</summary>
    public static async Task<AgentProcess> StartAsync(int[] ports, int index)
    {
        var info = new ProcessStartInfo("dotnet", [typeof(Agent.Protocol.Machine).Assembly.Location]) { RedirectStandardOutput = true };
        info.Environment["AGENT_ID"] = $"agent{index + 1}";
        info.Environment["PORT"] = $"{ports[index]}";
        info.Environment["PEERS"] = string.Join(',', ports.Where((_, other) => other != index).Select(port => $"http://localhost:{port}"));
        var process = Process.Start(info)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var seen = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            seen.Add(line);
            if (line.Contains("listens on", StringComparison.Ordinal))
            {
                break;
            }
        }

        Assert.True(!process.HasExited && seen.Count > 0, $"The agent did not start: {string.Join('\n', seen)}");

        // Whatever follows is read and dropped, so that a full pipe does not stop the agent.
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        return new AgentProcess(process, new Uri($"http://localhost:{ports[index]}"));
    }

    /// <summary>Kills it as <c>kill -9</c> does.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
