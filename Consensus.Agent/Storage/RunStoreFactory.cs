using System.Text.Json;
using Consensus.ServiceDefaults;
using Microsoft.Data.Sqlite;

namespace Consensus.Agent.Storage;

/// <summary>Opens an agent's file, or reports in one line why that fails. A damaged file never counts as empty.</summary>
internal static class RunStoreFactory
{
    // "CNSU": a file of this application, and of no other that keeps its data in SQLite.
    private const int ApplicationId = 0x434E5355;

    /// <summary>The version of the tables.</summary>
    internal const int Version = 1;

    private const int Busy = 5;
    private const int Locked = 6;
    private const int Corrupt = 11;
    private const int NotADatabase = 26;

    /// <summary>The file of one agent among several in a process: its id goes before the extension.</summary>
    /// <exception cref="ConfigurationException">The path is a folder's, beside which the file would be made.</exception>
    public static string PathFor(string path, string agentId)
    {
        RefuseFolder(path);
        var name = $"{Path.GetFileNameWithoutExtension(path)}.{agentId}{Path.GetExtension(path)}";
        return Path.Combine(Path.GetDirectoryName(path) ?? "", name);
    }

    /// <summary>Opens the file, or makes it where there is none.</summary>
    /// <exception cref="ConfigurationException">The file cannot be opened; the message names what to change.</exception>
    public static RunStore Open(string path, string agentId)
    {
        var full = Path.GetFullPath(path);
        RefuseFolder(path);
        if (!Directory.Exists(Path.GetDirectoryName(full)))
        {
            throw new ConfigurationException(
                $"DATA: there is no folder '{Path.GetDirectoryName(full)}' for '{path}'; make it, or name another file.");
        }

        try
        {
            if (!File.Exists(full))
            {
                if (File.Exists(full + "-wal"))
                {
                    throw Damaged(path, "the file is gone and its journal is there");
                }

                Create(full, agentId);
            }
            else if (new FileInfo(full).Length == 0)
            {
                throw new ConfigurationException($"DATA: '{path}' is empty, so what it held is lost, "
                    + "or it never was an agent's file. Put a copy back, or remove it to begin anew.");
            }
            else if (!File.Exists(full + "-wal") && LogMark.LacksLog(full))
            {
                throw new ConfigurationException(
                    $"DATA: '{path}' was copied without its log '{path}-wal', which holds the newest decisions. Copy both while the "
                    + "agent is paused or stopped (docs/deploy.md), or move this one away to begin without what it held.");
            }

            return OpenExisting(full, path, agentId);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is Busy or Locked)
        {
            throw new ConfigurationException(
                $"DATA: '{path}' is in use by another process; stop that, or give each agent a file of its own.");
        }
        catch (Exception e)
            when (e is SqliteException { SqliteErrorCode: Corrupt or NotADatabase } or InvalidDataException or JsonException)
        {
            throw Damaged(path, e.Message);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(
                $"DATA: '{path}' cannot be written ({e.Message}); make room or give this user the right to, or name another file.");
        }
    }

    // Under another name until it is complete. A crash here then leaves no file that looks like one that lost its data.
    private static void Create(string path, string agentId)
    {
        var unfinished = path + ".new";
        File.Delete(unfinished);
        using (var connection = Connect(unfinished))
        {
            Execute(connection, $"""
                BEGIN;
                PRAGMA application_id = {ApplicationId};
                PRAGMA user_version = {Version};
                CREATE TABLE agent (
                    id INTEGER PRIMARY KEY CHECK (id = 1), agent_id TEXT NOT NULL, floor TEXT NOT NULL, run TEXT,
                    sum INTEGER NOT NULL) STRICT;
                CREATE TABLE runs (
                    seq INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL UNIQUE, descriptor TEXT, started_at_us INTEGER NOT NULL,
                    last_round INTEGER NOT NULL, attempts INTEGER NOT NULL, sent INTEGER NOT NULL, learner INTEGER NOT NULL,
                    decided_at_us INTEGER NOT NULL, value INTEGER NOT NULL, round INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT;
                """);
            using var insert = connection.CreateCommand();
            insert.CommandText = "INSERT INTO agent VALUES (1, $id, '', NULL, $sum); COMMIT;";
            insert.Parameters.AddWithValue("$sum", RunStore.FirstSum);
            insert.Parameters.AddWithValue("$id", agentId);
            insert.ExecuteNonQuery();
        }

        File.Move(unfinished, path);
    }

    private static RunStore OpenExisting(string full, string path, string agentId)
    {
        var connection = Connect(full);
        try
        {
            // No other process reads or writes it from here on, which also saves the shared memory file.
            // The store moves the log into the file itself, and marks the file then.
            Execute(connection, """
                PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL;
                BEGIN EXCLUSIVE; COMMIT;
                """);
            if (Number("PRAGMA application_id") != ApplicationId)
            {
                throw Damaged(path, "it is another application's");
            }

            if (Number("PRAGMA user_version") is var version && version is not (Version or LogMark.LacksLogVersion))
            {
                throw new ConfigurationException($"DATA: '{path}' has version {version} and this agent reads version {Version}; "
                    + "use the agent that wrote it, or name another file.");
            }

            if (Text("PRAGMA quick_check(1)") is var check && check != "ok")
            {
                throw Damaged(path, check);
            }

            if (Text("SELECT agent_id FROM agent") is var owner && owner != agentId)
            {
                throw new ConfigurationException(
                    $"DATA: '{path}' belongs to {owner}, and this is {agentId}; give each agent a file of its own.");
            }

            // A disk that is full already shows now and not at the first decision.
            LogMark.Checkpoint(connection, Version);
            return new RunStore(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        long Number(string sql) => Convert.ToInt64(Scalar(sql), System.Globalization.CultureInfo.InvariantCulture);

        string Text(string sql) => Scalar(sql) as string ?? "nothing";

        object? Scalar(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            return command.ExecuteScalar();
        }
    }

    private static void RefuseFolder(string path)
    {
        if (Directory.Exists(path) || Path.EndsInDirectorySeparator(path))
        {
            throw new ConfigurationException($"DATA: '{path}' is a folder; name a file in it.");
        }
    }

    private static SqliteConnection Connect(string path)
    {
        // A locked file fails at once, without a wait. A pool would hold the file open after the agent has stopped.
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 1 }.ToString());
        connection.Open();
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static ConfigurationException Damaged(string path, string why) =>
        new($"DATA: '{path}' is damaged or no agent's file ({why}). Put a copy back, or move it away to begin without what it held.");
}
