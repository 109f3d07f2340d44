using System.Text.Json;

namespace Consensus.Conformance;

/// <summary>The original contract, one check for each row: the responses of one agent.</summary>
internal static class OriginalChecks
{
    private const string RoundMismatch = "\"round-mismatch\"";
    private const string Ignored = "\"ignored\"";

    /// <summary>The checks, in order.</summary>
    public static IReadOnlyList<ConformanceCheck> All { get; } =
    [
        Check("reset-status", "POST /reset answers 200 with status reset.",
            async context => (await context.Post("/reset")).Expect(200, ("status", "\"reset\""))),
        Check("reset-clears", "POST /reset clears the decision, the attempts and the proposals.", ResetClearsAsync, peers: true),
        Check("new-round-starts", "POST /new_round starts a round: 200, started.", async context =>
            (await context.NewRound(3)).Expect(200, ("status", "\"started\""), ("round", "3"))),
        Check("new-round-again",
            "The same POST /new_round once more: 200, already-started, and the proposed value stays.", NewRoundAgainAsync),
        Check("new-round-stale", "POST /new_round of an older round: 200, ignored, stale-round, with the current round.", async context =>
        {
            await context.NewRound(3);
            (await context.Post("/new_round", """{"round":2}"""))
                .Expect(200, ("status", Ignored), ("reason", "\"stale-round\""), ("current_round", "3"));
        }),
        Check("new-round-decided", "POST /new_round after a decision: 409, ignored, already-decided.", async context =>
        {
            await context.Post("/final", """{"value":2,"round":1}""");
            (await context.Post("/new_round", """{"round":2}""")).Expect(409, ("status", Ignored), ("reason", "\"already-decided\""));
        }),
        Check("proposal-taken", "POST /proposal of the current round: 200, ok.", async context =>
        {
            var mine = await context.EnterAsync(2);
            (await context.Propose(0, CheckContext.OtherThan(mine), 2)).Expect(200, ("status", "\"ok\""));
        }),
        Check("proposal-late", "POST /proposal of an older round: 200, ignored, round-mismatch, with the current round.",
            context => MismatchAsync(context, 1)),
        Check("proposal-early", "POST /proposal of a later round: 200, ignored, round-mismatch, with the current round.",
            context => MismatchAsync(context, 3)),
        Check("final-taken", "POST /final: 200, ack, and the agent holds that decision.", async context =>
        {
            (await context.Post("/final", """{"value":3,"round":4}""")).Expect(200, ("status", "\"ack\""));
            CheckContext.Require(await context.DecisionAsync() == 3, "GET /consensus: {\"reached\":true,\"value\":3}");
        }),
        Check("first-final-wins", "A second POST /final with another value changes nothing.", async context =>
        {
            await context.Post("/final", """{"value":2,"round":1}""");
            await context.Post("/final", """{"value":3,"round":1}""");
            CheckContext.Require(await context.DecisionAsync() == 2, "GET /consensus: {\"reached\":true,\"value\":2}");
        }),
        Check("consensus-undecided", "GET /consensus without a decision: 202, reached false, with the current round.", async context =>
        {
            await context.NewRound(5);
            (await context.Get("/consensus")).Expect(202, ("reached", "false"), ("round", "5"));
        }),
        Check("consensus-decided", "GET /consensus with a decision: 200, reached true, with value, round and attempts.", async context =>
        {
            await context.Post("/final", """{"value":3,"round":4}""");
            var reply = (await context.Get("/consensus")).Expect(200, ("reached", "true"), ("value", "3"), ("round", "4"));
            CheckContext.Require(reply.Body.Number("attempts") is not null, "\"attempts\": a number");
        }),
        Check("state-fields",
            "GET /state answers 200 with the fields of the contract, before a round, in it and after a decision.", StateFieldsAsync),
        Check("attempts-counted", "GET /state counts the values drawn: 1 after the first round, 2 after the next.", AttemptsAsync),
        Check("values-in-range", "An agent draws whole numbers from 1 to 3.", ValuesAsync),
        Check("run-triggered", "POST /run answers 200, triggered, with the round.", async context =>
            (await context.Post("/run", """{"round":2}""")).Expect(200, ("status", "\"triggered\""), ("round", "2"))),
        Check("run-without-body", "POST /run without a body starts round 1.", async context =>
            (await context.Post("/run")).Expect(200, ("status", "\"triggered\""), ("round", "1"))),
        .. OriginalPeerChecks.All,
    ];

    /// <summary>
    /// A check of this level. A check that decides and then resets needs fake peers: a real peer may send the decision again.
    /// </summary>
    private static ConformanceCheck Check(string id, string sentence, Func<CheckContext, Task> body, bool peers = false) =>
        new(id, ConformanceLevel.Original, sentence, body, NeedsPeers: peers);

    private static async Task MismatchAsync(CheckContext context, int round)
    {
        var mine = await context.EnterAsync(2);
        (await context.Propose(0, CheckContext.OtherThan(mine), round))
            .Expect(200, ("status", Ignored), ("reason", RoundMismatch), ("current_round", "2"));
    }

    private static async Task ResetClearsAsync(CheckContext context)
    {
        await context.NewRound(1);
        await context.Post("/final", """{"value":2,"round":1}""");
        await context.Post("/reset");
        (await context.Get("/state")).Expect(200, ("attempts", "0"), ("proposals", "{}"),
            ("my_value", "null"), ("consensus_value", "null"), ("consensus_round", "null"));
        CheckContext.Require(await context.DecisionAsync() is null, "GET /consensus: {\"reached\":false}");
    }

    private static async Task NewRoundAgainAsync(CheckContext context)
    {
        var mine = await context.EnterAsync(3);
        for (var i = 0; i < 4; i++)
        {
            (await context.Post("/new_round", """{"round":3}""")).Expect(200, ("status", "\"already-started\""), ("round", "3"));
        }

        CheckContext.Require(await context.MyValueAsync() == mine, $"\"my_value\":{mine}");
    }

    private static async Task StateFieldsAsync(CheckContext context)
    {
        var state = (await context.Get("/state"))
            .Expect(200, ("agent_id", $"\"{context.Id}\""), ("proposals", "{}"), ("consensus_value", "null"), ("consensus_round", "null"));
        CheckContext.Require(state.Body.Find("my_value") is not null, "\"my_value\": a number or null");
        CheckContext.Require(
            state.Body.Number("round") is not null && state.Body.Number("attempts") is not null, "\"round\" and \"attempts\": numbers");
        var mine = await context.EnterAsync(2);
        (await context.Get("/state")).Expect(200, ("round", "2"), ("my_value", $"{mine}"), ("proposals", $"{{\"{context.Id}\":{mine}}}"));
        await context.Post("/final", """{"value":1,"round":2}""");
        (await context.Get("/state")).Expect(200, ("consensus_value", "1"), ("consensus_round", "2"));
    }

    private static async Task AttemptsAsync(CheckContext context)
    {
        await context.NewRound(1);
        (await context.Get("/state")).Expect(200, ("attempts", "1"));
        await context.NewRound(2);
        (await context.Get("/state")).Expect(200, ("attempts", "2"));
    }

    private static async Task ValuesAsync(CheckContext context)
    {
        // Each of these rounds is opened at once after the last, so that its window does not matter.
        for (var round = 1; round <= 24; round++)
        {
            await context.NewRound(round);
            var value = (await context.Get("/state")).Body.Find("my_value");
            CheckContext.Require(
                value is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var drawn) && drawn is >= 1 and <= 3,
                "\"my_value\": 1, 2 or 3");
        }
    }
}
