using System.Reflection;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Consensus.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Consensus.Tests.AppHost;

/// <summary>What the package promises to an AppHost that others wrote, without starting anything.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class HostingTests
{
    private readonly IDistributedApplicationBuilder _builder =
        DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true, Args = [] });

    [Fact]
    public async Task Any_program_gets_its_id_its_port_and_its_peers()
    {
        _builder.AddConsensusCluster("consensus").WithAgent(Program("ada")).WithAgent(Program("bob").WithHttpEndpoint(port: 5051)).WithAgent(Program("eve"));
        foreach (var (name, peers) in new[] { ("ada", "{bob.bindings.http.url},{eve.bindings.http.url}"), ("bob", "{ada.bindings.http.url},{eve.bindings.http.url}") })
        {
            var agent = _builder.Resources.OfType<ExecutableResource>().Single(agent => agent.Name == name);
            Assert.Equal("http", Assert.Single(agent.Annotations.OfType<EndpointAnnotation>()).Name);
            var environment = await Model.EnvironmentOf(agent);
            Assert.Equal((name, peers), (environment["AGENT_ID"], environment["PEERS"]));
            Assert.Equal($"{{{name}.bindings.http.targetPort}}", environment["PORT"]);
            Assert.DoesNotContain("CLUSTER_KEY", environment.Keys);
        }
    }

    [Fact]
    public async Task What_an_agent_is_given_already_stays()
    {
        _builder.AddConsensusCluster("consensus").WithAgent(Program("ada").WithEnvironment("AGENT_ID", "other").WithEnvironment("PEERS", "http://somewhere"));
        var environment = await Model.EnvironmentOf(_builder.Resources.OfType<ExecutableResource>().Single());
        Assert.Equal(("other", "http://somewhere"), (environment["AGENT_ID"], environment["PEERS"]));
    }

    [Fact]
    public void Agents_of_a_project_are_numbered_after_those_that_are_there()
    {
        var cluster = _builder.AddConsensusCluster("consensus").WithAgent(Program("agent1")).WithAgents<Projects.Consensus_Agent>(2);
        Assert.Equal(["agent1", "agent2", "agent3"], cluster.Resource.Agents.Select(agent => agent.Agent.Name));
        Assert.Equal(2, _builder.Resources.OfType<ProjectResource>().Count());
    }

    [Fact]
    public async Task Two_clusters_in_one_application_know_their_own_agents()
    {
        _builder.AddConsensusCluster("one").WithAgent(Program("ada"));
        _builder.AddConsensusCluster("two").WithAgent(Program("bob")).WithAgent(Program("eve"));
        await using var services = _builder.Services.BuildServiceProvider();
        Assert.NotSame(services.GetRequiredKeyedService<RunCommands>("one"), services.GetRequiredKeyedService<RunCommands>("two"));
        Assert.Equal("", (await Model.EnvironmentOf(_builder.Resources.Single(agent => agent.Name == "ada")))["PEERS"]);
        Assert.Equal("{eve.bindings.http.url}", (await Model.EnvironmentOf(_builder.Resources.Single(agent => agent.Name == "bob")))["PEERS"]);
    }

    [Fact]
    public void A_run_of_the_original_contract_that_no_message_names_has_a_name_and_a_decision()
    {
        var decided = new AgentState("ada", 2, 1, ConsensusValue: 3, ConsensusRound: 2).WithOriginalRun();
        Assert.Equal((AgentState.OriginalRun, new AgentDecision(3, 2)), (decided.Run, decided.Decision));
        var view = ClusterView.Next(null, [new AgentStatus("ada", decided)]);
        Assert.Equal(("Decided 3", "ada decided 3 in round 2"), (view.Text, view.Sentence));
        Assert.Null(new AgentState("ada", 0, 0).WithOriginalRun().Run);
    }

    /// <summary>An AppHost sees the resource and the methods that build it, and nothing else.</summary>
    [Fact]
    public void The_package_has_two_public_types_and_no_static_state()
    {
        var types = typeof(ConsensusClusterResource).Assembly.GetTypes();
        Assert.Equal(["ConsensusClusterExtensions", "ConsensusClusterResource"], types.Where(type => type.IsPublic).Select(type => type.Name).Order());
        var changing = types.SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(field => !field.IsLiteral && !field.IsInitOnly && !field.Name.Contains('<', StringComparison.Ordinal));
        Assert.Empty(changing);
    }

    private IResourceBuilder<ExecutableResource> Program(string name) => _builder.AddExecutable(name, "true", ".");
}
