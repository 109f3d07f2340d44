namespace Consensus.Conformance;

/// <summary>The original contract between agents: the judge plays the peers.</summary>
internal static class OriginalPeerChecks
{
    /// <summary>The checks, in order. The last ones leave the agent with peers that failed.</summary>
    public static IReadOnlyList<ConformanceCheck> All { get; } =
    [
        Check("run-resets-peers", "POST /run resets every peer, and then opens the round at every peer.", RunResetsPeersAsync),
        Check("proposal-sent", "An agent that enters a round proposes its value to every peer.", async bench =>
        {
            await bench.EnterAsync(2);
            await bench.WaitForCallsAsync(
                "/proposal", calls => AllPeers(bench, calls.Where(call => IsProposal(bench, call, 2))),
                $$"""POST /proposal {"agent_id":"{{bench.Id}}","value":V,"round":2} at every peer""");
        }),
        Check("one-proposal", "An agent proposes the same value to all peers in one round, the my_value of GET /state.", async bench =>
        {
            var mine = await bench.EnterAsync(2);
            var calls = await bench.WaitForCallsAsync(
                "/proposal", calls => AllPeers(bench, calls.Where(call => call.Body.Number("round") == 2)),
                "POST /proposal of round 2 at every peer");
            TestBench.Require(
                calls.Where(call => call.Body.Number("round") == 2).All(call => call.Body.Number("value") == mine),
                $"\"value\":{mine} in every POST /proposal of round 2");
        }),
        Check("minority-undecided", "Fewer equal proposals than a majority decide nothing.", async bench =>
        {
            // With its own, these are one less than a majority.
            var mine = await bench.EnterAsync(1);
            for (var peer = 0; peer < bench.Quorum - 2; peer++)
            {
                await bench.Propose(peer, mine, 1);
            }

            TestBench.Require(await bench.DecisionAsync() is null,
                $"GET /consensus: {{\"reached\":false}}; {bench.Quorum} of {bench.N} agents are a majority");
        }) with { InWindow = true },
        Check("senders-counted-once", "Equal proposals of one agent count once.", async bench =>
        {
            var other = TestBench.OtherThan(await bench.EnterAsync(1));
            for (var i = 0; i < bench.N; i++)
            {
                await bench.Propose(0, other, 1);
            }

            TestBench.Require(await bench.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
        }) with { InWindow = true },
        Check("majority-decides", "As soon as a majority has proposed one value in a round, the agent decides it.", async bench =>
        {
            var other = TestBench.OtherThan(await bench.EnterAsync(1));
            await ProposeAllAsync(bench, other, 1);
            var decided = await bench.WaitForDecisionAsync($"GET /consensus: {{\"reached\":true,\"value\":{other}}}");
            TestBench.Require(decided == other, $"GET /consensus: {{\"reached\":true,\"value\":{other}}}");
        }),
        Check("decision-kept", "Later proposals do not change a decision.", async bench =>
        {
            var first = TestBench.OtherThan(await bench.EnterAsync(1));
            await ProposeAllAsync(bench, first, 1);
            await bench.WaitForDecisionAsync("a decision");
            await ProposeAllAsync(bench, TestBench.OtherThan(first), 1);
            var now = await bench.DecisionAsync();
            TestBench.Require(now == first, $"GET /consensus: {{\"reached\":true,\"value\":{first}}}");
        }),
        Check("final-sent", "An agent that decides by counting sends POST /final to every peer.", async bench =>
        {
            var other = TestBench.OtherThan(await bench.EnterAsync(1));
            await ProposeAllAsync(bench, other, 1);
            await bench.WaitForCallsAsync(
                "/final",
                calls => AllPeers(bench, calls.Where(call => call.Body.Number("value") == other && call.Body.Number("round") == 1)),
                $$"""POST /final {"value":{{other}},"round":1} at every peer""");
        }),
        Check("next-round-opened",
            "When the window closes undecided, the agent opens the next round at every peer and enters it.", async bench =>
            {
                await bench.Post("/new_round", """{"round":1}""");
                await bench.WaitForCallsAsync("/new_round", calls => AllPeers(bench, calls.Where(call => call.Body.Number("round") == 2)),
                    """POST /new_round {"round":2} at every peer""");
            }),
        Check("silent-peer-tolerated", "An agent decides with a majority although a peer fails.", async bench =>
        {
            bench.Peers.Override = call => call.Peer == bench.Peers.Count - 1 ? FakeAnswer.None : null;
            var mine = await bench.EnterAsync(1);
            for (var peer = 0; peer < bench.Quorum - 1; peer++)
            {
                await bench.Propose(peer, mine, 1);
            }

            await bench.WaitForDecisionAsync("GET /consensus: {\"reached\":true}");
        }),
    ];

    private static ConformanceCheck Check(string id, string sentence, Func<TestBench, Task> body) =>
        new(id, ConformanceLevel.Original, sentence, body, NeedsPeers: true);

    private static async Task ProposeAllAsync(TestBench bench, int value, int round)
    {
        for (var peer = 0; peer < bench.Peers.Count; peer++)
        {
            await bench.Propose(peer, value, round);
        }
    }

    private static bool IsProposal(TestBench bench, FakeCall call, int round) =>
        call.Body.Text("agent_id") == bench.Id && call.Body.Number("value") is not null && call.Body.Number("round") == round;

    private static bool AllPeers(TestBench bench, IEnumerable<FakeCall> calls) =>
        calls.Select(call => call.Peer).Distinct().Count() == bench.Peers.Count;

    private static async Task RunResetsPeersAsync(TestBench bench)
    {
        await bench.Post("/run", """{"round":3}""");
        await bench.WaitForCallsAsync(
            "/new_round", calls => AllPeers(bench, calls.Where(call => call.Body.Number("round") == 3)),
            """POST /new_round {"round":3} at every peer""");
        var calls = bench.Peers.Calls.ToList();
        for (var peer = 0; peer < bench.Peers.Count; peer++)
        {
            var own = calls.FindAll(call => call.Peer == peer);
            var reset = own.FindIndex(call => call.Path == "/reset");
            TestBench.Require(reset >= 0 && reset < own.FindIndex(call => call.Path == "/new_round"),
                $"POST /reset before POST /new_round at {FakePeers.IdOf(peer)}");
        }
    }
}
