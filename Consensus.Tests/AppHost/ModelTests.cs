using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Consensus.AppHost;
using Microsoft.Extensions.Configuration;

namespace Consensus.Tests.AppHost;

/// <summary>What AppHost.cs promises, without starting anything.</summary>
public sealed class ModelTests
{
    [Fact]
    public async Task Three_agents_have_fixed_ports_and_refer_to_each_other_by_name()
    {
        await using var model = await Model.CreateAsync();
        Assert.Equal(["agent1", "agent2", "agent3"], model.Agents.Select(agent => agent.Name));
        for (var i = 0; i < 3; i++)
        {
            var agent = model.Agents[i];
            var endpoint = Assert.Single(agent.Annotations.OfType<EndpointAnnotation>());
            Assert.Equal(("http", "http", 5001 + i, false), (endpoint.Name, endpoint.UriScheme, endpoint.Port, endpoint.IsProxied));
            Assert.NotEmpty(agent.Annotations.OfType<HealthCheckAnnotation>());
            Assert.Equal("Vote", Assert.Single(agent.Annotations.OfType<ResourceIconAnnotation>()).IconName);

            var environment = await Model.EnvironmentOf(agent);
            var peers = model.Agents.Where(other => other != agent).Select(other => other.Name).ToList();
            Assert.Equal(agent.Name, environment["AGENT_ID"]);
            Assert.Equal(string.Join(',', peers.Select(peer => $"http://{peer}")), environment["PEERS"]);
            Assert.All(peers, peer => Assert.Equal($"{{{peer}.bindings.http.url}}", environment[$"services__{peer}__http__0"]));
            Assert.DoesNotContain($"services__{agent.Name}__http__0", environment.Keys);
        }
    }

    [Fact]
    public async Task Settings_and_the_key_are_parameters_that_every_agent_is_handed()
    {
        await using var model = await Model.CreateAsync("--Parameters:values=7");
        var parameters = model.Builder.Resources.OfType<ParameterResource>().ToDictionary(parameter => parameter.Name);
        Assert.Equal("ratified", await parameters["rule"].GetValueAsync(default));
        Assert.Equal("7", await parameters["values"].GetValueAsync(default));
        Assert.Equal("200", await parameters["window-ms"].GetValueAsync(default));
        var key = parameters["cluster-key"];
        Assert.True(key.Secret);
        Assert.InRange((await key.GetValueAsync(default))!.Length, 32, 64);
        foreach (var agent in model.Agents)
        {
            var environment = await Model.EnvironmentOf(agent);
            Assert.Equal("{rule.value}", environment["RULE"]);
            Assert.Equal("{values.value}", environment["VALUES"]);
            Assert.Equal("{window-ms.value}", environment["WINDOW_MS"]);
            Assert.Equal("{cluster-key.value}", environment["CLUSTER_KEY"]);
            Assert.Equal("true", environment["FAULTS"]);
            Assert.Equal(Path.Combine(model.Data, agent.Name + ".db"), environment["DATA"]);
        }
    }

    [Fact]
    public async Task Each_agent_has_its_commands_and_the_run_stands_out()
    {
        await using var model = await Model.CreateAsync();
        Assert.All(model.Agents, agent =>
        {
            var commands = agent.Annotations.OfType<ResourceCommandAnnotation>().Where(command => !command.Name.StartsWith("resource-", StringComparison.Ordinal)).ToList();
            Assert.Equal(
                ["Run consensus", "Run (classic rule)", "Reset", "Isolate", "Reconnect"],
                commands.Select(command => command.DisplayName));
            Assert.Equal(["run"], commands.Where(command => command.IsHighlighted).Select(command => command.Name));
            Assert.All(commands, command => Assert.NotEmpty(command.DisplayDescription!));
        });
    }

    [Theory]
    [InlineData("2", "--agents", "2")]
    [InlineData("1", "--agents=1")]
    [InlineData("5", "--Cluster:Agents=5")]
    public async Task A_cluster_has_as_many_agents_as_it_is_told(string size, params string[] args)
    {
        await using var model = await Model.CreateAsync(args);
        Assert.Equal(size, $"{model.Agents.Count}");
        Assert.Equal(model.Agents.Count - 1, (await Model.EnvironmentOf(model.Agents[0]))["PEERS"].Split(',', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData("agents", "0", "--agents is '0'; it must be a number from 1 to 101.")]
    [InlineData("agents", "102", "--agents is '102'; it must be a number from 1 to 101.")]
    [InlineData("Cluster:Agents", "many", "--agents is 'many'; it must be a number from 1 to 101.")]
    [InlineData("port", "65534", "--port is '65534'; it must be a number from 0 to 65533.")]
    [InlineData("port", "-1", "--port is '-1'; it must be a number from 0 to 65533.")]
    public void A_wrong_number_is_told_with_its_range(string key, string value, string complaint)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build();
        Assert.Equal(complaint, Consensus.AppHost.Cluster.Read(configuration, "data", out _));
    }

    [Fact]
    public void A_cluster_takes_as_many_agents_as_one_agent_does() =>
        Assert.Equal(Agent.Protocol.Machine.MaxAgents, Consensus.AppHost.Cluster.MaxAgents);
}
