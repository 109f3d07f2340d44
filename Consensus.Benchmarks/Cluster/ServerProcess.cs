using System.Diagnostics;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Consensus.Benchmarks.Cluster;

/// <summary>One child process that serves HTTP on a loopback port.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, Uri address, TimeSpan startTime) =>
        (_process, Address, StartTime) = (process, address, startTime);

    public Uri Address { get; }

    /// <summary>From the start of the process to its first response.</summary>
    public TimeSpan StartTime { get; }

    /// <summary>CPU time of all its threads so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Bytes of memory in use.</summary>
    public long WorkingSet
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>The first of so many free ports in a row. They lie below those that a system gives to outgoing connections.</summary>
    public static int FreePortsInARow(int count)
    {
        const int lowest = 10_000, highest = 30_000;
        var busy = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
        for (var first = lowest; first < highest; first += count)
        {
            if (!Enumerable.Range(first, count).Any(busy.Contains))
            {
                return first;
            }
        }

        throw new InvalidOperationException($"There are no {count} free ports in a row from {lowest} to {highest}.");
    }

    /// <summary>Starts <paramref name="program"/> (a .dll by the runtime) and waits until <paramref name="probe"/> answers.</summary>
    public static async Task<ServerProcess> StartAsync(
        string program, IEnumerable<string> args, int port, string probe, IReadOnlyDictionary<string, string> environment)
    {
        var managed = program.EndsWith(".dll", StringComparison.OrdinalIgnoreCase);
        var info = new ProcessStartInfo(managed ? Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet" : program,
            managed ? [program, .. args] : args)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var inherited in info.Environment.Keys.Where(key => key.StartsWith("OTEL_", StringComparison.Ordinal)).ToList())
        {
            info.Environment.Remove(inherited);
        }

        foreach (var (key, value) in environment)
        {
            info.Environment[key] = value;
        }

        var address = new Uri($"http://127.0.0.1:{port}");
        var clock = Stopwatch.StartNew();
        var process = Process.Start(info)!;
        var errors = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(2) };
        while (clock.Elapsed < TimeSpan.FromSeconds(30))
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"{program} did not start: {await errors}");
            }

            try
            {
                if ((await http.GetAsync(new Uri(probe, UriKind.Relative))).IsSuccessStatusCode)
                {
                    return new ServerProcess(process, address, clock.Elapsed);
                }
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                await Task.Delay(2);
            }
        }

        process.Kill();
        throw new InvalidOperationException($"{program} did not answer on port {port} within 30 s.");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
