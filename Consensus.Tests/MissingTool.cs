namespace Consensus.Tests;

/// <summary>A tool that a test needs and the machine lacks.</summary>
internal static class MissingTool
{
    /// <summary>Skips the test; where CI is set, fails it.</summary>
    /// <param name="missing">What is missing, and what to install or set.</param>
    public static void Report(string missing)
    {
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", missing);
        Skip.If(true, missing);
    }
}
