namespace Consensus.Tests;

/// <summary>What Linux says of processes.</summary>
internal static class Procfs
{
    private const int NoSuchProcess = 3;

    /// <summary>The text of a file of a process; null where the process, or the thread it is of, has ended.</summary>
    /// <param name="path">The path below <c>/proc</c>.</param>
    public static string? Read(string path)
    {
        // Between a look and a read a process may end: the file is gone before it is opened, or has no content after.
        try
        {
            return File.ReadAllText(Path.Combine("/proc", path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException || e is IOException { HResult: NoSuchProcess })
        {
            return null;
        }
    }

    /// <summary>The texts of a file of every thread of a process. A thread that ends meanwhile is left out.</summary>
    /// <param name="process">The process's number.</param>
    /// <param name="file">The file's name.</param>
    public static IEnumerable<string> ReadThreads(int process, string file) =>
        Directory.EnumerateDirectories($"/proc/{process}/task").Select(thread => Read(Path.Combine(thread, file))).OfType<string>();
}
