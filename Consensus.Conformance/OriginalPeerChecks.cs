namespace Consensus.Conformance;

/// <summary>The original contract between agents: the judge plays the peers.</summary>
internal static class OriginalPeerChecks
{
    /// <summary>The checks, in order. The last ones leave the agent with peers that failed.</summary>
    public static IReadOnlyList<ConformanceCheck> All { get; } =
    [
        Check("run-resets-peers", "POST /run resets every peer, and then opens the round at every peer.", RunResetsPeersAsync),
        Check("proposal-sent", "An agent that enters a round proposes its value to every peer.", async context =>
        {
            await context.EnterAsync(2);
            await context.WaitForCallsAsync(
                "/proposal", calls => AllPeers(context, calls.Where(call => IsProposal(context, call, 2))),
                $$"""POST /proposal {"agent_id":"{{context.Id}}","value":V,"round":2} at every peer""");
        }),
        Check("one-proposal", "An agent proposes the same value to all peers in one round, the my_value of GET /state.", async context =>
        {
            var mine = await context.EnterAsync(2);
            var calls = await context.WaitForCallsAsync(
                "/proposal", calls => AllPeers(context, calls.Where(call => call.Body.Number("round") == 2)),
                "POST /proposal of round 2 at every peer");
            CheckContext.Require(
                calls.Where(call => call.Body.Number("round") == 2).All(call => call.Body.Number("value") == mine),
                $"\"value\":{mine} in every POST /proposal of round 2");
        }),
        Check("minority-undecided", "Fewer equal proposals than a majority decide nothing.", async context =>
        {
            // With its own, these are one less than a majority.
            var mine = await context.EnterAsync(1);
            for (var peer = 0; peer < context.Quorum - 2; peer++)
            {
                await context.Propose(peer, mine, 1);
            }

            CheckContext.Require(await context.DecisionAsync() is null,
                $"GET /consensus: {{\"reached\":false}}; {context.Quorum} of {context.N} agents are a majority");
        }) with { InWindow = true },
        Check("senders-counted-once", "Equal proposals of one agent count once.", async context =>
        {
            var other = CheckContext.OtherThan(await context.EnterAsync(1));
            for (var i = 0; i < context.N; i++)
            {
                await context.Propose(0, other, 1);
            }

            CheckContext.Require(await context.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
        }) with { InWindow = true },
        Check("majority-decides", "As soon as a majority has proposed one value in a round, the agent decides it.", async context =>
        {
            var other = CheckContext.OtherThan(await context.EnterAsync(1));
            await ProposeAllAsync(context, other, 1);
            var decided = await context.WaitForDecisionAsync($"GET /consensus: {{\"reached\":true,\"value\":{other}}}");
            CheckContext.Require(decided == other, $"GET /consensus: {{\"reached\":true,\"value\":{other}}}");
        }),
        Check("decision-kept", "Later proposals do not change a decision.", async context =>
        {
            var first = CheckContext.OtherThan(await context.EnterAsync(1));
            await ProposeAllAsync(context, first, 1);
            await context.WaitForDecisionAsync("a decision");
            await ProposeAllAsync(context, CheckContext.OtherThan(first), 1);
            var now = await context.DecisionAsync();
            CheckContext.Require(now == first, $"GET /consensus: {{\"reached\":true,\"value\":{first}}}");
        }),
        Check("final-sent", "An agent that decides by counting sends POST /final to every peer.", async context =>
        {
            var other = CheckContext.OtherThan(await context.EnterAsync(1));
            await ProposeAllAsync(context, other, 1);
            await context.WaitForCallsAsync(
                "/final",
                calls => AllPeers(context, calls.Where(call => call.Body.Number("value") == other && call.Body.Number("round") == 1)),
                $$"""POST /final {"value":{{other}},"round":1} at every peer""");
        }),
        Check("next-round-opened",
            "When the window closes undecided, the agent opens the next round at every peer and enters it.", async context =>
            {
                await context.Post("/new_round", """{"round":1}""");
                await context.WaitForCallsAsync(
                    "/new_round", calls => AllPeers(context, calls.Where(call => call.Body.Number("round") == 2)),
                    """POST /new_round {"round":2} at every peer""");
            }),
        Check("silent-peer-tolerated", "An agent decides with a majority although a peer fails.", async context =>
        {
            context.Peers.Override = call => call.Peer == context.Peers.Count - 1 ? FakeAnswer.None : null;
            var mine = await context.EnterAsync(1);
            for (var peer = 0; peer < context.Quorum - 1; peer++)
            {
                await context.Propose(peer, mine, 1);
            }

            await context.WaitForDecisionAsync("GET /consensus: {\"reached\":true}");
        }),
    ];

    private static ConformanceCheck Check(string id, string sentence, Func<CheckContext, Task> body) =>
        new(id, ConformanceLevel.Original, sentence, body, NeedsPeers: true);

    private static async Task ProposeAllAsync(CheckContext context, int value, int round)
    {
        for (var peer = 0; peer < context.Peers.Count; peer++)
        {
            await context.Propose(peer, value, round);
        }
    }

    private static bool IsProposal(CheckContext context, FakeCall call, int round) =>
        call.Body.Text("agent_id") == context.Id && call.Body.Number("value") is not null && call.Body.Number("round") == round;

    private static bool AllPeers(CheckContext context, IEnumerable<FakeCall> calls) =>
        calls.Select(call => call.Peer).Distinct().Count() == context.Peers.Count;

    private static async Task RunResetsPeersAsync(CheckContext context)
    {
        await context.Post("/run", """{"round":3}""");
        await context.WaitForCallsAsync(
            "/new_round", calls => AllPeers(context, calls.Where(call => call.Body.Number("round") == 3)),
            """POST /new_round {"round":3} at every peer""");
        var calls = context.Peers.Calls.ToList();
        for (var peer = 0; peer < context.Peers.Count; peer++)
        {
            var own = calls.FindAll(call => call.Peer == peer);
            var reset = own.FindIndex(call => call.Path == "/reset");
            CheckContext.Require(reset >= 0 && reset < own.FindIndex(call => call.Path == "/new_round"),
                $"POST /reset before POST /new_round at {FakePeers.IdOf(peer)}");
        }
    }
}
