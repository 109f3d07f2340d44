using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Consensus.Protocol;
using Consensus.Timeline;
using Microsoft.Data.Sqlite;

namespace Consensus.Agent.Storage;

/// <summary>
/// Persists one agent's floor, runs and decisions in a SQLite file of its own, so that they outlive the process. One thread
/// at a time. The file has a write-ahead log and is locked while it is open. A decision is forced to the disk before it is
/// sent, so it survives a loss of power too. That a run was joined is written before any message of it is sent, and not forced: lost with
/// the power it costs a number, which with another boot names another run.
/// </summary>
internal sealed class RunStore : IDisposable
{
    /// <summary>The runs that a file holds; older ones are removed, at every <see cref="SavesPerCheckpoint"/>th save.</summary>
    public const int MaxRuns = 10_000;

    /// <summary>Runs that are read when it is opened.</summary>
    public const int HistoryLength = RunIndex.MaxRuns;

    /// <summary>Saves after which the log is moved into the file. SQLite does so at 4 MB, which takes about as many.</summary>
    public const int SavesPerCheckpoint = 200;

    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _writeAgent;
    private readonly SqliteCommand _writeRun;
    private readonly SqliteCommand _dropAnonymousRun;
    private readonly SqliteCommand _dropOld;
    private readonly SqliteCommand _begin;
    private readonly SqliteCommand _commit;
    private readonly SqliteCommand _force;
    private readonly SqliteCommand _leave;
    private bool? _forces;
    private int _saves;

    /// <param name="connection">An open file of this agent.</param>
    /// <exception cref="InvalidDataException">A row is not what was written.</exception>
    internal RunStore(SqliteConnection connection)
    {
        _connection = connection;
        History = [.. Read("ORDER BY seq DESC LIMIT $most", HistoryLength).AsEnumerable().Reverse()];
        Restored = ReadRestored();
        _writeAgent = Command("UPDATE agent SET floor = $floor, run = $run, sum = $sum", "$floor", "$run", "$sum");
        _writeRun = Command(
            """
            INSERT INTO runs (run, descriptor, started_at_us, last_round, attempts, sent, learner, decided_at_us, value, round, sum)
            VALUES ($run, $descriptor, $started, $last, $attempts, $sent, $learner, $decided, $value, $round, $sum)
            ON CONFLICT (run) DO UPDATE SET started_at_us = $started, last_round = $last, attempts = $attempts, sent = $sent,
                learner = $learner, decided_at_us = $decided, value = $value, round = $round, sum = $sum
            """,
            "$run", "$descriptor", "$started", "$last", "$attempts", "$sent", "$learner", "$decided", "$value", "$round", "$sum");
        _dropAnonymousRun = Command($"DELETE FROM runs WHERE run = '{RunRecord.AnonymousRun}'");
        _dropOld = Command($"DELETE FROM runs WHERE seq <= (SELECT max(seq) FROM runs) - {MaxRuns}");
        _begin = Command("BEGIN");
        _commit = Command("COMMIT");
        _force = Command("PRAGMA synchronous = FULL");
        _leave = Command("PRAGMA synchronous = NORMAL");
    }

    /// <summary>What the file held when it was opened: for the new process' machine.</summary>
    public Restored Restored { get; }

    /// <summary>The newest runs when it was opened, oldest first; at most <see cref="HistoryLength"/>.</summary>
    public IReadOnlyList<RunRecord> History { get; }

