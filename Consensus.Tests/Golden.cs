using DiffPlex.Renderer;

namespace Consensus.Tests;

/// <summary>
/// Golden files. <c>CONSENSUS_REWRITE=1</c> rewrites those that differ, and fails. Read the difference before you commit a
/// rewritten file.
/// </summary>
internal static class Golden
{
    private const string RewriteVariable = "CONSENSUS_REWRITE";

    /// <summary>A golden file's text, with the line breaks that the tests compare.</summary>
    public static string Read(string path) => File.ReadAllText(path).ReplaceLineEndings("\n");

    /// <summary>Fails with the difference where a golden text is not the actual text.</summary>
    public static void AssertEqual(string path, string expected, string actual)
    {
        if (actual == expected)
        {
            return;
        }

        var (name, difference) =
            (Path.GetFileName(path), UnidiffRenderer.GenerateUnidiff(expected, actual, "golden", "actual", ignoreWhitespace: false));
        if (Environment.GetEnvironmentVariable(RewriteVariable) == "1")
        {
            File.WriteAllText(path, actual);
            Assert.Fail($"{name} was rewritten. Read the difference, then run again without {RewriteVariable}:\n{difference}");
        }

        Assert.Fail($"{name}: the golden text (-) differs from the actual one (+). "
            + $"Where the actual one is right, {RewriteVariable}=1 rewrites it:\n{difference}");
    }
}
