using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;

namespace Consensus.Tests.Conformance;

[Trait(Category.Name, Category.System)]
public sealed class ToolPackageTests
{
    [Fact]
    public async Task The_package_holds_the_tool_consensus_and_the_page()
    {
        var folder = Directory.CreateTempSubdirectory("consensus-tool-");
        try
        {
            var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
            var info = new ProcessStartInfo(
                "dotnet", ["pack", Path.Combine(SourceTree.Root, "Consensus.Agent"), "--no-build",
                    "--no-restore", "-c", configuration, "-o", folder.FullName, "-v", "q"])
            {
                RedirectStandardOutput = true,
            };
            using var pack = Process.Start(info)!;
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
            var output = await pack.StandardOutput.ReadToEndAsync(limit.Token);
            await pack.WaitForExitAsync(limit.Token);
            Assert.True(pack.ExitCode == 0, output);

            using var package = await ZipFile.OpenReadAsync(Assert.Single(folder.GetFiles("*.nupkg")).FullName, limit.Token);
            var files = package.Entries.Select(entry => entry.FullName).ToList();
            var settings = package.Entries.Single(entry => entry.Name == "DotnetToolSettings.xml");
            await using var text = await settings.OpenAsync(limit.Token);
            var command = Assert.Single((await XDocument.LoadAsync(text, LoadOptions.None, limit.Token)).Descendants("Command"));
            Assert.Equal(("consensus", "Consensus.Agent.dll"), (command.Attribute("Name")!.Value, command.Attribute("EntryPoint")!.Value));
            var tool = settings.FullName[..^settings.Name.Length];
            Assert.Subset(files.ToHashSet(),
                new HashSet<string> { tool + "Consensus.Agent.dll", tool + "wwwroot/index.html", tool + "wwwroot/glossary.md" });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
