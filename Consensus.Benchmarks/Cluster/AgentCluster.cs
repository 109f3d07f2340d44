using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Consensus.Conformance;

namespace Consensus.Benchmarks.Cluster;

/// <summary>What a decision is asked for, and how it went.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Values">Values are drawn from 1..Values.</param>
/// <param name="Draw">How.</param>
/// <param name="Spread">How proposals and votes travel; null: as the agents do by default.</param>
internal sealed record Question(string Rule = "ratified", int Values = 3, string Draw = "fresh", string? Spread = null)
{
    public byte[] Body { get; } = Encoding.UTF8.GetBytes(
        $$"""{"rule":"{{Rule}}","values":{{Values}},"draw":"{{Draw}}"{{(Spread is null ? "" : $",\"spread\":\"{Spread}\"")}}}""");
}

/// <summary>Agents in processes of their own, and a client that asks them for decisions.</summary>
internal sealed class AgentCluster : IDisposable
{
    private const int MaxWaitSeconds = 30;
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly List<ServerProcess?> _agents;
    private readonly HttpClient _http;

    private AgentCluster(List<ServerProcess?> agents, HttpClient http) => (_agents, _http) = (agents, http);

    /// <summary>Decisions of the classic rule on which the agents differed.</summary>
    public int Disagreements { get; private set; }

    public IEnumerable<ServerProcess> Running => _agents.OfType<ServerProcess>();

    public TimeSpan Cpu => Running.Aggregate(TimeSpan.Zero, (sum, agent) => sum + agent.Cpu);

    public static async Task<AgentCluster> StartAsync(
        string program, int count, HttpClient http, params (string Key, string Value)[] settings)
    {
        var ports = LoopbackPorts.Free(count);
        var agents = new List<ServerProcess?>();
        try
        {
            // One by one, so that the start of one does not slow another's.
            for (var i = 0; i < count; i++)
            {
                var id = string.Create(CultureInfo.InvariantCulture, $"agent{i + 1}");
                var environment = settings.ToDictionary(
                    setting => setting.Key, setting => setting.Value.Replace("{agent}", id, StringComparison.Ordinal));
                environment["RUN_RATE"] = "0";
                environment["AGENT_ID"] = id;
                environment["PORT"] = ports[i].ToString(CultureInfo.InvariantCulture);
                environment["PEERS"] = string.Join(',', ports.Where((_, other) => other != i).Select(port => $"http://localhost:{port}"));
                agents.Add(await ServerProcess.StartAsync(program, [], ports[i], "/alive", environment));
            }

            return new AgentCluster(agents, http);
        }
        catch
        {
            agents.ForEach(agent => agent?.Dispose());
            throw;
        }
    }

