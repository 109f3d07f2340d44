using System.Text.Json;

namespace Consensus.Conformance;

/// <summary>Runs that describe themselves: how an agent introduces itself, starts a run and joins one.</summary>
internal static class DescribedChecks
{
    /// <summary>The checks, in order. The last ones leave the agent with peers that failed.</summary>
    public static IReadOnlyList<ConformanceCheck> All { get; } =
    [
        Check("handshake-introduces", "POST /reset with handshake answers with agent_id, boot and the number of agents.", async context =>
        {
            var reply = (await context.Post("/reset", """{"handshake":true}"""))
                .Expect(200, ("status", "\"reset\""), ("agent_id", $"\"{context.Id}\""), ("agents", $"{context.N}"));
            CheckContext.Require(reply.Body.Text("boot") is { Length: > 0 }, "\"boot\": a text");
        }),
        Check("handshake-keeps-run", "A handshake clears nothing.", async context =>
        {
            await context.Post("/final", """{"value":2,"round":1}""");
            await context.Post("/reset", """{"handshake":true}""");
            CheckContext.Require(await context.DecisionAsync() == 2, "GET /consensus: {\"reached\":true,\"value\":2}");
        }),
        Check("run-named-above-floors",
            "POST /run names the run one above the highest floor, and describes it at every peer.", RunNamedAsync, peers: true),
        Check("run-answer", "POST /run answers with the run, its rule, its members and who is missing.", async context =>
        {
            await context.IntroduceAsync();
            var reply = (await context.Post("/run", """{"window_ms":1000}"""))
                .Expect(200, ("status", "\"triggered\""), ("rule", "\"ratified\""), ("missing", "[]"));
            CheckContext.Require(reply.Body.Text("run") is not null && reply.Body.Find("members")?.Text(context.Id) == context.Boot,
                "\"run\": an id, \"members\": every agent with its boot");
        }),
        Check("same-id-refused", "POST /run is refused with 409 where two peers have one id, and nothing is started.", async context =>
        {
            await context.IntroduceAsync();
            context.Peers.Override = call => IsHandshake(call) ? AnswerHandshake("agent9", call, context.N) : null;
            (await context.Post("/run")).Expect(409);
            CheckContext.Require(context.Peers.Calls.All(call => call.Path != "/new_round"), "no POST /new_round");
        }, fresh: true),
        Check("cluster-size-refused",
            "POST /run is refused with 409, reason cluster-size, where a peer counts another number of agents.", async context =>
            {
                await context.IntroduceAsync();
                context.Peers.Override = call => IsHandshake(call)
                    ? AnswerHandshake(FakePeers.IdOf(call.Peer), call, context.N + (call.Peer == 0 ? 1 : 0)) : null;
                (await context.Post("/run")).Expect(409, ("reason", "\"cluster-size\""));
            }, fresh: true),
        Check("original-peer-falls-back", "With a peer that has no boot, POST /run starts a bare classic run; "
            + "asked for the ratified rule, it is refused with 409.", async context =>
            {
                await context.IntroduceAsync();
                context.Peers.Override = call => IsHandshake(call) && call.Peer == 0 ? FakeAnswer.Ok("""{"status":"reset"}""") : null;
                (await context.Post("/run", """{"rule":"ratified"}""")).Expect(409);
                (await context.Post("/run")).Expect(200, ("rule", "\"classic\""));
                await context.WaitForCallsAsync("/new_round", calls => calls.Any(call => call.Run is null),
                    "POST /new_round without a run");
            }, fresh: true),
        Check("newer-run-joined", "A message of a newer run makes the agent join it and start its round.", async context =>
        {
            await context.IntroduceAsync();
            var (first, second) = (context.DescribeRun(), context.DescribeRun());
            (await context.Open(first)).Expect(200, ("status", "\"started\""), ("round", "1"), ("run", $"\"{first.Id}\""));
            (await context.Open(second)).Expect(200, ("status", "\"started\""), ("round", "1"), ("run", $"\"{second.Id}\""));
        }),
        Check("older-run-stale", "A message of an older run is ignored as stale-run, with the floor in the answer.", async context =>
        {
            await context.IntroduceAsync();
            var (first, second) = (context.DescribeRun(), context.DescribeRun());
            await context.Open(second);
            (await context.Open(first)).Expect(200, ("status", "\"ignored\""), ("reason", "\"stale-run\""), ("floor", $"\"{second.Id}\""));
        }),
        Check("old-final-ignored", "A decision of an older run decides nothing.", async context =>
        {
            await context.IntroduceAsync();
            var (first, second) = (context.DescribeRun(), context.DescribeRun());
            await context.Open(second);
            await context.Final(first, 2);
            CheckContext.Require(await context.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
        }),
        Check("floor-survives-reset", "After POST /reset the runs seen so far are still stale, their decisions included.", async context =>
        {
            await context.IntroduceAsync();
            var run = context.DescribeRun();
            await context.Open(run);
            await context.Post("/reset");
            (await context.Final(run, 2)).Expect(200, ("status", "\"ignored\""), ("reason", "\"stale-run\""), ("floor", $"\"{run.Id}\""));
            CheckContext.Require(await context.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
        }),
        Check("other-boot-learns",
            "An agent whose boot the run does not name proposes and votes nothing, answers learner, and takes the decision.",
            async context =>
            {
                await context.IntroduceAsync();
                var run = context.DescribeRun(myBoot: "earlier");
                (await context.Open(run)).Expect(200, ("status", "\"ok\""), ("learner", "true"), ("boot", $"\"{context.Boot}\""));
                for (var peer = 0; peer < context.Others; peer++)
                {
                    await context.Propose(run, peer, 2);
                }

                await context.Delay(100);
                CheckContext.Require(context.Sent(run).Count == 0, "no proposal and no vote in this run");
                await context.Final(run, 2);
                CheckContext.Require(await context.DecisionAsync() == 2, "GET /consensus: {\"reached\":true,\"value\":2}");
            }),
        Check("other-size-learns",
            "An agent that counts another number of agents than the run is a learner, reason cluster-size.", async context =>
            {
                await context.IntroduceAsync();
                (await context.Open(context.DescribeRun(n: context.N + 1)))
                    .Expect(200, ("learner", "true"), ("reason", "\"cluster-size\""));
            }),
        Check("strangers-ignored", "Proposals of agents that are no members change nothing, for the reason not-a-member.", async context =>
        {
            await context.IntroduceAsync();
            var run = context.DescribeRun(without: 1);
            await context.Open(run);
            var reply = await context.Propose(run, 1, 1);
            CheckContext.Require(reply.Body.Text("reason") == "not-a-member", "\"reason\":\"not-a-member\"");
            CheckContext.Require((await context.Get("/state")).Body.Find("proposals")?.Find(context.MemberOf(1)) is null,
                $"no proposal of {context.MemberOf(1)} in GET /state");
        }),
        Check("later-round-not-drawn", "POST /new_round of a later round introduces the run and causes no draw.", async context =>
        {
            await context.IntroduceAsync();
            var run = context.DescribeRun();
            await context.Open(run, 4);
            (await context.Get("/state")).Expect(200, ("my_value", "null"), ("run", $"\"{run.Id}\""));
        }),
        Check("bare-ignored-in-run", "While the agent is in a run, bare messages get round-mismatch and change nothing.", async context =>
        {
            await context.IntroduceAsync();
            await context.Open(context.DescribeRun());
            (await context.Propose(0, 2, 1)).Expect(200, ("status", "\"ignored\""), ("reason", "\"round-mismatch\""));
            (await context.Post("/final", """{"value":2,"round":1}""")).Expect(200, ("reason", "\"round-mismatch\""));
            CheckContext.Require(await context.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
        }),
        Check("too-few-refused", "POST /run with fewer than a majority answers 503, problem+json, and starts nothing.", async context =>
        {
            await context.IntroduceAsync();
            context.Peers.Override = call => call.Peer > 0 ? FakeAnswer.None : null;
            var reply = (await context.Post("/run")).Expect(503);
            CheckContext.Require(reply.MediaType == "application/problem+json", "content type application/problem+json");
            (await context.Get("/state")).Expect(200, ("my_value", "null"));
        }, fresh: true),
    ];

    private static ConformanceCheck Check(
        string id, string sentence, Func<CheckContext, Task> body, bool fresh = false, bool peers = false) =>
        new(id, ConformanceLevel.Described, sentence, body, NeedsPeers: peers || fresh, Fresh: fresh);

    private static bool IsHandshake(FakeCall call) =>
        call.Path == "/reset" && call.Body.Find("handshake") is { ValueKind: JsonValueKind.True };

    private static FakeAnswer AnswerHandshake(string id, FakeCall call, int agents, string also = "") => FakeAnswer.Ok(
        $$"""{"status":"reset","agent_id":"{{id}}","boot":"{{FakePeers.BootOf(call.Peer)}}","agents":{{agents}}{{also}}}""");

    private static async Task RunNamedAsync(CheckContext context)
    {
        await context.IntroduceAsync();
        var number = CheckContext.NextRunNumber();
        var highestSeenRun = $"{number}.agent3.b3";
        context.Peers.Override = call => IsHandshake(call)
            ? AnswerHandshake(FakePeers.IdOf(call.Peer), call, context.N, $",\"floor\":\"{highestSeenRun}\"") : null;
        await context.Post("/run", """{"round":2,"window_ms":1000,"values":5}""");
        var expected = $"{number + 1}.{context.Id}.{context.Boot}";
        var calls = await context.WaitForCallsAsync(
            "/new_round",
            calls => calls.Where(call => call.Run == expected).Select(call => call.Peer).Distinct().Count() == context.Peers.Count,
            $"POST /new_round of run {expected} at every peer");
        var run = calls.First(call => call.Run == expected).Body.Find("run")!.Value;
        var members = run.Find("members");
        CheckContext.Require(
            run.Number("n") == context.N && run.Number("start_round") == 2 && run.Text("rule") == "ratified" && run.Number("values") == 5
            && run.Text("draw") == "fresh" && run.Number("window_ms") == 1000 && members?.Text(context.Id) == context.Boot
            && Enumerable.Range(0, context.Peers.Count).All(peer => members?.Text(FakePeers.IdOf(peer)) == FakePeers.BootOf(peer)),
            $"a descriptor with n {context.N}, start_round 2, rule ratified, values 5, draw fresh, window_ms 1000 and every agent's boot");
    }
}
