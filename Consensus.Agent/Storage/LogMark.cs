using System.Buffers.Binary;
using Microsoft.Data.Sqlite;

namespace Consensus.Agent.Storage;

/// <summary>
/// Marks a file whose newest part is in the write-ahead log beside it, so that a copy of the file alone is recognized. The mark is the
/// version in the file's header. Each checkpoint leaves <see cref="LacksLogVersion"/> in the file, and the true version in the log.
/// Both together read as complete. So does the file once any program has moved the whole log into it.
/// </summary>
internal static class LogMark
{
    /// <summary>The version of a file that lacks its log.</summary>
    public const int LacksLogVersion = 2;

    /// <summary>Where SQLite keeps <c>user_version</c>: 4 bytes, big-endian.</summary>
    private const int VersionOffset = 60;

    /// <summary>Whether this file, without a log beside it, needs one. SQLite would open it and remove the mark that shows this.</summary>
    public static bool LacksLog(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> header = stackalloc byte[VersionOffset + 4];
        return file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length
            && BinaryPrimitives.ReadInt32BigEndian(header[VersionOffset..]) == LacksLogVersion;
    }

    /// <summary>Moves the log into the file, and marks both for what is written next.</summary>
    /// <param name="connection">The file. It moves its log at no other time.</param>
    /// <param name="version">The true version of the file.</param>
    /// <exception cref="SqliteException">The disk is full or broken.</exception>
    public static void Checkpoint(SqliteConnection connection, int version)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"PRAGMA user_version = {LacksLogVersion}; PRAGMA wal_checkpoint; PRAGMA user_version = {version}";
        command.ExecuteNonQuery();
    }
}
