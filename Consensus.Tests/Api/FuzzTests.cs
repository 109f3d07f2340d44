using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Microsoft.Extensions.Logging;
using Xunit.Abstractions;

namespace Consensus.Tests.Api;

/// <summary>
/// Requests of every kind from several clients at once against three agents: each is answered in words and none with a
/// failure, the log stays quiet, and after each burst a run is decided. <c>FUZZ_REQUESTS</c> and <c>FUZZ_SEED</c> change it, and
/// <c>FUZZ_FAULTS=1</c> breaks calls on purpose in every burst. Requests that found a fault once are kept in <c>fuzz-corpus.txt</c>
/// and come first: what a burst finds depends on what the agents do meanwhile, so its seed alone seldom finds it again.
/// </summary>
[Trait(Category.Name, Category.System)]
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int Burst = 500;
    private const int Workers = 4;
    private const int Tries = 5;

    private static readonly int Seed = Setting("FUZZ_SEED") ?? 1;
    private static readonly int Requests = Setting("FUZZ_REQUESTS") ?? 5_000;

    private readonly ConcurrentDictionary<int, int> _statuses = new();
    private readonly ConcurrentQueue<string> _wrong = new();
    private string _burst = "";
    private int _lost;

    [Fact]
    public async Task Whatever_is_sent_every_request_is_answered_and_runs_are_still_decided()
    {
        output.WriteLine($"seed {Seed}, {Requests} requests");
        var log = new WarningLog();
        await using var cluster = await LocalCluster.StartAsync(
            3, 0, new AgentOptions { Id = "", Faults = true },
            configure: (_, builder) => builder.Logging.ClearProviders().AddProvider(log));
        List<ApiClient> clients = [.. cluster.Addresses.Select(address => new ApiClient(address))];
        var clock = Stopwatch.StartNew();
        var runs = 0;

        await SendKeptAsync(cluster.Addresses);

        // Every fourth burst, or each, also breaks calls on purpose.
        var fresh = Enumerable.Range(0, (Requests + Burst - 1) / Burst)
            .Select(burst => (unchecked(Seed + (burst * Burst)), Setting("FUZZ_FAULTS") == 1 || burst % 4 == 3));
        foreach (var (seed, faults) in fresh.TakeWhile(_ => _wrong.IsEmpty))
        {
            _burst = $"a burst of FUZZ_SEED={seed}{(faults ? " with faults" : "")}";
            await Task.WhenAll(Enumerable.Range(0, Workers)
                .Select(worker => BurstAsync(cluster.Addresses, clients, unchecked((seed * 31) + worker), faults)));
            foreach (var client in clients)
            {
                await client.Send(HttpMethod.Delete, "/faults", null);
            }

            await DecidesAsync(clients, runs);
            runs++;
        }

        clients.ForEach(client => client.Dispose());
        output.WriteLine($"{runs * Burst} requests, {runs} runs decided, {_lost} requests "
            + $"lost on purpose or with their connection, {clock.Elapsed.TotalSeconds:0} s");
        output.WriteLine(string.Join(", ", _statuses.OrderBy(status => status.Key).Select(status => $"{status.Key}: {status.Value}")));
        output.WriteLine($"log: {string.Join(", ", log.Counts.Select(kind => $"{kind.Key}: {kind.Value}"))}");
        log.Exceptions.Values.ToList().ForEach(output.WriteLine);
        _wrong.ToList().ForEach(output.WriteLine);
        Assert.Empty(_wrong);

        // Some requests claim to be an agent with another decision. The agents log such a disagreement as an error.
        Assert.DoesNotContain(log.Counts.Keys,
            kind => !kind.StartsWith("Warning", StringComparison.Ordinal) && !kind.StartsWith("Error Disagreed", StringComparison.Ordinal));
        Assert.All(log.Counts, kind => Assert.True(kind.Value <= 3 * (clock.Elapsed.TotalSeconds + 2), $"{kind.Key}: {kind.Value}"));
    }

    [Fact]
    public async Task Bodies_that_are_cut_off_leave_no_warning()
    {
        var log = new WarningLog();
        await using var cluster = await StartAgentAsync(log);
        var request = RawHttp.Request("POST", "/proposal", new byte[1000]);
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(async _ =>
        {
            using var connection = new RawHttp(cluster.Addresses[0]);
            for (var i = 0; i < 300; i++)
            {
                Assert.True(await connection.SendAsync(request[..^(1 + i)], end: true) is null or { Status: 400 });
            }
        }));
        Assert.True(log.Counts.IsEmpty, string.Join('\n', log.Exceptions.Values));
    }

    [Fact]
    public async Task Clients_that_leave_while_their_body_is_read_leave_no_warning()
    {
        var log = new WarningLog();
        var cluster = await StartAgentAsync(log);
        await using (cluster)
        {
            var body = RawHttp.Request("POST", "/run", new byte[100], "Expect: 100-continue")[..^100];
            for (var i = 0; i < 100; i++)
            {
                using var client = new TcpClient();
                await client.ConnectAsync(cluster.Addresses[0].Host, cluster.Addresses[0].Port);
                await client.GetStream().WriteAsync(body);

                // The agent asks for the body where it begins to read it. A close without time to linger is a reset.
                var asked = new byte[100];
                var read = await client.GetStream().ReadAsync(asked);
                Assert.StartsWith("HTTP/1.1 100 ", Encoding.ASCII.GetString(asked, 0, read), StringComparison.Ordinal);
                client.Client.Close(timeout: 0);
            }
        }

        Assert.True(log.Counts.IsEmpty, string.Join('\n', log.Exceptions.Values));
    }

    private static Task<LocalCluster> StartAgentAsync(WarningLog log) => LocalCluster.StartAsync(
        1, 0, new AgentOptions { Id = "" }, configure: (_, builder) => builder.Logging.ClearProviders().AddProvider(log));

    /// <summary>Which file to add the request to, and the burst that sent it.</summary>
    private string Keep => $"add the request to fuzz-corpus.txt; it was sent in {_burst}";

    /// <summary>The requests of the file.</summary>
    private static IEnumerable<FuzzedRequest> Kept() =>
        from line in File.ReadLines(Path.Combine(SourceTree.Root, "Consensus.Tests", "Api", "fuzz-corpus.txt"))
        where line.Length > 0 && line[0] != '#'
        let words = line.Split(' ', 3)
        select new FuzzedRequest(
            line, RawHttp.Request(words[0], words[1], words.Length < 3 ? null : Encoding.UTF8.GetBytes(words[2])));

    private async Task SendKeptAsync(IReadOnlyList<Uri> agents)
    {
        List<RawHttp> connections = [.. agents.Select(agent => new RawHttp(agent))];
        foreach (var request in Kept())
        {
            foreach (var connection in connections)
            {
                if (Judge(request, await connection.SendAsync(request.Bytes)) is { } wrong)
                {
                    _wrong.Enqueue($"{wrong}: {request.What}");
                }
            }
        }

        connections.ForEach(connection => connection.Dispose());
    }

    private async Task BurstAsync(IReadOnlyList<Uri> agents, List<ApiClient> clients, int seed, bool faults)
    {
        var fuzzer = new Fuzzer(seed, faults);
        var random = new Random(seed);
        foreach (var client in clients)
        {
            fuzzer.Learn((await client.Get("/state")).Body);
        }

        List<RawHttp> connections = [.. agents.Select(agent => new RawHttp(agent))];
        for (var i = 0; i < Burst / Workers && _wrong.IsEmpty; i++)
        {
            var request = fuzzer.Next();
            try
            {
                var answer = await connections[random.Next(connections.Count)].SendAsync(request.Bytes, request.End, request.NoBody);
                if (Judge(request, answer) is { } wrong)
                {
                    _wrong.Enqueue($"{Keep}: {wrong}: {Short(request.What)}");
                }
            }
            catch (Exception e) when (e is TimeoutException or FormatException or ArgumentException)
            {
                _wrong.Enqueue($"{Keep}: {e.Message}: {Short(request.What)}");
            }
        }

        connections.ForEach(connection => connection.Dispose());
    }

    /// <summary>What is wrong with an answer; null: nothing.</summary>
    private string? Judge(FuzzedRequest request, RawAnswer? answer)
    {
        if (answer is null)
        {
            Interlocked.Increment(ref _lost);
            return request.IsHttp && !request.MayBeLost && !request.End ? "no answer" : null;
        }

        _statuses.AddOrUpdate(answer.Status, 1, (_, count) => count + 1);
        var problem = answer.ContentType.StartsWith("application/problem+json", StringComparison.Ordinal);
        return answer.Status switch
        {
            < 400 => null,
            409 when answer.ContentType.StartsWith("application/json", StringComparison.Ordinal) => null,
            404 when answer.ContentType.StartsWith("text/html", StringComparison.Ordinal)
                && answer.Body.Contains("There is no such page", StringComparison.Ordinal) => null,
            503 when problem && answer.Detail.Contains("nothing was started", StringComparison.Ordinal) => null,
            503 when problem && answer.Detail.Contains("are under way", StringComparison.Ordinal) => null,

            // Passed on to a peer that a slow machine did not let answer in its second.
            502 when problem && answer.Detail.Contains("does not answer", StringComparison.Ordinal) => null,
            _ when !request.IsHttp && answer.Status is < 500 or 505 => null,
            >= 500 => $"{answer.Status} {answer.Body}",
            _ when request.NoBody => null,
            _ => problem && answer.Detail.Length > 0 ? null : $"{answer.Status} without a word: {answer.Body}",
        };
    }

    /// <summary>Runs until one is decided: a run that the burst left undecided may still take the place of a newer one's.</summary>
    private async Task DecidesAsync(List<ApiClient> clients, int turn)
    {
        for (var left = Tries; left > 0; left--)
        {
            if (await IsDecidedAsync(clients, turn))
            {
                return;
            }
        }

        Assert.Fail($"{Keep}: after burst {turn} each of {Tries} runs was superseded");
    }

    /// <summary>False where another run took its place; a run that ends in any other way fails the test.</summary>
    private async Task<bool> IsDecidedAsync(List<ApiClient> clients, int turn)
    {
        var (code, started) = await clients[turn % clients.Count].Post("/run?wait=30", """{"window_ms":200}""");
        if (code == HttpStatusCode.Accepted && IsSuperseded(started.GetProperty("outcome")))
        {
            return false;
        }

        Assert.True(code == HttpStatusCode.OK, $"{Keep}: after burst {turn} a run got {(int)code} {started}");
        var run = started.GetProperty("run").GetString();
        var decided = started.GetProperty("outcome").GetProperty("value").GetInt32();
        foreach (var client in clients)
        {
            var (reached, answer) = await client.Get($"/consensus?wait=30&run={run}");
            if (IsSuperseded(answer))
            {
                return false;
            }

            if (reached != HttpStatusCode.OK || answer.GetProperty("value").GetInt32() != decided)
            {
                Assert.Fail($"{Keep}: after burst {turn} an agent held {answer} {(await client.Get("/state")).Body} for {started}");
            }
        }

        return true;
    }

    private static bool IsSuperseded(JsonElement answer) =>
        answer.TryGetProperty("superseded", out var superseded) && superseded.GetBoolean();

    private static string Short(string what) => what.Length > 2000 ? what[..2000] : what;

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number : null;

    /// <summary>Counts what is logged from Warning up, by level and kind.</summary>
    private sealed class WarningLog : ILoggerProvider, ILogger
    {
        public ConcurrentDictionary<string, int> Counts { get; } = new();

        /// <summary>The first exception of each kind.</summary>
        public ConcurrentDictionary<string, string> Exceptions { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                // The refusals share an event and differ in their reason.
                var reason = state is IEnumerable<KeyValuePair<string, object?>> values
                    ? values.FirstOrDefault(value => value.Key == "Why").Value : null;
                var kind = $"{logLevel} {eventId.Name ?? formatter(state, exception)} {reason} {exception?.GetType().Name}";
                Counts.AddOrUpdate(kind, 1, (_, count) => count + 1);
                if (exception is not null)
                {
                    Exceptions.TryAdd(kind, exception.ToString());
                }
            }
        }

        public void Dispose()
        {
        }
    }
}