    /// <summary>Writes the changes since the last save, all or none. Nothing of them may be published before this returns.</summary>
    /// <param name="now">What the machine persists now.</param>
    /// <param name="runs">The runs that changed, oldest first.</param>
    /// <exception cref="SqliteException">It could not be written: the disk is full or broken. The store is of no more use.</exception>
    public void Save(Restored now, IReadOnlyList<RunRecord> runs)
    {
        var isCheckpoint = ++_saves % SavesPerCheckpoint == 0;
        var forces = !now.MayBeLost;
        if (_forces != forces)
        {
            (forces ? _force : _leave).ExecuteNonQuery();
            _forces = forces;
        }

        _begin.ExecuteNonQuery();
        foreach (var run in runs)
        {
            Write(run);
        }

        if (isCheckpoint)
        {
            _dropOld.ExecuteNonQuery();
        }

        var highestSeenRun = now.HighestSeenRun.IsNone ? "" : now.HighestSeenRun.ToString();
        var current = now is { Run: null, Decision: null } ? null : RunRecord.NameOf(now.Run);
        Set(_writeAgent, highestSeenRun, current, Sum(highestSeenRun, current));
        _writeAgent.ExecuteNonQuery();
        _commit.ExecuteNonQuery();
        if (isCheckpoint)
        {
            LogMark.Checkpoint(_connection, RunStoreFactory.Version);
        }

        void Write(RunRecord run)
        {
            if (run.Run is null)
            {
                // The next one takes its place, and is newer than what came between.
                _dropAnonymousRun.ExecuteNonQuery();
            }

            var descriptor = run.Run is null ? null : JsonSerializer.Serialize(run.Run, StoreJson.Default.RunDescriptor);
            Set(_writeRun, run.Name, descriptor, run.StartedAtUs, run.LastRound, run.Attempts,
                run.Sent, run.Learner ? 1 : 0, run.DecidedAtUs, run.Value, run.Round, Sum(run, descriptor));
            _writeRun.ExecuteNonQuery();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private Restored ReadRestored()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT floor, run, sum FROM agent";
        using var reader = command.ExecuteReader();
        if (!reader.Read())
        {
            throw new InvalidDataException("the agent's row is gone");
        }

        var (highestSeenRun, name) = (reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1));
        AssertSum(reader.GetInt64(2), Sum(highestSeenRun, name), "the agent's row");
        if (!RunId.TryParse(highestSeenRun, out var highest) && highestSeenRun.Length > 0)
        {
            throw new InvalidDataException($"its floor is '{highestSeenRun}'");
        }

        return name is null ? new Restored(highest)
            : Read("WHERE run = $run", name) is [var current] ? new Restored(highest, current.Run, current.Decision, current.Attempts)
            : throw new InvalidDataException($"run {name} is gone");
    }

    // SQLite notices damage to its structure, not to what a page holds.
    private static void AssertSum(long stored, long sum, string what)
    {
        if (stored != sum)
        {
            throw new InvalidDataException($"{what} is not what was written");
        }
    }

    private static long Sum(RunRecord run, string? descriptor) => Sum(
        run.Name, descriptor, string.Create(CultureInfo.InvariantCulture,
            $"{run.StartedAtUs} {run.LastRound} {run.Attempts} {run.Sent} {run.Learner} {run.DecidedAtUs} {run.Value} {run.Round}"));

    private static long Sum(params ReadOnlySpan<string?> parts) =>
        BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))));

    private List<RunRecord> Read(string which, object argument)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT run, descriptor, started_at_us, last_round, attempts, sent, learner, "
            + $"decided_at_us, value, round, sum FROM runs {which}";
        command.Parameters.AddWithValue(which[which.IndexOf('$', StringComparison.Ordinal)..], argument);
        using var reader = command.ExecuteReader();
        var runs = new List<RunRecord>();
        while (reader.Read())
        {
            var descriptor = reader.IsDBNull(1) ? null : reader.GetString(1);
            var run = new RunRecord(
                descriptor is null ? null : JsonSerializer.Deserialize(descriptor, StoreJson.Default.RunDescriptor),
                reader.GetInt64(2), reader.GetInt32(3), reader.GetInt32(4), reader.GetInt32(5), reader.GetInt64(6) != 0,
                reader.GetInt64(7), reader.GetInt32(8), reader.GetInt32(9));
            AssertSum(reader.GetInt64(10), Sum(run, descriptor), $"run {reader.GetString(0)}");
            runs.Add(run);
        }

        return runs;
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<string> parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = parameter });
        }

        command.Prepare();
        return command;
    }

    /// <summary>The sum of the agent's row in a new file.</summary>
    internal static long FirstSum => Sum("", null);

    private static void Set(SqliteCommand command, params ReadOnlySpan<object?> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }
}
