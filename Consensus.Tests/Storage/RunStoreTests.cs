using System.Text.Json;
using Consensus.Agent.Hosting;
using Consensus.Agent.Storage;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Consensus.Timeline;
using Microsoft.Data.Sqlite;

namespace Consensus.Tests.Storage;

/// <summary>A file gives back what was kept in it, or says in one line why it cannot.</summary>
[Trait(Category.Name, Category.System)]
public sealed class RunStoreTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-");

    private string File => Path.Combine(_folder.FullName, "agent1.db");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_new_file_holds_nothing()
    {
        using var store = RunStoreFactory.Open(File, "agent1");
        Assert.Equal(new Restored(RunId.None), store.Restored);
        Assert.Empty(store.History);
    }

    [Fact]
    public void What_was_persisted_is_read_back()
    {
        var first = Decided(1, 2);
        var joined = new RunRecord(Described(2), 20, 3, 4, 5, Learner: true);
        using (var store = RunStoreFactory.Open(File, "agent1"))
        {
            store.Save(Now(first), [first]);
            store.Save(Now(joined), [first with { Sent = 9 }, joined]);
        }

        using var again = RunStoreFactory.Open(File, "agent1");
        Assert.Equal(Text(Now(joined)), Text(again.Restored));
        Assert.Equal(Text(new[] { first with { Sent = 9 }, joined }), Text(again.History));
    }

    [Fact]
    public void A_reset_clears_the_decision_and_leaves_the_floor_and_the_history()
    {
        var decided = Decided(1, 2);
        using (var store = RunStoreFactory.Open(File, "agent1"))
        {
            store.Save(Now(decided), [decided]);
            store.Save(new Restored(decided.Run!.Id), []);
        }

        using var again = RunStoreFactory.Open(File, "agent1");
        Assert.Equal(new Restored(decided.Run!.Id), again.Restored);
        Assert.Equal(decided.Name, Assert.Single(again.History).Name);
    }

    [Fact]
    public void A_bare_decision_takes_the_place_of_the_last_bare_one()
    {
        var (anonymousRun, run) = (new RunRecord(null, 1, 1, 1, 1, false, 2, 3, 1), Decided(1, 2));
        using (var store = RunStoreFactory.Open(File, "agent1"))
        {
            store.Save(Now(anonymousRun), [anonymousRun]);
            store.Save(Now(run), [run]);
            store.Save(Now(anonymousRun with { Value = 2 }), [anonymousRun with { Value = 2 }]);
        }

        using var again = RunStoreFactory.Open(File, "agent1");
        Assert.Equal(new Decision(2, 1), again.Restored.Decision);
        Assert.Equal([run.Name, RunRecord.AnonymousRun], again.History.Select(kept => kept.Name));
    }

    [Fact]
    public void Old_runs_make_room()
    {
        var last = RunStore.MaxRuns + RunStore.SavesPerCheckpoint;
        using (var store = RunStoreFactory.Open(File, "agent1"))
        {
            List<RunRecord> runs =
                [.. Enumerable.Range(1, last).Select(number => new RunRecord(Described(number), number, 1, 1, 1, false))];
            store.Save(Now(runs[^RunStore.SavesPerCheckpoint]), runs[..^(RunStore.SavesPerCheckpoint - 1)]);
            foreach (var run in runs[^(RunStore.SavesPerCheckpoint - 1)..])
            {
                store.Save(Now(run), [run]);
            }
        }

        using var again = RunStoreFactory.Open(File, "agent1");
        Assert.Equal(RunStore.HistoryLength, again.History.Count);
        Assert.Equal(last, again.Restored.Run!.Id.Number);
        Assert.Equal(RunStore.MaxRuns, Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(450)]
    public void A_copy_of_an_open_file_holds_all_with_its_log_and_is_refused_without_it(int runs)
    {
        var open = Path.Combine(_folder.FullName, "open.db");
        using var store = RunStoreFactory.Open(open, "agent1");
        for (var number = 1; number <= runs; number++)
        {
            store.Save(Now(Decided(number, 1)), [Decided(number, 1)]);
        }

        // So large a log is moved into the file now and then, after which more is written.
        Assert.InRange(new FileInfo(open + "-wal").Length, 1, 8_000_000);
        System.IO.File.Copy(open, File);
        AssertRefused("without its log");
        AssertRefused("without its log");
        System.IO.File.Copy(open + "-wal", File + "-wal");
        using var copy = RunStoreFactory.Open(File, "agent1");
        Assert.Equal(runs, copy.Restored.Run?.Id.Number ?? 0);
    }

    [Fact]
    public void A_file_whose_log_another_program_has_moved_into_it_is_complete()
    {
        var open = Path.Combine(_folder.FullName, "open.db");
        using var store = RunStoreFactory.Open(open, "agent1");
        store.Save(Now(Decided(1, 2)), [Decided(1, 2)]);
        System.IO.File.Copy(open, File);
        System.IO.File.Copy(open + "-wal", File + "-wal");
        Execute("SELECT count(*) FROM runs");
        Assert.False(System.IO.File.Exists(File + "-wal"));
        using var moved = RunStoreFactory.Open(File, "agent1");
        Assert.Equal(1, moved.Restored.Run!.Id.Number);
    }

    [Fact]
    public void A_damaged_file_is_refused_or_reads_as_it_was()
    {
        var runs = Enumerable.Range(1, 30).Select(number => Decided(number, 1 + (number % 3))).ToList();
        using (var store = RunStoreFactory.Open(File, "agent1"))
        {
            runs.ForEach(run => store.Save(Now(run), [run]));
        }

        var whole = System.IO.File.ReadAllBytes(File);
        var random = new Random(1);
        var (refused, read) = (0, 0);
        for (var i = 0; i < 400; i++)
        {
            byte[] damaged = i % 4 == 0 ? whole[..random.Next(1, whole.Length)] : [.. whole];
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            var copy = Path.Combine(_folder.FullName, $"copy{i}.db");
            System.IO.File.WriteAllBytes(copy, damaged);
            try
            {
                using var store = RunStoreFactory.Open(copy, "agent1");
                Assert.Equal(Text(Now(runs[^1])), Text(store.Restored));
                Assert.Equal(Text(runs), Text(store.History));
                read++;
            }
            catch (ConfigurationException e)
            {
                Assert.StartsWith("DATA: '", e.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.True(refused > 100 && read > 10, $"{refused} refused, {read} read");
    }

    [Fact]
    public void A_file_in_use_is_refused()
    {
        using var store = RunStoreFactory.Open(File, "agent1");
        AssertRefused("in use by another process");
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData(
        "this is a text, and quite a long one, but a text it is and no database at all, whatever its name may say; so there", "damaged")]
    public void What_is_no_agent_s_file_is_refused(string content, string complaint)
    {
        System.IO.File.WriteAllText(File, content);
        AssertRefused(complaint);
        Assert.Equal(content, System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void A_file_of_another_application_of_another_agent_or_of_a_later_version_is_refused()
    {
        Execute("CREATE TABLE t (x)");
        AssertRefused("another application's");
        System.IO.File.Delete(File);

        RunStoreFactory.Open(File, "agent2").Dispose();
        AssertRefused("belongs to agent2");
        System.IO.File.Delete(File);

        RunStoreFactory.Open(File, "agent1").Dispose();
        Execute("PRAGMA user_version = 9");
        AssertRefused("has version 9");
    }

    [Fact]
    public void A_journal_without_its_file_is_refused()
    {
        System.IO.File.WriteAllText(File + "-wal", "x");
        AssertRefused("its journal is there");
    }

    [Fact]
    public void A_folder_or_a_place_that_is_not_there_is_refused()
    {
        Assert.Contains("is a folder", Assert.Throws<ConfigurationException>(
            () => RunStoreFactory.Open(_folder.FullName, "agent1")).Message, StringComparison.Ordinal);
        Assert.Throws<ConfigurationException>(() => RunStoreFactory.PathFor(_folder.FullName, "agent1"));
        Assert.Throws<ConfigurationException>(() => RunStoreFactory.PathFor("data/", "agent1"));
        var nowhere = Path.Combine(_folder.FullName, "no", "agent1.db");
        Assert.Contains("there is no folder",
            Assert.Throws<ConfigurationException>(() => RunStoreFactory.Open(nowhere, "agent1")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data/kept.db", "data/kept.agent2.db")]
    [InlineData("kept", "kept.agent2")]
    public void Agents_of_one_process_have_a_file_each(string path, string expected) =>
        Assert.Equal(expected, RunStoreFactory.PathFor(path, "agent2"));

    private static RunDescriptor Described(int number) => new(
        new RunId(number, "agent1", "boot"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200,
        new Dictionary<string, string> { ["agent1"] = "boot", ["agent2"] = "b" }, number);

    private static RunRecord Decided(int number, int value) =>
        new(Described(number), number * 10, 2, 2, 7, false, (number * 10) + 5, value, 2);

    private static Restored Now(RunRecord kept) => new(kept.Run?.Id ?? RunId.None, kept.Run, kept.Decision, kept.Attempts);

    private static string Text<T>(T value) => JsonSerializer.Serialize(value);

    private void AssertRefused(string complaint)
    {
        var refused = Assert.Throws<ConfigurationException>(() => RunStoreFactory.Open(File, "agent1"));
        Assert.Contains(complaint, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private long Count()
    {
        // The store that is open holds the file; what it wrote is counted in a copy.
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        var copy = Path.Combine(_folder.FullName, "copy.db");
        System.IO.File.Copy(File, copy);
        if (System.IO.File.Exists(File + "-wal"))
        {
            System.IO.File.Copy(File + "-wal", copy + "-wal");
        }

        using var command = connection.CreateCommand();
        command.CommandText = $"ATTACH '{copy}' AS kept; SELECT count(*) FROM kept.runs";
        return (long)command.ExecuteScalar()!;
    }
}
