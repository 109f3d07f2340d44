using System.Diagnostics;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Consensus.Agent.Configuration;

namespace Consensus.Tests.Cluster;

/// <summary>An agent in a process of its own.</summary>
internal sealed partial class AgentProcess : IDisposable
{
    private readonly Process _process;

    private AgentProcess(Process process, Uri address, IReadOnlyList<string> lines, TimeSpan start)
    {
        _process = process;
        Address = address;
        Lines = lines;
        Start = start;
    }

    /// <summary>The first address that the process printed.</summary>
    public Uri Address { get; }

    /// <summary>How long it took until it listened, a measure of how fast this machine is at the moment.</summary>
    public TimeSpan Start { get; }

    /// <summary>The lines up to the one that says who can reach it.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>
    /// The agent to test where it is not the one built here, such as one compiled ahead of time: a program's path, from
    /// <c>CONSENSUS_AGENT</c>.
    /// </summary>
    public static string? Program { get; } = Environment.GetEnvironmentVariable("CONSENSUS_AGENT") is { Length: > 0 } path ? path : null;

    /// <summary>Starts agent number <paramref name="index"/> of a cluster on these ports, and waits until it listens.</summary>
    public static Task<AgentProcess> StartAsync(int[] ports, int index, params (string Key, string Value)[] settings) => StartAsync(
        [],
        [
            ("AGENT_ID", $"agent{index + 1}"),
            ("PORT", $"{ports[index]}"),
            ("PEERS", string.Join(',', ports.Where((_, other) => other != index).Select(port => $"http://localhost:{port}"))),
            .. settings,
        ]);

    /// <summary>Starts whatever the arguments and settings say, and waits until it prints an address.</summary>
    public static async Task<AgentProcess> StartAsync(string[] args, params (string Key, string Value)[] settings)
    {
        var info = Info(args);
        foreach (var (key, value) in settings)
        {
            info.Environment[key] = value;
        }

        var watch = Stopwatch.StartNew();
        var process = Process.Start(info)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var seen = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            seen.Add(line);
            if (line.StartsWith("Open to ", StringComparison.Ordinal))
            {
                // Whatever follows is read and dropped, so that a full pipe does not stop the agent.
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return new AgentProcess(process, new Uri(FirstAddress().Match(string.Join('\n', seen)).Value), seen, watch.Elapsed);
            }
        }

        throw new InvalidOperationException($"The agent did not start: {string.Join('\n', seen)}");
    }

    /// <summary>Waits until the first agent is ready: it is not while it warms up.</summary>
    public async Task WaitUntilReadyAsync()
    {
        using var client = new HttpClient();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!(await client.GetAsync(new Uri(Address, "/health"), limit.Token)).IsSuccessStatusCode)
        {
            await Task.Delay(20, limit.Token);
        }
    }

    /// <summary>Runs a command to its end.</summary>
    /// <returns>Its exit code, and what it said.</returns>
    public static async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        var (code, output, _) = await RunAsync(args, []);
        return (code, output);
    }

    /// <summary>Runs a command to its end, with these variables in its environment.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(string[] args, params (string Key, string Value)[] settings)
    {
        var info = Info(args);
        info.RedirectStandardError = true;
        foreach (var (key, value) in settings)
        {
            info.Environment[key] = value;
        }

        using var process = Process.Start(info)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));

        // A command that should have ended is killed, so that it outlives no test.
        using var killed = limit.Token.Register(process.Kill);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, output, await errors);
    }

    private static ProcessStartInfo Info(string[] args)
    {
        Assert.True(Program is null || File.Exists(Program),
            $"CONSENSUS_AGENT is '{Program}', which is no file; give the whole path of a program.");
        var info = Program is null
            ? new ProcessStartInfo("dotnet", [typeof(Agent.AgentApplication).Assembly.Location, .. args])
            : new ProcessStartInfo(Program, args);
        info.RedirectStandardOutput = true;

        // The agent must not inherit settings from the environment of the tests.
        foreach (var name in info.Environment.Keys.Where(
            name => name.StartsWith("CONSENSUS_", StringComparison.Ordinal) || Settings.Names.Contains(name)).ToList())
        {
            info.Environment.Remove(name);
        }

        // A test whose promise is a fast first run switches this on again.
        info.Environment["WARM_UP"] = "false";
        return info;
    }

    /// <summary>Kills it as <c>kill -9</c> does.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Asks it to end (SIGTERM) and waits.</summary>
    /// <returns>Its exit code, and how long it took.</returns>
    public async Task<(int Code, TimeSpan Took)> TerminateAsync()
    {
        var watch = Stopwatch.StartNew();
        await Signals.SendAsync("TERM", _process.Id);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(patience.Token);
        return (_process.ExitCode, watch.Elapsed);
    }

    /// <summary>Stops it in its tracks, as a machine that hangs (SIGSTOP), until <see cref="ResumeAsync"/>.</summary>
    public Task PauseAsync() => Signals.StopAsync(_process.Id);

    /// <summary>Lets it go on where it was (SIGCONT).</summary>
    public Task ResumeAsync() => Signals.SendAsync("CONT", _process.Id);

    /// <summary>KiB of memory that the process holds.</summary>
    public long ResidentKib()
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>How many threads of the process have this name.</summary>
    public int Threads(string name) => Procfs.ReadThreads(_process.Id, "comm").Count(text => text.Trim() == name);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }

    [GeneratedRegex(@"http://[^\s;,]+")]
    private static partial Regex FirstAddress();
}
