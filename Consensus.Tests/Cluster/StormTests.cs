using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Tests.Api;
using Microsoft.Data.Sqlite;
using Xunit.Abstractions;

namespace Consensus.Tests.Cluster;

/// <summary>
/// Real processes that die, hang and are cut off at random moments under back-to-back runs from several clients at once.
/// <c>CONSENSUS_STORM=N</c> lets N things happen to them, not a few; <c>CONSENSUS_STORM_SEED</c> repeats a storm.
/// </summary>
[Trait(Category.Name, Category.System)]
public sealed class StormTests(ITestOutputHelper output) : IDisposable
{
    private const int Agents = 3;
    private const int Clients = 3;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-");

    private static int Things => Number("CONSENSUS_STORM") ?? 4;

    private static bool IsLong => Number("CONSENSUS_STORM") is not null;

    public void Dispose() => _folder.Delete(recursive: true);

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_run_has_two_decisions_and_no_persisted_decision_is_lost(bool keeps)
    {
        Skip.If(OperatingSystem.IsWindows(), "There is no SIGSTOP.");
        var seed = Number("CONSENSUS_STORM_SEED") ?? 1;
        output.WriteLine($"CONSENSUS_STORM_SEED={seed}");
        var clock = Stopwatch.StartNew();
        await using var nemesis = await Nemesis.StartAsync(
            Agents, seed, keeps ? _folder.FullName : null,
            line => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed.TotalSeconds,7:0.0} s  {line}")));
        using var recorder = new HistoryRecorder(nemesis.Addresses, Clients, seed, keeps);
        await recorder.SeeADecisionAsync();
        await nemesis.RageAsync(Things);
        await recorder.EndAsync();

        var slowest = await AssertAllDecideAndReturnToTheDecisionAsync(nemesis);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{nemesis.Kills} kills ({nemesis.KillsOfAll} times all at once), {nemesis.Pauses} stops, {nemesis.Isolations} isolations; "
            + $"{recorder.Started} runs started, {recorder.Decided} seen decided, {recorder.History.Count} answers with a decision, "
            + $"{recorder.Unanswered} calls unanswered, {recorder.Refused} refused; "
            + $"back at the decision after at most {slowest.TotalMilliseconds:0} ms"));
        Assert.Empty(recorder.Complaints);
        Assert.Null(SafetyChecker.Check(recorder.History));
        if (keeps)
        {
            nemesis.KillAll();
            List<Observation> kept = [.. Enumerable.Range(0, Agents).SelectMany(agent => Kept(nemesis.FileOf(agent), $"agent{agent + 1}"))];
            Assert.Null(SafetyChecker.CheckPersisted(recorder.History, kept));
            Assert.Null(SafetyChecker.Check(recorder.History.Concat(kept)));
        }
    }

    /// <summary>
    /// After the storm, every agent has decided or says why it cannot. The next run decides. An agent that restarts learns its decision.
    /// </summary>
    private static async Task<TimeSpan> AssertAllDecideAndReturnToTheDecisionAsync(Nemesis nemesis)
    {
        var clients = nemesis.Addresses.Select(address => new ApiClient(address)).ToList();
        foreach (var client in clients)
        {
            await EndedAsync(client);
        }

        var run = await DecideAsync(clients);
        var slowest = TimeSpan.Zero;
        for (var agent = 0; agent < (IsLong ? clients.Count : 1); agent++)
        {
            // A restarted agent learns the decision from its first poll. On a busy machine both calls of that poll may time out.
            for (var (polls, tries) = (1, 5); polls > 0; tries--)
            {
                Assert.True(tries > 0, $"Agent {agent + 1} polled its peers again each time before it knew the decision.");
                await nemesis.KillAndRestartAsync(agent);
                var back = Stopwatch.StartNew();
                var (told, consensus) = await clients[agent].Get("/consensus?wait=60");
                slowest = back.Elapsed > slowest ? back.Elapsed : slowest;
                Assert.Equal(HttpStatusCode.OK, told);
                Assert.Equal(run.GetProperty("run").GetString(), consensus.GetProperty("run").GetString());
                Assert.Equal(run.GetProperty("outcome").GetProperty("value").GetInt32(), consensus.GetProperty("value").GetInt32());
                polls = Recording.FromBytes(await clients[agent].GetBytes("/timeline/record")).Reexecute()
                    .TakeWhile(step => !step.IsDecided).Count(step => step.Input is TimerFired { Timer: Consensus.Protocol.Timer.Poll });
            }
        }

        clients.ForEach(client => client.Dispose());
        return slowest;
    }

    /// <summary>A run that all have decided.</summary>
    private static async Task<JsonElement> DecideAsync(List<ApiClient> clients)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            // A busy machine may take a healthy agent for a dead one; and a run that was asked for in the storm, by somebody
            // who has given up since, may be started only now and take the place of this one.
            var (code, run) = await clients[0].Post("/run?wait=20", """{"window_ms":2000}""");
            var superseded = false;
            foreach (var client in code == HttpStatusCode.OK ? clients : [])
            {
                var (reached, answer) = await client.Get($"/consensus?wait=60&run={run.GetProperty("run").GetString()}");
                superseded |= answer.TryGetProperty("superseded", out var gone) && gone.GetBoolean();
                Assert.True(superseded || reached == HttpStatusCode.OK, $"All are back and one has decided {run}, another says {answer}");
            }

            if (code == HttpStatusCode.OK && !superseded)
            {
                return run;
            }

            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(90), $"All are back, and no run decides: {(int)code} {run}");
        }
    }

    private static async Task EndedAsync(ApiClient client)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            var (code, consensus) = await client.Get("/consensus?wait=1");
            if (code == HttpStatusCode.OK || !consensus.TryGetProperty("run", out _) || consensus.TryGetProperty("stalled", out _))
            {
                return;
            }

            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"All are back, and a run is neither decided nor stalled: {consensus}");
        }
    }

    private static List<Observation> Kept(string file, string agentId)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT run, value, round FROM runs WHERE decided_at_us > 0";
        using var reader = command.ExecuteReader();
        var kept = new List<Observation>();
        while (reader.Read())
        {
            Assert.True(RunId.TryParse(reader.GetString(0), out var run));
            kept.Add(new Observation(agentId, "file", run, reader.GetInt32(1), reader.GetInt32(2)));
        }

        return kept;
    }

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
