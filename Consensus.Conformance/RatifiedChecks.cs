using System.Text.Json;

namespace Consensus.Conformance;

/// <summary>The ratified rule, with the judge as all other members of a run.</summary>
internal static class RatifiedChecks
{
    /// <summary>The checks, in order.</summary>
    public static IReadOnlyList<ConformanceCheck> All { get; } =
    [
        Check("votes-for-quorum", "An agent that knows a majority of equal proposals votes for that value.", async (context, run) =>
        {
            var mine = await context.MyValueAsync();
            await ProposeAllAsync(context, run, [.. Enumerable.Repeat(mine, context.Quorum - 1)]);
            await context.WaitForAsync(run, sent => sent.IsVote && sent.Value == mine && sent.Round == 1, $"a vote for {mine} in round 1");
        }),
        Check("votes-for-none", "An agent that knows all proposals, and no majority of equal ones, votes for none.", async (context, run) =>
        {
            var mine = await context.MyValueAsync();
            await ProposeAllAsync(context, run, CheckContext.OtherThan(mine), CheckContext.OtherThan(mine, 2),
                CheckContext.OtherThan(mine));
            await context.WaitForAsync(run, sent => sent is { IsVote: true, Value: null, Round: 1 }, "a vote with value null in round 1");
        }),
        Check("vote-repeats-proposal", "A vote repeats its sender's proposal of the round.", async (context, run) =>
        {
            var mine = await context.MyValueAsync();
            await ProposeAllAsync(context, run, 2, 2, 2);
            var vote = await context.WaitForAsync(run, sent => sent is { IsVote: true, Round: 1 }, "a vote in round 1");
            CheckContext.Require(vote.Proposal == mine, $"a vote with \"proposal\":{mine}");
        }),
        Check("one-vote", "An agent sends one vote and one proposal a round, the same to all.", async (context, run) =>
        {
            await ProposeAllAsync(context, run, 2, 2, 2);
            await context.WaitForAsync(run, sent => sent.IsVote, "a vote in round 1");
            await context.Vote(run, 0, null, 2);

            // Long enough for a repetition.
            await context.WaitForPeersAsync(
                _ => context.Sent(run).Count(sent => sent is { IsVote: true, Peer: >= 0 }) >= 6, TimeSpan.FromSeconds(1));
            var sent = context.Sent(run).Where(one => one.Round == 1).ToList();
            CheckContext.Require(
                sent.Where(one => one.IsVote).Select(one => one.Value).Distinct().Count() == 1, "the same value in every vote of round 1");
            CheckContext.Require(sent.Select(one => one.IsVote ? one.Proposal : one.Value).Distinct().Count() == 1,
                "the same proposal in every message of round 1");
        }, peers: true),
        Check("vote-quorum-decides", "A majority of votes for one value decides it.", async (context, run) =>
        {
            var mine = await context.MyValueAsync();
            await ProposeAllAsync(context, run, [.. Enumerable.Repeat(mine, context.Quorum - 1)]);
            for (var peer = 0; peer < context.Quorum - 1; peer++)
            {
                await context.Vote(run, peer, mine, mine);
            }

            var expected = $"GET /consensus: {{\"reached\":true,\"value\":{mine}}}";
            CheckContext.Require(await context.WaitForDecisionAsync(expected) == mine, expected);
        }),
        Check("fewer-votes-undecided", "Fewer votes for a value than a majority decide nothing.", async (context, run) =>
        {
            // With its own, the votes for 2 are one less than a majority. The others vote for none.
            await ProposeAllAsync(context, run, 2, 2, 2);
            await context.Vote(run, 0, 2, 2);
            for (var peer = 1; peer < context.Others; peer++)
            {
                await context.Vote(run, peer, null, 2);
            }

            // The next round shows that it has counted them.
            await context.WaitForAsync(run, sent => sent.Round == 2, "a proposal in round 2");
            CheckContext.Require(await context.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
        }, peers: true),
        Check("voted-value-adopted", "After a vote for a value and no decision, "
            + "the agent proposes that value in the next round, without a new draw.", AdoptionAsync, peers: true),
        Check("draws-again", "After votes for none, the agent draws for the next round and counts an attempt.", async (context, run) =>
        {
            await NobodyVotesAsync(context, run);
            await context.WaitForAsync(run, sent => sent is { IsVote: false, Round: 2 }, "a proposal in round 2");
            (await context.Get("/state")).Expect(200, ("round", "2"), ("attempts", "2"));
        }),
        Check("later-round-copied",
            "A proposal of a later round makes the agent propose the same value there, without a draw.", async (context, run) =>
            {
                for (var round = 3; round <= 8; round++)
                {
                    var value = (round % 3) + 1;
                    await context.Propose(run, 0, value, round);
                    var copied = await context.WaitForAsync(run, sent => sent.Round == round, $"a proposal in round {round}");
                    CheckContext.Require((copied.IsVote ? copied.Proposal : copied.Value) == value,
                        $"a proposal of {value} in round {round}");
                }

                (await context.Get("/state")).Expect(200, ("attempts", "1"));
            }),
        Check("older-round-mismatch",
            "A proposal of an older round is ignored as round-mismatch, with the agent's current round and proposal.",
            async (context, run) =>
            {
                await context.Propose(run, 0, 2, 3);
                var reply = (await context.Propose(run, 1, 1))
                    .Expect(200, ("status", "\"ignored\""), ("reason", "\"round-mismatch\""), ("current_round", "3"));
                CheckContext.Require(reply.Body.Find("proposal")?.Number("round") == 3, "\"proposal\" with \"round\":3");
            }, peers: true),
        Check("second-proposal-refused",
            "A second, different proposal of one agent in one round is refused with 409.", async (context, run) =>
            {
                await context.Propose(run, 0, 2);
                (await context.Propose(run, 0, 3)).Expect(409);
            }),
        Check("second-vote-refused", "A second, different vote of one agent in one round is refused with 409.", async (context, run) =>
        {
            await context.Vote(run, 0, null, 2);
            (await context.Vote(run, 0, 2, 2)).Expect(409);
        }, peers: true),
        Check("repeats-itself", "An undecided agent repeats its proposal when the round does not move.", async (context, _) =>
        {
            var run = context.DescribeRun(windowMs: 100);
            await context.Open(run);
            CheckContext.Require(
                await context.WaitForPeersAsync(_ => context.Sent(run).Count(sent => sent is { IsVote: false, Peer: 0 }) >= 2,
                    CheckContext.Later),
                "the same POST /proposal twice at agent2");
        }, peers: true),
        Check("decision-in-answers", "Every answer of a decided agent to a message of the run carries the decision.",
            async (context, run) =>
            {
                await context.Final(run, 2);
                var decision = $$"""{"value":2,"round":1,"run":"{{run.Id}}"}""";
                (await context.Open(run, 2)).Expect(409, ("reason", "\"already-decided\""), ("decision", decision));
                (await context.Propose(run, 0, 1)).Expect(200, ("reason", "\"already-decided\""), ("decision", decision));
                (await context.Vote(run, 0, null, 1)).Expect(200, ("reason", "\"already-decided\""), ("decision", decision));
                (await context.Final(run, 2)).Expect(200, ("status", "\"ack\""), ("decision", decision));
            }),
        Check("other-final-refused",
            "A decision with another value than the agent's own is refused with 409 and the own decision.", async (context, run) =>
            {
                await context.Final(run, 2);
                var reply = (await context.Final(run, 3)).Expect(409);
                CheckContext.Require(reply.Body.Find("decision")?.Number("value") == 2, "\"decision\" with \"value\":2");
                CheckContext.Require(await context.DecisionAsync() == 2, "GET /consensus: {\"reached\":true,\"value\":2}");
            }),
        Check("final-until-acknowledged",
            "A decided agent sends its decision to each peer until that peer acknowledges it.", async (context, run) =>
            {
                var refused = 0;
                context.Peers.Override = call =>
                    call.Path == "/final" && call.Peer == 2 && Interlocked.Increment(ref refused) == 1 ? new FakeAnswer(503, "{}") : null;
                await ProposeAllAsync(context, run, 2, 2, 2);
                await context.Vote(run, 0, 2, 2);
                await context.Vote(run, 1, 2, 2);
                await context.WaitForCallsAsync(
                    "/final", calls => calls.Count(call => call.Run == run.Id && call.Peer == 2 && call.Body.Number("value") == 2) >= 2,
                    "POST /final at agent4 again, after agent4 answered 503", CheckContext.Later);
            }, peers: true),
        Check("asks-for-the-decision",
            "An agent without a decision asks its peers' state, and takes the decision from there.", async (context, run) =>
            {
                var decided = FakeAnswer.Ok(
                    $$"""{"agent_id":"agent2","boot":"b2","agents":{{context.N}},"floor":"{{run.Id}}","run":"{{run.Id}}","decision":"""
                    + $$"""{"value":3,"round":1,"run":"{{run.Id}}"},"descriptor":{{run.Json}},"round":1,"my_value":3,"proposals":"""
                    + """{},"attempts":1,"consensus_value":3,"consensus_round":1}""");
                context.Peers.Override = call => call.Path == "/state" && call.Peer == 0 ? decided : null;
                CheckContext.Require(
                    await context.WaitForDecisionAsync("GET /consensus: {\"reached\":true,\"value\":3}", CheckContext.Later) == 3,
                    "GET /consensus: {\"reached\":true,\"value\":3}");
            }, peers: true),
    ];

    private static ConformanceCheck Check(string id, string sentence, Func<CheckContext, TestRun, Task> body, bool peers = false) =>
        new(id, ConformanceLevel.Ratified, sentence, async context =>
        {
            await context.IntroduceAsync();
            var run = context.DescribeRun();
            await context.Open(run);
            await body(context, run);
        }, NeedsPeers: peers);

    private static async Task ProposeAllAsync(CheckContext context, TestRun run, params int[] values)
    {
        for (var peer = 0; peer < Math.Min(values.Length, context.Others); peer++)
        {
            await context.Propose(run, peer, values[peer]);
        }
    }

    /// <summary>Ends round 1 with votes for none.</summary>
    private static async Task NobodyVotesAsync(CheckContext context, TestRun run)
    {
        var mine = await context.MyValueAsync();
        int[] values = [CheckContext.OtherThan(mine), CheckContext.OtherThan(mine, 2), CheckContext.OtherThan(mine)];
        await ProposeAllAsync(context, run, values);
        for (var peer = 0; peer < Math.Min(values.Length, context.Others); peer++)
        {
            await context.Vote(run, peer, null, values[peer]);
        }
    }

    private static async Task AdoptionAsync(CheckContext context, TestRun run)
    {
        for (var repetition = 0; repetition < 4; repetition++)
        {
            var current = repetition == 0 ? run : context.DescribeRun();
            if (repetition > 0)
            {
                await context.Open(current);
            }

            // The agent knows three of four proposals, without a majority; a fourth, unseen by it, made agent2 vote.
            var mine = await context.MyValueAsync();
            var voted = CheckContext.OtherThan(mine);
            int[] values = [voted, voted, CheckContext.OtherThan(mine, 2)];
            await ProposeAllAsync(context, current, values);
            await context.Vote(current, 0, voted, voted);
            await context.Vote(current, 1, null, voted);
            await context.Vote(current, 2, null, values[2]);
            var next = await context.WaitForAsync(current, sent => sent.Round == 2, "a proposal in round 2");
            CheckContext.Require((next.IsVote ? next.Proposal : next.Value) == voted, $"a proposal of {voted} in round 2");
            (await context.Get("/state")).Expect(200, ("attempts", "1"));
        }
    }
}
