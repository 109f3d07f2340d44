using System.Diagnostics;

namespace Consensus.Tests.Simulation;

/// <summary>The sample that uses the core as a library.</summary>
[Trait(Category.Name, Category.System)]
public sealed class CoreSampleTests
{
    private static readonly string Folder = Path.Combine(SourceTree.Root, "samples", "Core");

    [Fact]
    public async Task The_sample_prints_what_stands_beside_it()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Consensus.Samples.Core.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program]) { RedirectStandardOutput = true })!;
        var printed = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        var path = Path.Combine(Folder, "output.txt");
        Golden.AssertEqual(path, Golden.Read(path), printed.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void The_sample_is_short_enough_to_read_at_once() =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Folder, "Program.cs")).Length, 1, 80);
}