    /// <summary>Starts so many agents in one process, and waits until they decide a run. Only the first is asked.</summary>
    public static async Task<AgentCluster> StartInOneProcessAsync(string program, int count, HttpClient http)
    {
        var first = ServerProcess.FreePortsInARow(count);
        string[] args =
        [
            "--agents", string.Create(CultureInfo.InvariantCulture, $"{count}"),
            "--port", string.Create(CultureInfo.InvariantCulture, $"{first}"),
            "--RUN_RATE=0",
        ];
        var cluster = new AgentCluster(
            [await ServerProcess.StartAsync(program, args, first, "/alive", new Dictionary<string, string>())], http);
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            try
            {
                await cluster.AnswerAsync(new(Draw: "plurality", Spread: "relay"));
                return cluster;
            }
            catch (InvalidOperationException) when (clock.Elapsed < TimeSpan.FromMinutes(1))
            {
                // Too few agents listen yet.
            }
        }
    }

    /// <summary>
    /// Decides until the agents' code is compiled as well as it gets. That takes so many decisions, and at most so long.
    /// </summary>
    public async Task WarmUpAsync(Question question, int decisions, TimeSpan atMost)
    {
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < decisions && clock.Elapsed < atMost; i++)
        {
            await DecideAsync(question);
        }
    }

    /// <summary>
    /// One decision: <c>POST /run?wait</c> to the first agent, then a long poll to each other running agent.
    /// </summary>
    /// <returns>ms until all hold it.</returns>
    /// <exception cref="InvalidOperationException">There was none, or the ratified rule disagreed.</exception>
    public async Task<double> DecideAsync(Question question)
    {
        var start = Stopwatch.GetTimestamp();
        var (run, value) = await RunAsync(question);
        var others = await Task.WhenAll(Running.Skip(1).Select(agent => AskAsync(agent, run)));
        var elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (others.Any(other => other != value))
        {
            Disagreements++;
            if (question.Rule == "ratified")
            {
                throw new InvalidOperationException($"The agents disagree in run {run}: {value} and {string.Join(", ", others)}.");
            }
        }

        return elapsed;
    }

    /// <summary><c>POST /run?wait</c> to the first agent.</summary>
    /// <returns>ms until it answers with the decision.</returns>
    public async Task<double> AnswerAsync(Question question)
    {
        var start = Stopwatch.GetTimestamp();
        await RunAsync(question);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private async Task<(string Run, int Value)> RunAsync(Question question)
    {
        var first = _agents[0]!;
        using var content = new ByteArrayContent(question.Body) { Headers = { ContentType = Json } };
        using var response = await _http.PostAsync(new Uri(first.Address, $"/run?wait={MaxWaitSeconds}"), content);
        using var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        if (!answer.RootElement.TryGetProperty("outcome", out var outcome) || !outcome.TryGetProperty("value", out var decided))
        {
            throw new InvalidOperationException($"No decision: {answer.RootElement}");
        }

        return (answer.RootElement.GetProperty("run").GetString()!, decided.GetInt32());
    }

    /// <summary>Messages that all agents sent in each of the last runs that took one round.</summary>
    public async Task<List<int>> MessagesOfOneRoundAsync(int runs)
    {
        var sent = new Dictionary<string, (int Sent, int Agents, bool OneRound)>();
        foreach (var agent in Running)
        {
            using var history = JsonDocument.Parse(await _http.GetStringAsync(new Uri(agent.Address, "/timeline/runs")));
            foreach (var run in history.RootElement.GetProperty("runs").EnumerateArray().Take(runs))
            {
                var id = run.GetProperty("run").GetString()!;
                var before = sent.GetValueOrDefault(id, (Sent: 0, Agents: 0, OneRound: true));
                sent[id] =
                    (before.Sent + run.GetProperty("sent").GetInt32(), before.Agents + 1,
                        before.OneRound && run.GetProperty("rounds").GetInt32() == 1);
            }
        }

        return [.. sent.Values.Where(run => run.OneRound && run.Agents == Running.Count()).Select(run => run.Sent)];
    }

    /// <summary>Calls to and from this agent, counted from 0, are held up from now on. Needs <c>FAULTS=true</c>.</summary>
    public async Task SlowDownAsync(int agent, int milliseconds)
    {
        using var content = new ByteArrayContent(
            Encoding.UTF8.GetBytes($$"""{"links":[{"direction":"in","delay_ms":{{milliseconds}}}]}"""));
        content.Headers.ContentType = Json;
        using var response = await _http.PutAsync(new Uri(_agents[agent]!.Address, "/faults"), content);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Kills it as <c>kill -9</c> does.</summary>
    public void Kill(int agent)
    {
        _agents[agent]?.Dispose();
        _agents[agent] = null;
    }

    public void Dispose() => _agents.ForEach(agent => agent?.Dispose());

    private async Task<int> AskAsync(ServerProcess agent, string run)
    {
        var bytes = await _http.GetByteArrayAsync(new Uri(agent.Address, $"/consensus?wait={MaxWaitSeconds}&run={run}"));
        using var body = JsonDocument.Parse(bytes);
        return body.RootElement.TryGetProperty("value", out var value) ? value.GetInt32()
            : throw new InvalidOperationException($"No decision at {agent.Address}: {body.RootElement}");
    }
}
