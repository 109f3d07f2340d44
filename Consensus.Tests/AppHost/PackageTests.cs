using System.Diagnostics;
using System.Text.RegularExpressions;
using Consensus.Conformance;
using Consensus.Tests.Browser;
using Consensus.Tests.Conformance;
using Microsoft.Playwright;

namespace Consensus.Tests.AppHost;

/// <summary>The sample AppHost, as a newcomer starts it: by the packed file alone.</summary>
[Collection(RunningApplication.Others)]
[Trait(Category.Name, Category.System)]
public sealed partial class PackageTests(Chromium chromium) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-newcomer-");
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromMinutes(8));

    public void Dispose()
    {
        _limit.Dispose();
        _folder.Delete(recursive: true);
    }

    [SkippableFact]
    public async Task A_newcomers_AppHost_of_a_few_lines_runs_by_the_packed_file()
    {
        SampleTests.RequireFlask();
        var samples = Path.Combine(SourceTree.Root, "samples");
        Assert.InRange(File.ReadLines(Path.Combine(samples, "AppHost", "AppHost.cs")).Count(), 1, 20);
        foreach (var file in new[] { "AppHost", "AppHost/Properties", "python" }.SelectMany(
            folder => Directory.EnumerateFiles(Path.Combine(samples, folder))))
        {
            var copy = Path.Combine(_folder.FullName, Path.GetRelativePath(samples, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var app = Path.Combine(_folder.FullName, "AppHost");
        var code = Path.Combine(app, "AppHost.cs");
        await File.WriteAllTextAsync(
            code, (await File.ReadAllTextAsync(code)).Replace("\"python3\"", $"\"{SampleTests.Python}\"", StringComparison.Ordinal));
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        await RunAsync("pack", Path.Combine(SourceTree.Root, "Consensus.Hosting"),
            "--no-build", "--no-restore", "-c", configuration, "-o", Path.Combine(app, "packages"));
        await RunAsync("build", app, $"-p:RestoreFallbackFolders={Packages}");

        var ports = LoopbackPorts.Free(1);
        using var host = Start(
            "run", "--no-build", "--project", app, "--", $"--ASPNETCORE_URLS=http://localhost:{ports[0]}");
        try
        {
            string? login = null;
            while (login is null && await host.StandardOutput.ReadLineAsync(_limit.Token) is { } line)
            {
                login = Login().Match(line) is { Success: true } match ? match.Value : null;
            }

            _ = host.StandardOutput.ReadToEndAsync(_limit.Token);
            await using var tab = await Dashboard.OpenAsync(chromium, new Uri(login!));
            await Assertions.Expect(Dashboard.Outcome(tab)).ToHaveTextAsync("Ready");
            await Dashboard.RunAsync(tab);
            await Dashboard.DecidedAsync(tab);
        }
        finally
        {
            // `dotnet run` passes the signal on to the AppHost, which ends the agents.
            if (!host.HasExited)
            {
                await Signals.SendAsync("TERM", host.Id);
            }

            await host.WaitForExitAsync(_limit.Token);
        }
    }

    private static string Packages => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>With packages of its own, so that no earlier file of the same version is taken.</summary>
    private Process Start(params string[] args)
    {
        var info = new ProcessStartInfo("dotnet", args) { RedirectStandardOutput = true };
        info.Environment["NUGET_PACKAGES"] = Path.Combine(_folder.FullName, "cache");
        info.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        return Process.Start(info)!;
    }

    private async Task RunAsync(params string[] args)
    {
        using var process = Start(args);
        var output = await process.StandardOutput.ReadToEndAsync(_limit.Token);
        await process.WaitForExitAsync(_limit.Token);
        Assert.True(process.ExitCode == 0, output);
    }

    [GeneratedRegex(@"http://localhost:\d+/login\?t=\w+")]
    private static partial Regex Login();
}
