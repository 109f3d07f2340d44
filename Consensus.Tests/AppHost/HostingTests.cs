using System.Globalization;
using System.Reflection;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Consensus.Conformance;
using Consensus.Hosting;
using Consensus.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Consensus.Tests.AppHost;

/// <summary>What the package promises to an AppHost that others wrote, without starting anything.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class HostingTests
{
    private const string Continue = "HTTP/1.1 100 Continue\r\n\r\n";

    private readonly IDistributedApplicationBuilder _builder =
        DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true, Args = [] });

    [Fact]
    public async Task Any_program_gets_its_id_its_port_and_its_peers_through_proxies()
    {
        _builder.AddConsensusCluster("consensus").WithAgent(Program("ada"))
            .WithAgent(Program("bob").WithHttpEndpoint(port: 5051)).WithAgent(Program("eve"));
        foreach (var (name, peers) in new[]
        {
            ("ada", "{consensus-links.bindings.ada-to-bob.url},{consensus-links.bindings.ada-to-eve.url}"),
            ("bob", "{consensus-links.bindings.bob-to-ada.url},{consensus-links.bindings.bob-to-eve.url}"),
        })
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
        var agent = _builder.AddProject<Projects.Consensus_Agent>("ada")
            .WithEnvironment("AGENT_ID", "other").WithEnvironment("PEERS", "http://somewhere");
        _builder.AddConsensusCluster("consensus").WithAgent(agent);
        var environment = await Model.EnvironmentOf(agent.Resource);
        Assert.Equal(("other", "http://somewhere"), (environment["AGENT_ID"], environment["PEERS"]));
    }

    [Theory]
    [InlineData("", true, " hangs: port {0} takes calls and does not answer. Nothing was started. Restart ada.")]
    [InlineData(Continue, true, " hangs: port {0} takes calls and does not answer. It took the run, which may go on. Restart ada.")]
    [InlineData(Continue, false, " took the run and ended before its answer. Look at its console log.")]
    public async Task A_run_that_the_agent_took_is_not_reported_as_never_started(string answer, bool hangs, string problem)
    {
        var port = LoopbackPorts.Free(1)[0];
        var intruder = new Intruder(port) { Answer = answer, Hangs = hangs };
        await using (intruder)
        {
            var ada = Program("ada");
            var cluster = _builder.AddConsensusCluster("consensus").WithAgent(ada);
            var endpoint = ada.Resource.Annotations.OfType<EndpointAnnotation>().Single();
            endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "127.0.0.1", port);
            var agent = Assert.Single(cluster.Resource.Agents);
            var failed = await Assert.ThrowsAsync<AgentException>(() => agent.RunAsync([], TimeSpan.Zero, CancellationToken.None));
            Assert.Equal("ada" + string.Format(CultureInfo.InvariantCulture, problem, port), failed.Message);
        }

        var afterTheHeaders = intruder.Requests.Skip(1);
        Assert.Equal(hangs ? [answer == Continue ? "{}" : ""] : [], afterTheHeaders);
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
        Assert.Equal("{two-links.bindings.bob-to-eve.url}",
            (await Model.EnvironmentOf(_builder.Resources.Single(agent => agent.Name == "bob")))["PEERS"]);
    }

    [Fact]
    public void Links_are_asked_for_where_all_agents_are_projects_and_have_commands_then()
    {
        var cluster = _builder.AddConsensusCluster("consensus").WithAgents<Projects.Consensus_Agent>(3);
        Assert.Empty(_builder.Resources.OfType<LinkResource>());
        cluster.WithLinkProxies().WithLinkProxies();
        Assert.Equal(["agent1-agent2", "agent1-agent3", "agent2-agent3"],
            _builder.Resources.OfType<LinkResource>().Select(link => link.Name));
        Assert.All(_builder.Resources.OfType<LinkResource>(), link =>
            Assert.Same(cluster.Resource,
                Assert.Single(link.Annotations.OfType<ResourceRelationshipAnnotation>(), relation => relation.Type == "Parent").Resource));
        var commands = cluster.Resource.Annotations.OfType<ResourceCommandAnnotation>().ToDictionary(command => command.Name);
        Assert.Equal(
            ["run", "run-with", "reset", "heal", "isolate", "reconnect", "lose", "delay", "repeat", "cut", "judge"], commands.Keys);
#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
        Assert.Equal(["from", "to", "percent"], commands["lose"].Arguments.Select(argument => argument.Name));
        Assert.Equal(["agent1", "agent2", "agent3"], commands["cut"].Arguments[0].Options!.Select(option => option.Key));
#pragma warning restore ASPIREINTERACTION001
    }

    [Theory]
    [InlineData(0.3, 0, 0, false, "loses 30 %")]
    [InlineData(0, 250, 0.05, false, "delays by 250 ms, repeats 5 %")]
    [InlineData(1, 250, 0, true, "cut")]
    [InlineData(0, 0, 0, false, "")]
    public void What_a_link_does_is_said_in_words(double lose, int delay, double repeat, bool cut, string words) =>
        Assert.Equal(words, new LinkFaults(lose, delay, repeat, cut).ToString());

    [Fact]
    public void A_run_of_the_original_contract_that_no_message_names_has_a_name_and_a_decision()
    {
        var decided = new AgentState("ada", 2, 1, ConsensusValue: 3, ConsensusRound: 2).WithAnonymousRun();
        Assert.Equal((AgentState.AnonymousRun, new AgentDecision(3, 2)), (decided.Run, decided.Decision));
        var view = ClusterView.Next(null, [new AgentStatus("ada", decided)]);
        Assert.Equal(("Decided 3", "ada decided 3 in round 2"), (view.Text, view.Sentence));
        Assert.Null(new AgentState("ada", 0, 0).WithAnonymousRun().Run);
    }

    /// <summary>An AppHost sees the resource and the methods that build it, and nothing else.</summary>
    [Fact]
    public void The_package_has_two_public_types_and_no_static_state()
    {
        var types = typeof(ConsensusClusterResource).Assembly.GetTypes();
        Assert.Equal(["ConsensusClusterExtensions", "ConsensusClusterResource"],
            types.Where(type => type.IsPublic).Select(type => type.Name).Order());
        var changing = types.SelectMany(
            type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(field => !field.IsLiteral && !field.IsInitOnly && !field.Name.Contains('<', StringComparison.Ordinal));
        Assert.Empty(changing);
    }

    private IResourceBuilder<ExecutableResource> Program(string name) => _builder.AddExecutable(name, "true", ".");
}
