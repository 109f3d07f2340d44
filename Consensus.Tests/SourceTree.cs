namespace Consensus.Tests;

/// <summary>Where the sources lie, for tests that read or rewrite files beside them.</summary>
internal static class SourceTree
{
    /// <summary>The folder of Consensus.sln.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Consensus.sln")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException($"No Consensus.sln above {AppContext.BaseDirectory}.");
    }
}
