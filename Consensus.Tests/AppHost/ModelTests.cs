using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Consensus.Hosting;

namespace Consensus.Tests.AppHost;

/// <summary>What AppHost.cs promises, without starting anything.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class ModelTests
{
    [Fact]
    public async Task Three_agents_refer_to_each_other_by_name()
    {
        await using var model = await Model.CreateAsync();
        Assert.Equal(["agent1", "agent2", "agent3"], model.Agents.Select(agent => agent.Name));
        foreach (var agent in model.Agents)
        {
            var endpoint = Assert.Single(agent.Annotations.OfType<EndpointAnnotation>());
            Assert.Equal(("http", "http", false), (endpoint.Name, endpoint.UriScheme, endpoint.IsProxied));
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
    public async Task Every_agent_is_a_child_of_the_cluster_and_has_a_health_check_of_its_own()
    {
        await using var model = await Model.CreateAsync();
        Assert.Equal("consensus", model.Cluster.Name);
        Assert.Equal(model.Agents, model.Cluster.Agents.Select(agent => agent.Agent));
        Assert.All(model.Agents, agent =>
        {
            var parent = Assert.Single(agent.Annotations.OfType<ResourceRelationshipAnnotation>(), relation => relation.Type == "Parent");
            Assert.Same(model.Cluster, parent.Resource);
            Assert.Equal([$"{agent.Name}_health"], agent.Annotations.OfType<HealthCheckAnnotation>().Select(check => check.Key));
        });
        var initial = Assert.Single(model.Cluster.Annotations.OfType<ResourceSnapshotAnnotation>()).InitialSnapshot;
        Assert.Equal(("Cluster", "Starting"), (initial.ResourceType, initial.State?.Text));
    }

    [Fact]
    public async Task Parameters_and_the_key_are_passed_to_every_agent()
    {
        await using var model = await Model.CreateAsync("--Parameters:values=7");
        var parameters = model.Builder.Resources.OfType<ParameterResource>().ToDictionary(parameter => parameter.Name);
        Assert.Equal("ratified", await parameters["rule"].GetValueAsync(default));
        Assert.Equal("7", await parameters["values"].GetValueAsync(default));
        Assert.Equal("200", await parameters["window-ms"].GetValueAsync(default));
        Assert.All([parameters["rule"], parameters["values"], parameters["window-ms"]], parameter =>
            Assert.Contains("counts from the next run", parameter.Description, StringComparison.Ordinal));
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
            Assert.Equal(Path.Combine(model.Data, "agents-3", agent.Name + ".db"), environment["DATA"]);
        }
    }

    [Theory]
    [InlineData("values", "0", "Parameters:values is '0'; it must be a whole number from 1 to 1000000000.")]
    [InlineData("rule", "unanimous", "Parameters:rule is 'unanimous'; it must be ratified or classic.")]
    [InlineData("window-ms", "1.5", "Parameters:window-ms is '1.5'; it must be a whole number from 0 to 60000.")]
    [InlineData(
        "cluster-key", "short",
        "Parameters:cluster-key must be 16 to 256 ASCII characters without spaces or line breaks; openssl rand -hex 32 makes a good one.")]
    public async Task A_wrong_parameter_is_refused_with_its_name_and_range(string name, string value, string message)
    {
        await using var model = await Model.CreateAsync($"--Parameters:{name}={value}");
        var parameter = model.Builder.Resources.OfType<ParameterResource>().Single(parameter => parameter.Name == name);
        var refused = await Assert.ThrowsAsync<DistributedApplicationException>(async () => await parameter.GetValueAsync(default));
        Assert.Equal(message, refused.Message);
    }

    [Fact]
    public async Task Each_resource_has_its_commands_and_the_runs_stand_out()
    {
        await using var model = await Model.CreateAsync();
        Assert.Equal(["Run consensus", "Run with options…", "Reset all", "Heal all"],
            OwnCommands(model.Cluster).Select(command => command.DisplayName));
        Assert.Equal(["run", "run-with"],
            OwnCommands(model.Cluster).Where(command => command.IsHighlighted).Select(command => command.Name));
        Assert.All(model.Agents, agent =>
        {
            Assert.Equal(["Run consensus", "Reset", "Isolate", "Reconnect"], OwnCommands(agent).Select(command => command.DisplayName));
            Assert.Equal(["run"], OwnCommands(agent).Where(command => command.IsHighlighted).Select(command => command.Name));
            Assert.All(OwnCommands(agent), command => Assert.NotEmpty(command.DisplayDescription!));
        });
    }

#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
    [Fact]
    public async Task Options_of_a_run_are_typed_and_name_the_agents()
    {
        await using var model = await Model.CreateAsync("--agents", "2");
        var arguments = OwnCommands(model.Cluster)
            .Single(command => command.Name == "run-with").Arguments.ToDictionary(argument => argument.Name);
        Assert.Equal(["rule", "draw", "values", "window-ms", "spread", "seed", "agent"], arguments.Keys);
        Assert.Equal(["default", "ratified", "classic"], arguments["rule"].Options!.Select(option => option.Key));
        Assert.Equal(["default", "fresh", "plurality"], arguments["draw"].Options!.Select(option => option.Key));
        Assert.Equal(["default", "direct", "relay"], arguments["spread"].Options!.Select(option => option.Key));
        Assert.Equal(["any", "agent1", "agent2"], arguments["agent"].Options!.Select(option => option.Key));
        Assert.All([arguments["values"], arguments["window-ms"], arguments["seed"]],
            argument => Assert.Equal(InputType.Text, argument.InputType));
        Assert.Equal("random", arguments["seed"].Placeholder);
    }
#pragma warning restore ASPIREINTERACTION001

    [Theory]
    [InlineData(1, "--agents=1")]
    [InlineData(2, "--agents", "2")]
    [InlineData(5, "--Cluster:Agents=5")]
    public async Task The_option_agents_sets_the_size_of_the_cluster(int size, params string[] args)
    {
        await using var model = await Model.CreateAsync(args);
        Assert.Equal(size, model.Agents.Count);
        Assert.Equal(size - 1,
            (await Model.EnvironmentOf(model.Agents[0]))["PEERS"].Split(',', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Settings_of_one_signal_in_the_shell_do_not_reach_the_agents()
    {
        // No program reads a setting with this prefix.
        const string Name = "UNUSED_OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        Environment.SetEnvironmentVariable(Name, "http://localhost:1");
        await using var model = await Model.CreateAsync();
        Environment.SetEnvironmentVariable(Name, null);
        Assert.All(await Task.WhenAll(model.Agents.Select(Model.EnvironmentOf)), environment => Assert.Equal("", environment[Name]));
    }

    [Fact]
    public async Task A_published_agent_has_probes_and_no_faults()
    {
        await using var model = await Model.CreateAsync(
            "--operation", "publish", "--publisher", "manifest", "--output-path", Path.GetTempFileName());
        Assert.All(model.Agents, agent =>
        {
#pragma warning disable ASPIREPROBES001 // Probes are marked experimental.
            var probes = agent.Annotations.OfType<EndpointProbeAnnotation>().ToDictionary(probe => probe.Type, probe => probe.Path);
            Assert.Equal("/health", probes[ProbeType.Readiness]);
            Assert.Equal("/alive", probes[ProbeType.Liveness]);
#pragma warning restore ASPIREPROBES001
        });
        var environment = await Model.EnvironmentOf(model.Agents[0]);
        Assert.DoesNotContain("FAULTS", environment.Keys);
    }

    private static List<ResourceCommandAnnotation> OwnCommands(IResource resource) =>
        [.. resource.Annotations.OfType<ResourceCommandAnnotation>()
            .Where(command => !command.Name.StartsWith("resource-", StringComparison.Ordinal))];
}
