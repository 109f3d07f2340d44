using System.Text.Json;

namespace Consensus.Conformance;

/// <summary>Runs that describe themselves: how an agent introduces itself, starts a run and joins one.</summary>
internal static class DescribedChecks
{
    /// <summary>The checks, in order. The last ones leave the agent with peers that failed.</summary>
    public static IReadOnlyList<ConformanceCheck> All { get; } =
    [
        Check("handshake-introduces", "POST /reset with handshake answers with agent_id, boot and the number of agents.", async bench =>
        {
            var reply = (await bench.Post("/reset", """{"handshake":true}"""))
                .Expect(200, ("status", "\"reset\""), ("agent_id", $"\"{bench.Id}\""), ("agents", $"{bench.N}"));
            TestBench.Require(reply.Body.Text("boot") is { Length: > 0 }, "\"boot\": a text");
        }),
        Check("handshake-keeps-run", "A handshake clears nothing.", async bench =>
        {
            await bench.Post("/final", """{"value":2,"round":1}""");
            await bench.Post("/reset", """{"handshake":true}""");
            TestBench.Require(await bench.DecisionAsync() == 2, "GET /consensus: {\"reached\":true,\"value\":2}");
        }),
        Check("run-named-above-floors",
            "POST /run names the run one above the highest floor, and describes it at every peer.", RunNamedAsync, peers: true),
        Check("run-answer", "POST /run answers with the run, its rule, its members and who is missing.", async bench =>
        {
            await bench.IntroduceAsync();
            var reply = (await bench.Post("/run", """{"window_ms":1000}"""))
                .Expect(200, ("status", "\"triggered\""), ("rule", "\"ratified\""), ("missing", "[]"));
            TestBench.Require(reply.Body.Text("run") is not null && reply.Body.Find("members")?.Text(bench.Id) == bench.Boot,
                "\"run\": an id, \"members\": every agent with its boot");
        }),
        Check("same-id-refused", "POST /run is refused with 409 where two peers have one id, and nothing is started.", async bench =>
        {
            await bench.IntroduceAsync();
            bench.Peers.Override = call => IsHandshake(call) ? AnswerHandshake("agent9", call, bench.N) : null;
            (await bench.Post("/run")).Expect(409);
            TestBench.Require(bench.Peers.Calls.All(call => call.Path != "/new_round"), "no POST /new_round");
        }, fresh: true),
        Check("cluster-size-refused",
            "POST /run is refused with 409, reason cluster-size, where a peer counts another number of agents.", async bench =>
            {
                await bench.IntroduceAsync();
                bench.Peers.Override = call => IsHandshake(call)
                    ? AnswerHandshake(FakePeers.IdOf(call.Peer), call, bench.N + (call.Peer == 0 ? 1 : 0)) : null;
                (await bench.Post("/run")).Expect(409, ("reason", "\"cluster-size\""));
            }, fresh: true),
        Check("original-peer-falls-back", "With a peer that has no boot, POST /run starts a bare classic run; "
            + "asked for the ratified rule, it is refused with 409.", async bench =>
            {
                await bench.IntroduceAsync();
                bench.Peers.Override = call => IsHandshake(call) && call.Peer == 0 ? FakeAnswer.Ok("""{"status":"reset"}""") : null;
                (await bench.Post("/run", """{"rule":"ratified"}""")).Expect(409);
                (await bench.Post("/run")).Expect(200, ("rule", "\"classic\""));
                await bench.WaitForCallsAsync("/new_round", calls => calls.Any(call => call.Run is null), "POST /new_round without a run");
            }, fresh: true),
        Check("newer-run-joined", "A message of a newer run makes the agent join it and start its round.", async bench =>
        {
            await bench.IntroduceAsync();
            var (first, second) = (bench.DescribeRun(), bench.DescribeRun());
            (await bench.Open(first)).Expect(200, ("status", "\"started\""), ("round", "1"), ("run", $"\"{first.Id}\""));
            (await bench.Open(second)).Expect(200, ("status", "\"started\""), ("round", "1"), ("run", $"\"{second.Id}\""));
        }),
        Check("older-run-stale", "A message of an older run is ignored as stale-run, with the floor in the answer.", async bench =>
        {
            await bench.IntroduceAsync();
            var (first, second) = (bench.DescribeRun(), bench.DescribeRun());
            await bench.Open(second);
            (await bench.Open(first)).Expect(200, ("status", "\"ignored\""), ("reason", "\"stale-run\""), ("floor", $"\"{second.Id}\""));
        }),
        Check("old-final-ignored", "A decision of an older run decides nothing.", async bench =>
        {
            await bench.IntroduceAsync();
            var (first, second) = (bench.DescribeRun(), bench.DescribeRun());
            await bench.Open(second);
            await bench.Final(first, 2);
            TestBench.Require(await bench.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
        }),
        Check("floor-survives-reset", "After POST /reset the runs seen so far are still stale, their decisions included.", async bench =>
        {
            await bench.IntroduceAsync();
            var run = bench.DescribeRun();
            await bench.Open(run);
            await bench.Post("/reset");
            (await bench.Final(run, 2)).Expect(200, ("status", "\"ignored\""), ("reason", "\"stale-run\""), ("floor", $"\"{run.Id}\""));
            TestBench.Require(await bench.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
        }),
        Check("other-boot-learns",
            "An agent whose boot the run does not name proposes and votes nothing, answers learner, and takes the decision.", async bench =>
            {
                await bench.IntroduceAsync();
                var run = bench.DescribeRun(myBoot: "earlier");
                (await bench.Open(run)).Expect(200, ("status", "\"ok\""), ("learner", "true"), ("boot", $"\"{bench.Boot}\""));
                for (var peer = 0; peer < bench.Others; peer++)
                {
                    await bench.Propose(run, peer, 2);
                }

                await bench.Delay(100);
                TestBench.Require(bench.Sent(run).Count == 0, "no proposal and no vote in this run");
                await bench.Final(run, 2);
                TestBench.Require(await bench.DecisionAsync() == 2, "GET /consensus: {\"reached\":true,\"value\":2}");
            }),
        Check("other-size-learns",
            "An agent that counts another number of agents than the run is a learner, reason cluster-size.", async bench =>
            {
                await bench.IntroduceAsync();
                (await bench.Open(bench.DescribeRun(n: bench.N + 1))).Expect(200, ("learner", "true"), ("reason", "\"cluster-size\""));
            }),
        Check("strangers-ignored", "Proposals of agents that are no members change nothing, for the reason not-a-member.", async bench =>
        {
            await bench.IntroduceAsync();
            var run = bench.DescribeRun(without: 1);
            await bench.Open(run);
            var reply = await bench.Propose(run, 1, 1);
            TestBench.Require(reply.Body.Text("reason") == "not-a-member", "\"reason\":\"not-a-member\"");
            TestBench.Require((await bench.Get("/state")).Body.Find("proposals")?.Find(bench.MemberOf(1)) is null,
                $"no proposal of {bench.MemberOf(1)} in GET /state");
        }),
        Check("later-round-not-drawn", "POST /new_round of a later round introduces the run and causes no draw.", async bench =>
        {
            await bench.IntroduceAsync();
            var run = bench.DescribeRun();
            await bench.Open(run, 4);
            (await bench.Get("/state")).Expect(200, ("my_value", "null"), ("run", $"\"{run.Id}\""));
        }),
        Check("bare-ignored-in-run", "While the agent is in a run, bare messages get round-mismatch and change nothing.", async bench =>
        {
            await bench.IntroduceAsync();
            await bench.Open(bench.DescribeRun());
            (await bench.Propose(0, 2, 1)).Expect(200, ("status", "\"ignored\""), ("reason", "\"round-mismatch\""));
            (await bench.Post("/final", """{"value":2,"round":1}""")).Expect(200, ("reason", "\"round-mismatch\""));
            TestBench.Require(await bench.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
        }),
        Check("too-few-refused", "POST /run with fewer than a majority answers 503, problem+json, and starts nothing.", async bench =>
        {
            await bench.IntroduceAsync();
            bench.Peers.Override = call => call.Peer > 0 ? FakeAnswer.None : null;
            var reply = (await bench.Post("/run")).Expect(503);
            TestBench.Require(reply.MediaType == "application/problem+json", "content type application/problem+json");
            (await bench.Get("/state")).Expect(200, ("my_value", "null"));
        }, fresh: true),
    ];

    private static ConformanceCheck Check(string id, string sentence, Func<TestBench, Task> body, bool fresh = false, bool peers = false) =>
        new(id, ConformanceLevel.Described, sentence, body, NeedsPeers: peers || fresh, Fresh: fresh);

    private static bool IsHandshake(FakeCall call) =>
        call.Path == "/reset" && call.Body.Find("handshake") is { ValueKind: JsonValueKind.True };

    private static FakeAnswer AnswerHandshake(string id, FakeCall call, int agents, string also = "") => FakeAnswer.Ok(
        $$"""{"status":"reset","agent_id":"{{id}}","boot":"{{FakePeers.BootOf(call.Peer)}}","agents":{{agents}}{{also}}}""");

    private static async Task RunNamedAsync(TestBench bench)
    {
        await bench.IntroduceAsync();
        var number = TestBench.NextRunNumber();
        var highestSeenRun = $"{number}.agent3.b3";
        bench.Peers.Override = call => IsHandshake(call)
            ? AnswerHandshake(FakePeers.IdOf(call.Peer), call, bench.N, $",\"floor\":\"{highestSeenRun}\"") : null;
        await bench.Post("/run", """{"round":2,"window_ms":1000,"values":5}""");
        var expected = $"{number + 1}.{bench.Id}.{bench.Boot}";
        var calls = await bench.WaitForCallsAsync(
            "/new_round",
            calls => calls.Where(call => call.Run == expected).Select(call => call.Peer).Distinct().Count() == bench.Peers.Count,
            $"POST /new_round of run {expected} at every peer");
        var run = calls.First(call => call.Run == expected).Body.Find("run")!.Value;
        var members = run.Find("members");
        TestBench.Require(
            run.Number("n") == bench.N && run.Number("start_round") == 2 && run.Text("rule") == "ratified" && run.Number("values") == 5
            && run.Text("draw") == "fresh" && run.Number("window_ms") == 1000 && members?.Text(bench.Id) == bench.Boot
            && Enumerable.Range(0, bench.Peers.Count).All(peer => members?.Text(FakePeers.IdOf(peer)) == FakePeers.BootOf(peer)),
            $"a descriptor with n {bench.N}, start_round 2, rule ratified, values 5, draw fresh, window_ms 1000 and every agent's boot");
    }
}
