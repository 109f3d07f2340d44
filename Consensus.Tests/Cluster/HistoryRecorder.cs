using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Tests.Cluster;

/// <summary>
/// Clients that start runs back to back at all agents at once, and watchers that ask every agent what it holds, again and
/// again. Whatever is answered is written down.
/// </summary>
internal sealed class HistoryRecorder : IDisposable
{
    private readonly IReadOnlyList<Uri> _agents;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(8) };
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<Observation> _history = new();
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentDictionary<string, RunId> _highestSeenRuns = new();
    private readonly ConcurrentDictionary<RunId, byte> _started = new();
    private readonly bool _highestSeenRunsAreKept;
    private readonly List<Task> _tasks;
    private readonly TaskCompletionSource _decision = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _unanswered;
    private int _refused;

    /// <param name="agents">Where the agents listen, agent1 first.</param>
    /// <param name="clients">How many start runs.</param>
    /// <param name="seed">What they ask for is drawn from it.</param>
    /// <param name="highestSeenRunsAreKept">Whether an agent must never fall behind what it once said it saw.</param>
    public HistoryRecorder(IReadOnlyList<Uri> agents, int clients, int seed, bool highestSeenRunsAreKept)
    {
        (_agents, _highestSeenRunsAreKept) = (agents, highestSeenRunsAreKept);
        _tasks =
        [
            .. Enumerable.Range(0, clients).Select(client => Task.Run(() => StartRunsAsync(new Random(seed + client + 1)))),
            .. Enumerable.Range(0, agents.Count).Select(agent => Task.Run(() => WatchAsync(agent))),
        ];
    }

    /// <summary>Every decision that was answered, in order.</summary>
    public IReadOnlyCollection<Observation> History => _history;

    /// <summary>Answers that must never be given.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Runs that were started.</summary>
    public int Started => _started.Count;

    /// <summary>Runs of which a decision was seen.</summary>
    public int Decided => _history.Select(seen => seen.Run).Distinct().Count();

    /// <summary>Calls that failed, as they may while agents are dead.</summary>
    public int Unanswered => _unanswered;

    /// <summary>Requests that agents refused on purpose: too few agents, too many starts at once.</summary>
    public int Refused => _refused;

    /// <summary>Waits until a decision was seen.</summary>
    public Task SeeADecisionAsync() => _decision.Task.WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>The clients and watchers go home.</summary>
    public async Task EndAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_tasks);
    }

    public void Dispose()
    {
        _end.Dispose();
        _http.Dispose();
    }

    private async Task StartRunsAsync(Random random)
    {
        while (!_end.IsCancellationRequested)
        {
            var agent = random.Next(_agents.Count);
            var (values, window, draw) = (random.Next(1, 6), random.Next(0, 60), random.Next(2) == 0 ? "fresh" : "plurality");
            var body = $$"""{"values":{{values}},"window_ms":{{window}},"draw":"{{draw}}"}""";
            if (await AskAsync(HttpMethod.Post, agent, "/run?wait=2", body) is not { } answer)
            {
                await PauseAsync();
                continue;
            }

            if (Id(answer, "run") is { } run)
            {
                _started[run] = 0;
            }

            if (answer.TryGetProperty("outcome", out var outcome))
            {
                Consensus(agent, outcome);
            }
        }
    }

    private async Task WatchAsync(int agent)
    {
        for (var turn = 0; !_end.IsCancellationRequested; turn++)
        {
            if (await AskAsync(HttpMethod.Get, agent, turn % 2 == 0 ? "/state" : "/consensus") is { } answer)
            {
                if (turn % 2 == 0)
                {
                    State(agent, answer);
                }
                else
                {
                    Consensus(agent, answer);
                }
            }

            await PauseAsync();
        }
    }

    private void See(Observation decision)
    {
        _history.Enqueue(decision);
        _decision.TrySetResult();
    }

    private void Consensus(int agent, JsonElement answer)
    {
        if (answer.GetProperty("reached").GetBoolean() && Id(answer, "run") is { } run)
        {
            // This answer does not tell the boot; agreement needs none, and changes show against the other answers.
            See(new Observation(Name(agent), "", run, answer.GetProperty("value").GetInt32(), answer.GetProperty("round").GetInt32()));
        }
    }

    private void State(int agent, JsonElement state)
    {
        var boot = state.GetProperty("boot").GetString()!;
        if (state.TryGetProperty("decision", out var decision) && Id(state, "run") is { } run)
        {
            See(new Observation(
                Name(agent), boot, run, decision.GetProperty("value").GetInt32(), decision.GetProperty("round").GetInt32()));
        }

        var highestSeenRun = Id(state, "floor") ?? RunId.None;
        var key = _highestSeenRunsAreKept ? Name(agent) : $"{Name(agent)} {boot}";
        if (_highestSeenRuns.TryGetValue(key, out var before) && highestSeenRun < before)
        {
            _complaints.Enqueue($"{Name(agent)} (boot {boot}) had seen run {before} and now {highestSeenRun}.");
        }

        // Whoever announced a run that nobody answered goes back to where it stood; from any other there is no way back.
        if (highestSeenRun.Initiator != Name(agent) || (state.TryGetProperty("decision", out _) && Id(state, "run") == highestSeenRun))
        {
            _highestSeenRuns[key] = highestSeenRun;
        }
    }

    private async Task<JsonElement?> AskAsync(HttpMethod method, int agent, string path, string? json = null)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(_agents[agent], path));
            request.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
            using var response = await _http.SendAsync(request, _end.Token);
            var text = await response.Content.ReadAsStringAsync(_end.Token);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted)
            {
                return JsonDocument.Parse(text).RootElement;
            }

            if (response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)
            {
                Interlocked.Increment(ref _refused);
            }
            else
            {
                _complaints.Enqueue($"{path} of {Name(agent)} answered {(int)response.StatusCode}: {text}");
            }
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            Interlocked.Increment(ref _unanswered);
        }

        return null;
    }

    // Between two questions; what is seen does not hang on how long.
    private static Task PauseAsync() => Task.Delay(10);

    private static string Name(int agent) => $"agent{agent + 1}";

    private static RunId? Id(JsonElement element, string field) =>
        element.TryGetProperty(field, out var id) && RunId.TryParse(id.GetString(), out var run) ? run : null;
}
