using System.Net;
using System.Text.Json;
using Consensus.Simulation.Mutants;
using Consensus.Tests.Api;

namespace Consensus.Tests.Timeline;

/// <summary>Explanations over HTTP: of recorded, simulated and explored runs.</summary>
[Trait(Category.Name, Category.System)]
public sealed class WhyApiTests : ThreeAgents
{
    [Fact]
    public async Task Every_event_of_a_recorded_run_is_explained_by_any_agent()
    {
        var run = (await Clients[0].Post("/run?wait=30", "{}")).Body.GetProperty("run").GetString()!;
        foreach (var client in Clients)
        {
            await client.Get($"/consensus?wait=30&run={run}");
        }

        var timeline = (await Clients[0].Get($"/timeline?cluster=true&run={run}")).Body;
        var events = timeline.GetProperty("events").EnumerateArray().ToList();
        Assert.NotEmpty(events);
        foreach (var (index, e) in events.Index())
        {
            var agent = timeline.GetProperty("lanes")[e.GetProperty("lane").GetInt32()].GetProperty("agent_id").GetString()!;
            var kind = e.GetProperty("kind").GetString();
            var round = e.GetProperty("round").GetInt32();
            var question = $"run={run}&agent={agent}&kind={kind}&at={e.GetProperty("at_ms").GetRawText()}";
            var (code, why) = await Clients[index % 3].Get(
                $"/timeline/why?{question}{(kind == "joined" ? "" : $"&round={round}")}");
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal(agent, why.GetProperty("agent").GetString());
            var sentences = why.GetProperty("sentences").EnumerateArray().Select(sentence => sentence.GetString()!).ToList();
            Assert.InRange(sentences.Count, 1, 5);
            Assert.StartsWith($"{agent} {why.GetProperty("event").GetString()}", sentences[0], StringComparison.Ordinal);
            Assert.DoesNotContain(": ,", sentences[0], StringComparison.Ordinal);
            Assert.Equal(kind == "drew" && round == 1, sentences[0].Contains($"run {run} by ", StringComparison.Ordinal) && kind == "drew");
            Assert.NotEmpty(why.GetProperty("causes").EnumerateArray());
            if (kind is "decided")
            {
                Assert.Contains("are a majority", sentences[0], StringComparison.Ordinal);
                Assert.Equal(3, why.GetProperty("past").GetArrayLength());
            }
        }
    }

    [Theory]
    [InlineData("/timeline/why", "run must be")]
    [InlineData("/timeline/why?run=1.agent1.b&agent=agent1&kind=vote", "kind one of")]
    [InlineData("/timeline/why?run=1.agent1.b&agent=agent1&kind=voted&at=soon", "a time in ms")]
    [InlineData("/timeline/why?run=1.agent1.b&agnt=agent1", "agnt is no query parameter")]
    [InlineData("/simulate?why=agent1", "why must be")]
    [InlineData("/simulate?why=agent1,voted,x", "why must be")]
    [InlineData("/simulate/counterexample?why=agent1,voted,1,0.5.2", "why must be")]
    [InlineData("/simulate/mutants/no-adoption?why=voted", "why must be")]
    [InlineData("/explore/state?why=,,", "why must be")]
    public async Task A_wrong_question_says_what_to_change(string path, string detail)
    {
        var (code, problem) = await Clients[0].Get(path);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.Contains(detail, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_run_or_event_is_not_found()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await Clients[0].Get("/timeline/why?run=9.agent1.b&agent=agent1&kind=voted")).Code);
        var run = (await Clients[0].Post("/run?wait=30", "{}")).Body.GetProperty("run").GetString()!;
        Assert.Equal(HttpStatusCode.NotFound, (await Clients[0].Get($"/timeline/why?run={run}&agent=agent9&kind=voted")).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await Clients[0].Get($"/timeline/why?run={run}&agent=agent1&kind=contradicted")).Code);
    }

    [Fact]
    public async Task A_simulated_run_and_an_explored_one_are_explained_with_the_same_parameters()
    {
        var simulated = (await Clients[0].Get("/simulate?seed=3&why=agent2,voted,0")).Body.GetProperty("explanation");
        Assert.StartsWith("agent2 votes for ", Sentences(simulated)[0], StringComparison.Ordinal);
        var explored = (await Clients[0].Get("/explore/state?path=s1.1&why=agent1,drew,99")).Body.GetProperty("timeline")
            .GetProperty("explanation");
        Assert.StartsWith("agent1 draws 1 for round 1", Sentences(explored)[0], StringComparison.Ordinal);
        Assert.False((await Clients[0].Get("/simulate?seed=3&why=agent1,contradicted,0")).Body.TryGetProperty("explanation", out _));
    }

    [Fact]
    public async Task A_stall_names_who_can_take_part_no_more()
    {
        var state = (await Clients[0].Get("/explore/state?path=s1.1-c1-u1-c2-u2-d1-d5-r5&why=agent2,stalled,0")).Body;
        var why = Sentences(state.GetProperty("timeline").GetProperty("explanation"));
        Assert.Contains("agent1 restarted; agent2 restarted", why[0], StringComparison.Ordinal);
        Assert.Equal("A majority is 2 of 3 agents, and fewer members can still take part.", why[1]);
    }

    [Fact]
    public async Task The_disagreement_of_the_classic_rule_names_both_majorities_and_the_agent_in_both()
    {
        var pair = (await Clients[0].Get("/simulate/counterexample")).Body;
        var classic = pair.GetProperty("classic");
        var last = classic.GetProperty("events").EnumerateArray().Last(e => e.GetProperty("kind").GetString() == "decided");
        var agent = classic.GetProperty("lanes")[last.GetProperty("lane").GetInt32()].GetProperty("agent_id").GetString();
        var question = $"{agent},decided,{last.GetProperty("at_ms").GetRawText()}";
        var (_, explained) = await Clients[0].Get($"/simulate/counterexample?why={question}");
        var why = explained.GetProperty("classic").GetProperty("explanation");
        Assert.Equal(2, why.GetProperty("quorums").GetArrayLength());
        var shared = Assert.Single(why.GetProperty("shared").EnumerateArray()).GetString();
        Assert.Contains(Sentences(why),
            sentence => sentence.Contains($"both quorums share {shared}, which proposed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_broken_rule_is_explained_with_the_guilty_step()
    {
        var mutant = Mutant.Find("no-adoption").Name;
        var broken = (await Clients[0].Get($"/simulate/mutants/{mutant}")).Body.GetProperty("broken");
        var last = broken.GetProperty("events").EnumerateArray().Where(e => e.GetProperty("kind").GetString() == "decided")
            .MaxBy(e => e.GetProperty("round").GetInt32());
        var agent = broken.GetProperty("lanes")[last.GetProperty("lane").GetInt32()].GetProperty("agent_id").GetString();
        var at = last.GetProperty("at_ms").GetRawText();
        var answer = (await Clients[0].Get($"/simulate/mutants/{mutant}?why={agent},decided,{at}")).Body;
        var why = answer.GetProperty("broken").GetProperty("explanation");
        Assert.Contains("by the sound rule, on the same messages, it adopts",
            why.GetProperty("guilty").GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains(why.GetProperty("guilty").GetProperty("text").GetString(), Sentences(why));
    }

    private static List<string> Sentences(JsonElement explanation) =>
        [.. explanation.GetProperty("sentences").EnumerateArray().Select(sentence => sentence.GetString()!)];
}
