using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Consensus.Conformance;

/// <summary>One check: what a conforming agent does, and how to find out.</summary>
/// <param name="Id">Its name, in kebab case.</param>
/// <param name="Level">The level that it belongs to.</param>
/// <param name="Sentence">What a conforming agent does.</param>
/// <param name="Body">Finds out; throws <see cref="CheckFailedException"/> where the agent does something else.</param>
/// <param name="NeedsPeers">Whether the judge must play the agent's peers.</param>
/// <param name="Fresh">Whether it takes a process that has not met its peers yet.</param>
/// <param name="InWindow">
/// Whether a pass counts only while the round's window is open. Such a check shows that something does not happen in the round.
/// </param>
internal sealed record ConformanceCheck(
    string Id, ConformanceLevel Level, string Sentence, Func<CheckContext, Task> Body,
    bool NeedsPeers = false, bool Fresh = false, bool InWindow = false);

/// <summary>One agent under test, and the judge's means: HTTP requests, and fake peers where the judge started the agent.</summary>
/// <param name="agent">The agent.</param>
/// <param name="all">All agents that are reset before a check.</param>
/// <param name="peers">The agent's peers, where the judge plays them; null: it has peers of its own.</param>
/// <param name="others">How many other agents there are.</param>
/// <param name="log">The exchanges.</param>
/// <param name="cancellation">Ends it.</param>
internal sealed partial class CheckContext(AgentConnection agent, IReadOnlyList<AgentConnection> all,
    FakePeers? peers, int others, ExchangeLog log, CancellationToken cancellation)
{
    /// <summary>
    /// Long enough for anything that an agent does at once, or when a window ends. A busy machine gets more
    /// (<see cref="AgentConnection.PollAsync"/>).
    /// </summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(1.5);

    /// <summary>Long enough for what an agent repeats, at least every 2 s.</summary>
    public static readonly TimeSpan Later = TimeSpan.FromSeconds(6);

    // The original's window is 200 ms, and it begins after the judge sent the request that starts it.
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(190);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private readonly List<AgentReply> _replies = [];
    private long? _roundStarted;

    /// <summary>The agent's id.</summary>
    public string Id => agent.Id;

    /// <summary>The fake peers.</summary>
    public FakePeers Peers => peers ?? throw new InvalidOperationException("The judge does not play this agent's peers.");

    /// <summary>How many agents the agent under test counts, itself included.</summary>
    public int N => others + 1;

    /// <summary>How many other agents there are; the judge plays them.</summary>
    public int Others => others;

    /// <summary>The id under which the judge plays another agent; beside real peers it is an id of its own.</summary>
    public string MemberOf(int peer) => peers is null ? $"judge{peer + 1}" : FakePeers.IdOf(peer);

    /// <summary>How many agents are a majority.</summary>
    public int Quorum => (N / 2) + 1;

    /// <summary>Whether the last step of the judge came so long after the start of the round that its window may have been over.</summary>
    public bool WindowMayBeOver { get; private set; }

    /// <summary>Sends a POST request.</summary>
    public Task<AgentReply> Post(string path, string? json = null) => SendAsync(HttpMethod.Post, path, json);

    /// <summary>Sends a GET request.</summary>
    public Task<AgentReply> Get(string path) => SendAsync(HttpMethod.Get, path, null);

    /// <summary>Waits.</summary>
    public Task Delay(int milliseconds) => Task.Delay(milliseconds, cancellation);

    /// <summary>Resets every agent, and forgets what was sent before.</summary>
    /// <param name="failures">
    /// How often this check has failed: what an agent sent before the reset may be late, and is given more time each time.
    /// </param>
    public async Task ResetAsync(int failures)
    {
        (_roundStarted, WindowMayBeOver) = (null, false);
        await ResetAllAsync();
        if (peers is null)
        {
            // Real peers may have sent a decision to an agent that was reset before them.
            await Delay(40);
            await ResetAllAsync();
        }

        await Delay(failures switch { 0 => 15, 1 => 200, _ => 1000 });
        peers?.Clear();
        _replies.Clear();
        log.Clear();
    }

    /// <summary>Starts a bare round and reads the value that the agent proposes.</summary>
    public async Task<int> EnterAsync(int round)
    {
        _roundStarted = Stopwatch.GetTimestamp();
        await Post("/new_round", $$"""{"round":{{round}}}""");
        return await MyValueAsync();
    }

    /// <summary>Starts a bare round without a look at the agent's response.</summary>
    public Task<AgentReply> NewRound(int round)
    {
        _roundStarted = Stopwatch.GetTimestamp();
        return Post("/new_round", $$"""{"round":{{round}}}""");
    }

    /// <summary>Sends a bare proposal of a fake peer.</summary>
    public Task<AgentReply> Propose(int peer, int value, int round) =>
        Post("/proposal", $$"""{"agent_id":"{{MemberOf(peer)}}","value":{{value}},"round":{{round}}}""");

    /// <summary>Reads the value that the agent proposes in its round.</summary>
    public async Task<int> MyValueAsync() =>
        (await Get("/state")).Body.Number("my_value") ?? throw new CheckFailedException("\"my_value\": a number");

    /// <summary>Reads whether the agent holds a decision; null: it holds none.</summary>
    public async Task<int?> DecisionAsync() => DecisionOf(await Get("/consensus"));

    /// <summary>Waits until the agent holds a decision.</summary>
    public async Task<int> WaitForDecisionAsync(string expected, TimeSpan? within = null)
    {
        int? value = null;
        var limit = within ?? Soon;
        return await agent.PollAsync("/consensus", reply => (value = DecisionOf(reply)) is not null, () => Delay(10), limit, cancellation)
            ? value!.Value
            : throw new CheckFailedException(
                expected, string.Create(CultureInfo.InvariantCulture, $"undecided after {limit.TotalSeconds} s"));
    }

    /// <summary>Waits until the fake peers were sent what fulfils a condition.</summary>
    public async Task<IReadOnlyList<FakeCall>> WaitForCallsAsync(
        string path, Func<IReadOnlyList<FakeCall>, bool> condition, string expected, TimeSpan? within = null)
    {
        var limit = within ?? Soon;
        return await WaitForPeersAsync(calls => condition([.. calls.Where(call => call.Path == path)]), limit)
            ? [.. Peers.Calls.Where(call => call.Path == path)]
            : throw new CheckFailedException(
                expected, string.Create(CultureInfo.InvariantCulture, $"not seen within {limit.TotalSeconds} s"));
    }

    /// <summary>Waits until the requests to the fake peers fulfil a condition.</summary>
    /// <returns>False where they did not although the agent had the time.</returns>
    public async Task<bool> WaitForPeersAsync(Func<IReadOnlyList<FakeCall>, bool> condition, TimeSpan within) =>
        condition(Peers.Calls)
        || await agent.PollAsync("/state", _ => condition(Peers.Calls), () => Peers.WaitAsync(condition, Pause), within, cancellation);

    /// <summary>A value from 1..3 other than this one.</summary>
    public static int OtherThan(int value, int step = 1) => ((value - 1 + step) % 3) + 1;

    /// <summary>Requires a condition.</summary>
    public static void Require(bool holds, string expected, string? detail = null)
    {
        if (!holds)
        {
            throw new CheckFailedException(expected, detail);
        }
    }

    private async Task ResetAllAsync()
    {
        foreach (var one in all)
        {
            await one.SendAsync(HttpMethod.Post, "/reset", null, cancellation);
        }
    }

    private async Task<AgentReply> SendAsync(HttpMethod method, string path, string? json)
    {
        var reply = await agent.SendAsync(method, path, json, cancellation);
        _replies.Add(reply);
        WindowMayBeOver = _roundStarted is { } since && Stopwatch.GetElapsedTime(since) > Window;
        return reply;
    }

    private static int? DecisionOf(AgentReply consensus) =>
        consensus.Body.Find("reached") is { ValueKind: JsonValueKind.True } ? consensus.Body.Number("value") : null;
}
