using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Consensus.Agent.Conformance;

/// <summary>One check: what a conforming agent does, and how to find out.</summary>
/// <param name="Id">Its name, in kebab case.</param>
/// <param name="Level">The level that it belongs to.</param>
/// <param name="Sentence">What a conforming agent does.</param>
/// <param name="Body">Finds out; throws <see cref="CheckFailedException"/> where the agent does something else.</param>
/// <param name="NeedsPeers">Whether the judge must play the agent's peers.</param>
/// <param name="Fresh">Whether it takes a process that has not met its peers yet.</param>
internal sealed record ConformanceCheck(
    string Id, ConformanceLevel Level, string Sentence, Func<TestBench, Task> Body, bool NeedsPeers = false, bool Fresh = false);

/// <summary>One agent under test, and the judge's means: HTTP requests, and fake peers where the judge started the agent.</summary>
/// <param name="agent">The agent.</param>
/// <param name="all">All agents that are reset before a check.</param>
/// <param name="peers">The agent's peers, where the judge plays them; null: it has peers of its own.</param>
/// <param name="others">How many other agents there are.</param>
/// <param name="log">The exchanges.</param>
/// <param name="cancellation">Ends it.</param>
internal sealed partial class TestBench(AgentConnection agent, IReadOnlyList<AgentConnection> all, FakePeers? peers, int others, ExchangeLog log, CancellationToken cancellation)
{
    /// <summary>Long enough for anything that an agent does at once, also on a busy machine.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    /// <summary>The original's window.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(200);
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
    public async Task ResetAsync()
    {
        (_roundStarted, WindowMayBeOver) = (null, false);
        await ResetAllAsync();

        // What an agent sent before the reset may still be on its way; real peers may even have told a decision to an agent that was reset.
        await Delay(peers is null ? 100 : 20);
        if (peers is null)
        {
            await ResetAllAsync();
        }

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
    public async Task<int> MyValueAsync() => (await Get("/state")).Body.Number("my_value") ?? throw new CheckFailedException("\"my_value\": a number");

    /// <summary>Reads whether the agent holds a decision; null: it holds none.</summary>
    public async Task<int?> DecisionAsync() => DecisionOf(await Get("/consensus"));

    /// <summary>Waits until the agent holds a decision.</summary>
    public async Task<int> WaitForDecisionAsync(string expected)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Soon;)
        {
            if (DecisionOf(await agent.SendAsync(HttpMethod.Get, "/consensus", null, cancellation)) is { } value)
            {
                return value;
            }

            await Delay(10);
        }

        throw new CheckFailedException(expected, "undecided after " + Soon.TotalSeconds.ToString(CultureInfo.InvariantCulture) + " s");
    }

    /// <summary>Waits until the fake peers were sent what fulfils a condition.</summary>
    public async Task<IReadOnlyList<FakeCall>> WaitForCallsAsync(string path, Func<IReadOnlyList<FakeCall>, bool> condition, string expected)
    {
        if (!await Peers.WaitAsync(calls => condition([.. calls.Where(call => call.Path == path)]), Soon))
        {
            throw new CheckFailedException(expected, $"not seen within {Soon.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s");
        }

        return [.. Peers.Calls.Where(call => call.Path == path)];
    }

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
        WindowMayBeOver = _roundStarted is { } since && Stopwatch.GetElapsedTime(since) > Window / 2;
        return reply;
    }

    private static int? DecisionOf(AgentReply consensus) =>
        consensus.Body.Find("reached") is { ValueKind: JsonValueKind.True } ? consensus.Body.Number("value") : null;
}
