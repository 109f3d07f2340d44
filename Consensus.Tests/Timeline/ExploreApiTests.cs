using System.Net;
using Consensus.Tests.Api;

namespace Consensus.Tests.Timeline;

[Trait(Category.Name, Category.System)]
public sealed class ExploreApiTests : ThreeAgents
{
    [Fact]
    public async Task A_state_names_its_path_what_each_agent_knows_the_properties_and_every_next_step()
    {
        var (code, state) = await Clients[0].Get("/explore/state?rule=classic&path=s1.1-d1.1-w1.2-d5.2");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("s1.1-d1.1-w1.2-d5.2", state.GetProperty("path").GetString());
        var broken = Assert.Single(state.GetProperty("properties").EnumerateArray(), property => !property.GetProperty("holds").GetBoolean());
        Assert.Equal("agreement", broken.GetProperty("name").GetString());
        Assert.Equal("In run 1.agent1.a1, agent2 decided 1 (round 1) and agent3 decided 2 (round 2).", broken.GetProperty("reason").GetString());
        Assert.Equal([1, 2, 2], state.GetProperty("agents").EnumerateArray().Select(agent => agent.GetProperty("state").GetProperty("proposals").EnumerateObject().Count()));
        var window = state.GetProperty("steps").EnumerateArray().Where(step => step.GetProperty("kind").GetString() == "window").ToList();
        Assert.Equal(["w1.1", "w1.2", "w1.3"], window.Select(step => step.GetProperty("step").GetString()));
        Assert.Equal("draws 2 for round 3, attempt 3", window[1].GetProperty("effect").GetString());
        Assert.Equal(state.GetRawText(), (await Clients[1].Get("/explore/state?rule=classic&path=s1.1-d1.1-w1.2-d5.2")).Body.GetRawText());
    }

    [Fact]
    public async Task A_goal_makes_the_path_longer_and_one_that_cannot_be_found_is_refused()
    {
        Assert.Equal("s1.1-d1.1-r1", (await Clients[0].Get("/explore/state?goal=decision&path=s1.1")).Body.GetProperty("path").GetString());
        var (code, problem) = await Clients[0].Get("/explore/state?goal=adoption&agents=1");
        Assert.Equal(HttpStatusCode.NotFound, code);
        Assert.StartsWith("No way was found", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        (code, problem) = await Clients[0].Get("/explore/state?goal=violation&mutant=silent-learners");
        Assert.Equal(HttpStatusCode.NotFound, code);
        Assert.StartsWith("This broken rule violates termination, which no single state shows.", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("agents=6", "agents must be a whole number from 1 to 5.")]
    [InlineData("values=0", "values must be a whole number from 1 to 4.")]
    [InlineData("mutant=none", "mutant must be one of no-adoption, ")]
    [InlineData("goal=luck", "goal must be decision or later or ")]
    [InlineData("path=s1", "Step 1 of the path, s1, is not possible there.")]
    public async Task A_bad_parameter_is_answered_with_what_to_change(string query, string detail)
    {
        var (code, problem) = await Clients[0].Get("/explore/state?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.StartsWith(detail, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
