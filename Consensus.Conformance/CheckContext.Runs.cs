using System.Globalization;
using System.Text.Json;

namespace Consensus.Conformance;

/// <summary>What an agent sent in a run: a proposal, or a vote with the proposal that it repeats.</summary>
/// <param name="IsVote">Whether it is a vote.</param>
/// <param name="Value">The proposed value, or the value voted for; null: a vote for none.</param>
/// <param name="Proposal">The proposal that a vote repeats.</param>
/// <param name="Round">The round.</param>
/// <param name="Peer">The fake peer that it was sent to; -1: it came in a response.</param>
internal sealed record SentValue(bool IsVote, int? Value, int? Proposal, int Round, int Peer);

/// <summary>Runs that describe themselves, with the judge as the other members.</summary>
internal sealed partial class CheckContext
{
    // No window of this length ends within a check.
    private const int LongWindow = 60_000;
    private static int _lastRun = 1000;

    /// <summary>The boot of the agent under test, from its own response.</summary>
    public string Boot { get; private set; } = "";

    /// <summary>A run number above all before; gaps leave room for runs that the agent names.</summary>
    public static int NextRunNumber() => Interlocked.Add(ref _lastRun, 100);

    /// <summary>Reads the agent's boot, and starts a check of runs: nothing of an earlier run is left.</summary>
    public async Task IntroduceAsync()
    {
        if (peers is not null)
        {
            peers.Described = true;
        }

        Boot = (await Post("/reset", """{"handshake":true}""")).Body.Text("boot") ?? throw new CheckFailedException("\"boot\": a text");
    }

    /// <summary>A new run of all members, started by agent2.</summary>
    /// <param name="myBoot">The agent's boot as the run names it; null: its own.</param>
    /// <param name="startRound">The round it begins with.</param>
    /// <param name="windowMs">The window.</param>
    /// <param name="without">The fake peer that is no member; -1: none.</param>
    /// <param name="number">The run's number; null: above all before.</param>
    /// <param name="n">How many agents the run counts; null: as many as the agent.</param>
    public TestRun DescribeRun(
        string? myBoot = null, int startRound = 1, int windowMs = LongWindow, int without = -1, int? number = null, int? n = null)
    {
        var id = $"{number ?? NextRunNumber()}.{MemberOf(0)}.{FakePeers.BootOf(0)}";
        var members = Enumerable.Range(0, others).Where(peer => peer != without)
            .Select(peer => $"\"{MemberOf(peer)}\":\"{FakePeers.BootOf(peer)}\"");
        return new TestRun(id, $$"""
            {"id":"{{id}}","n":{{n ?? N}},"start_round":{{startRound}},"rule":"ratified","values":3,"draw":"fresh",
            """ + $"\"window_ms\":{windowMs},\"members\":{{\"{Id}\":\"{myBoot ?? Boot}\",{string.Join(',', members)}}}}}");
    }

    /// <summary>Opens a round of a run.</summary>
    public Task<AgentReply> Open(TestRun run, int round = 1) => Post("/new_round", $$"""{"round":{{round}},"run":{{run.Json}}}""");

    /// <summary>Sends a fake peer's proposal in a run.</summary>
    public Task<AgentReply> Propose(TestRun run, int peer, int value, int round = 1) =>
        Post("/proposal", $$"""{"agent_id":"{{MemberOf(peer)}}","value":{{value}},"round":{{round}},"run":{{run.Json}}}""");

    /// <summary>Sends a fake peer's vote in a run.</summary>
    public Task<AgentReply> Vote(TestRun run, int peer, int? value, int proposal, int round = 1)
    {
        var voted = value?.ToString(CultureInfo.InvariantCulture) ?? "null";
        return Post(
            "/vote",
            $$"""{"agent_id":"{{MemberOf(peer)}}","value":{{voted}},"proposal":{{proposal}},"round":{{round}},"run":{{run.Json}}}""");
    }

    /// <summary>Sends a decision of a run.</summary>
    public Task<AgentReply> Final(TestRun run, int value, int round = 1) =>
        Post("/final", $$"""{"value":{{value}},"round":{{round}},"run":{{run.Json}}}""");

    /// <summary>Waits until the agent has sent a proposal or vote that fulfils a condition, in a request or in a response.</summary>
    public async Task<SentValue> WaitForAsync(TestRun run, Func<SentValue, bool> condition, string expected)
    {
        if (peers is not null)
        {
            await WaitForPeersAsync(calls => SentIn(run, calls).Any(condition), Soon);
        }

        return Sent(run).FirstOrDefault(condition) ?? throw new CheckFailedException(
            expected, string.Create(CultureInfo.InvariantCulture, $"not sent within {Soon.TotalSeconds} s"));
    }

    /// <summary>All proposals and votes of the agent in a run so far.</summary>
    public IReadOnlyList<SentValue> Sent(TestRun run) => [.. SentIn(run, peers?.Calls ?? [])];

    private IEnumerable<SentValue> SentIn(TestRun run, IReadOnlyList<FakeCall> calls) =>
        calls.Where(call => call.Run == run.Id && call.Body.Text("agent_id") == Id)
            .SelectMany(call => Read(call.Path, call.Body, call.Peer))
            .Concat(_replies.Where(reply => reply.Body.Text("run") == run.Id).SelectMany(reply =>
                (reply.Body.Find("proposal") is { } proposal ? Read("/proposal", proposal, -1) : [])
                .Concat(reply.Body.Find("vote") is { } vote ? Read("/vote", vote, -1) : [])));

    private static IEnumerable<SentValue> Read(string path, JsonElement body, int peer) => path switch
    {
        "/vote" when body.Number("proposal") is { } proposal =>
            [new(true, body.Number("value"), proposal, body.Number("round") ?? 0, peer)],
        "/proposal" or "/new_round" when body.Number("value") is { } value => [new(false, value, null, body.Number("round") ?? 0, peer)],
        _ => [],
    };
}

/// <summary>A run that the judge describes.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Json">Its descriptor as JSON.</param>
internal sealed record TestRun(string Id, string Json);
