using System.Net;
using System.Text.Json;
using Consensus.Simulation.Mutants;
using Consensus.Tests.Api;

namespace Consensus.Tests.Timeline;

[Trait(Category.Name, Category.System)]
public sealed class SimulateApiTests : ThreeAgents
{
    [Fact]
    public async Task The_same_parameters_give_the_same_response_from_any_agent()
    {
        const string Path = "/simulate?agents=5&drop=0.2&crash=0.02&latency=tail&seed=7";
        var (code, first) = await Clients[0].Get(Path);
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal(first.GetRawText(), (await Clients[1].Get(Path)).Body.GetRawText());
        Assert.NotEqual(first.GetRawText(), (await Clients[0].Get(Path + "1")).Body.GetRawText());
        Assert.Equal(5, first.GetProperty("lanes").GetArrayLength());
        Assert.NotEmpty(first.GetProperty("sentence").GetString()!);
    }

    [Fact]
    public async Task Nothing_is_received_before_it_was_sent_nor_answered_before_it_was_received()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var (_, run) = await Clients[0]
                .Get($"/simulate?drop=0.1&duplicate=0.2&crash=0.02&pause=0.05&partition=0.05&latency=tail&seed={seed}");
            AssertCausal(run);
        }

        var (_, pair) = await Clients[0].Get("/simulate/counterexample");
        AssertCausal(pair.GetProperty("classic"));
        AssertCausal(pair.GetProperty("ratified"));
    }

    [Fact]
    public async Task The_counterexample_disagrees_in_at_most_12_events_and_the_ratified_rule_does_not()
    {
        var (code, pair) = await Clients[0].Get("/simulate/counterexample");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.InRange(pair.GetProperty("events").GetInt32(), 1, 12);
        Assert.False(pair.GetProperty("classic").GetProperty("agree").GetBoolean());
        Assert.True(pair.GetProperty("ratified").GetProperty("agree").GetBoolean());
        Assert.Contains("had not reached it", pair.GetProperty("classic").GetProperty("sentence").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_is_lost_delayed_or_duplicated_by_its_number_and_the_run_goes_on_from_there()
    {
        const string Path = "/simulate?seed=5";
        var opening = Messages((await Clients[0].Get(Path)).Body)
            .First(message => message.GetProperty("kind").GetString() == "new_round").GetProperty("id").GetInt64();
        async Task<List<JsonElement>> ChangedAsync(string change) =>
            [.. Messages((await Clients[0].Get($"{Path}&change={opening}-{change}")).Body)
                .Where(message => message.GetProperty("id").GetInt64() == opening)];

        Assert.False(Assert.Single(await ChangedAsync("lose")).TryGetProperty("received", out _));
        var delayed = Assert.Single(await ChangedAsync("delay"));
        Assert.True(delayed.GetProperty("received").GetDouble() - delayed.GetProperty("sent").GetDouble() > 400);
        Assert.Equal(2, (await ChangedAsync("duplicate")).Count);
        Assert.All(await ChangedAsync("duplicate"), copy => Assert.True(copy.TryGetProperty("received", out _)));

        static IEnumerable<JsonElement> Messages(JsonElement run) => run.GetProperty("messages").EnumerateArray();
    }

    [Fact]
    public async Task A_broken_rule_changes_a_run_and_its_shortest_violation_is_shown_beside_the_unbroken_rules()
    {
        var listed = (await Clients[0].Get("/simulate/mutants")).Body.GetProperty("mutants").EnumerateArray();
        Assert.Equal(
            Mutant.All.Select(mutant => mutant.Description), listed.Select(mutant => mutant.GetProperty("description").GetString()));
        var (code, found) = await Clients[0].Get("/simulate/mutants/short-proposal-quorum");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("agreement", found.GetProperty("broken").GetProperty("violation").GetProperty("property").GetString());
        Assert.False(found.GetProperty("broken").GetProperty("agree").GetBoolean());
        Assert.True(found.GetProperty("ratified").GetProperty("agree").GetBoolean());
        Assert.False(found.GetProperty("ratified").TryGetProperty("violation", out _));
        Assert.Equal(HttpStatusCode.NotFound, (await Clients[0].Get("/simulate/mutants/none")).Code);

        const string Path = "/simulate?drop=0.2&latency=tail&window_ms=5&seed=21";
        Assert.NotEqual((await Clients[0].Get(Path)).Body.GetRawText(),
            (await Clients[0].Get(Path + "&mutant=short-proposal-quorum")).Body.GetRawText());
    }

    [Fact]
    public async Task A_long_run_is_folded_and_a_requested_round_is_not()
    {
        // Nine agents of a million values: most seeds take long.
        for (var seed = 1; ; seed++)
        {
            var asked = $"/simulate?agents=9&values=1000000&seed={seed}";
            var (_, run) = await Clients[0].Get(asked);
            if (run.GetProperty("folded").EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } range)
            {
                var from = range.GetProperty("from").GetInt32();
                bool IsOfIt(JsonElement message) => message.GetProperty("round").GetInt32() == from;
                Assert.DoesNotContain(run.GetProperty("messages").EnumerateArray(), IsOfIt);
                Assert.Contains(run.GetProperty("rounds").EnumerateArray(), IsOfIt);
                var (_, opened) = await Clients[0].Get($"{asked}&detail={from}-{from}");
                Assert.Contains(opened.GetProperty("messages").EnumerateArray(), IsOfIt);
                return;
            }

            Assert.InRange(seed, 1, 50);
        }
    }

    [Theory]
    [InlineData("agents=10", "agents must be a whole number from 1 to 9.")]
    [InlineData("agents=three", "agents must be a whole number from 1 to 9.")]
    [InlineData("rule=loud", "rule must be ratified or classic.")]
    [InlineData("draw=1", "draw must be fresh or plurality.")]
    [InlineData("latency=none", "latency must be constant or uniform or tail.")]
    [InlineData("drop=1.5", "drop must be a number from 0 to 1.")]
    [InlineData("crash=NaN", "crash must be a number from 0 to 1.")]
    [InlineData("window_ms=60001", "window_ms must be a whole number from 0 to 60000.")]
    [InlineData("seed=9007199254740992", "seed must be a whole number from -9007199254740991 to 9007199254740991.")]
    [InlineData(
        "change=1-eat",
        "change must be the number of a message and lose or delay or duplicate or lose_response or delay_response, such as 12-lose; "
        + "20 at most.")]
    [InlineData("mutant=none", "mutant must be one of no-adoption, ")]
    [InlineData("detail=9-1", "detail must be ranges of rounds")]
    public async Task A_bad_parameter_is_answered_with_what_to_change(string query, string detail)
    {
        var (code, problem) = await Clients[0].Get("/simulate?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.StartsWith(detail, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static void AssertCausal(JsonElement run)
    {
        foreach (var message in run.GetProperty("messages").EnumerateArray())
        {
            var sent = message.GetProperty("sent").GetDouble();
            var received = message.TryGetProperty("received", out var at) ? at.GetDouble() : double.NaN;
            Assert.False(received <= sent);
            Assert.False(message.TryGetProperty("answered", out var answered) && answered.GetDouble() <= received);
        }
    }
}
