using Aspire.Hosting.Testing;
using Consensus.Tests.Protocol;

namespace Consensus.Tests.AppHost;

/// <summary>The compose file that <c>aspire publish</c> writes, as a golden file. <c>CONSENSUS_REWRITE=1</c> rewrites it, and fails to say so.</summary>
public sealed class ComposeTests
{
    private static string Golden => Path.Combine(SourceTree.Root, "Consensus.Tests", "AppHost", "docker-compose.yaml");

    [Fact]
    public async Task The_published_compose_file_is_the_golden_one()
    {
        var folder = Directory.CreateTempSubdirectory("consensus-").FullName;
        try
        {
            await using (var model = await Model.CreateAsync("--operation", "publish", "--step", "publish", "--output-path", folder))
            {
                await using var app = await model.Builder.BuildAsync();
                await app.RunAsync();
            }

            var actual = (await File.ReadAllTextAsync(Path.Combine(folder, "docker-compose.yaml"))).ReplaceLineEndings("\n");
            var expected = File.Exists(Golden) ? (await File.ReadAllTextAsync(Golden)).ReplaceLineEndings("\n") : "";
            if (actual != expected && Environment.GetEnvironmentVariable("CONSENSUS_REWRITE") == "1")
            {
                await File.WriteAllTextAsync(Golden, actual);
            }

            Assert.True(actual == expected, $"docker-compose.yaml differs; where the new one is right, CONSENSUS_REWRITE=1 rewrites it:\n{LineDiff.Of(expected, actual)}");
            Assert.DoesNotContain("FAULTS", actual, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
