using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Consensus.Tests.AppHost;

/// <summary>The AppHost as people start it: what it refuses it says in a line, before anything is started.</summary>
[Trait(Category.Name, Category.System)]
public sealed class CommandLineTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-");

    public void Dispose() => _folder.Delete(recursive: true);

    // No user can make a folder in /proc, not even the administrator.
    [Theory]
    [InlineData("--data: agents cannot write in '/etc/hostname/agents-3'", "--data", "/etc/hostname")]
    [InlineData("--data: agents cannot write in '/proc/consensus/agents-3'", "--data", "/proc/consensus")]
    [InlineData("--agents is '0'; it must be a number from 1 to 101.", "--agents", "0")]
    public async Task What_it_cannot_do_is_one_line_and_no_stack(string beginning, params string[] args)
    {
        var (code, errors) = await RunAsync(["--port", "0", .. args]);
        Assert.Equal(1, code);
        Assert.StartsWith(beginning, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_relative_data_folder_is_one_of_the_callers_folder()
    {
        // The port is taken, so nothing is started.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var (code, errors) = await RunAsync(["--agents", "1", "--data", "kept", "--port", $"{((IPEndPoint)listener.LocalEndpoint).Port}"]);
        Assert.Equal(1, code);
        Assert.Contains(", for agent1, is in use.", Assert.Single(errors), StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(_folder.FullName, "kept", "agents-1")));
    }

    /// <summary>Runs it by <c>dotnet run</c>, which chooses the working directory of what it starts.</summary>
    private async Task<(int Code, string[] Errors)> RunAsync(string[] args)
    {
        var project = Path.Combine(SourceTree.Root, "Consensus.AppHost");
        var info = new ProcessStartInfo("dotnet", ["run", "--no-build", "--project", project, "--no-launch-profile", "--", .. args])
        {
            WorkingDirectory = _folder.FullName, RedirectStandardError = true, RedirectStandardOutput = true,
        };
        using var process = Process.Start(info)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var errors = await process.StandardError.ReadToEndAsync(patience.Token);
        await process.WaitForExitAsync(patience.Token);
        await output;
        return (process.ExitCode, errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
