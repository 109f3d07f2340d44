#pragma warning disable ASPIREPROBES001 // Probes of a published application.
using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Hosting;
using Consensus.Tests.AppHost;
using Microsoft.Extensions.Configuration;

namespace Consensus.Tests.Deploy;

/// <summary>The AppHost, compose.yaml and deploy/kubernetes.yaml describe the same cluster.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed partial class SameDeploymentTests
{
    /// <summary>How compose.yaml publishes a port: to this machine alone, unless PUBLISH names another address.</summary>
    private const string OnThisMachine = "${PUBLISH:-127.0.0.1}:";

    [Fact]
    public async Task Agents_have_the_same_names()
    {
        await using var model = await Model.CreateAsync();
        var names = model.Agents.Select(agent => agent.Name).ToList();
        var compose = ComposeFile.Read();
        Assert.Equal(names, compose.Agents.Keys);
        Assert.Equal(names, compose.Agents.Values.Select(agent => agent.Environment["AGENT_ID"]));
        Assert.Equal(names, KubernetesFile.PodNames.Select(KubernetesFile.IdOf));
    }

    [Fact]
    public void Agents_have_the_same_ports()
    {
        Assert.Null(ClusterOptions.Read(new ConfigurationBuilder().Build(), "data", out var options));
        var agents = ComposeFile.Read().Agents;
        var inside = ImagePort();
        Assert.Equal(
            Enumerable.Range(1, options.Agents).Select(number => $"{OnThisMachine}{options.PortOf(number)}:{inside}"),
            agents.Values.Select(agent => Assert.Single(agent.Ports)));
        Assert.All(agents.Values,
            agent => Assert.Equal(agents.Keys.Select(name => $"http://{name}:{inside}"), agent.Environment["PEERS"].Split(',')));
        Assert.Equal(inside, $"{KubernetesFile.Container.Ports.Single().ContainerPort}");
    }

    [Fact]
    public async Task Agents_have_the_same_settings()
    {
        await using var model = await Model.CreateAsync();
        var settings = (await Model.EnvironmentOf(model.Agents[0])).Keys
            .Where(key => !OfAspire().IsMatch(key))

            // Breaking calls on purpose is for watching on a development machine.
            .Where(key => key != "FAULTS").Append("OTEL_EXPORTER_OTLP_ENDPOINT").Order().ToList();
        Assert.Contains("CLUSTER_KEY", settings);
        Assert.All(ComposeFile.Read().Agents.Values, agent => Assert.Equal(settings, agent.Environment.Keys.Order()));
        Assert.Equal(settings, KubernetesFile.Container.Env.Select(variable => variable.Name).Where(name => name != "INDEX").Order());
    }

    /// <summary>Empty settings are the agent's defaults, and those are the AppHost's.</summary>
    [Fact]
    public async Task A_run_means_the_same()
    {
        await using var model = await Model.CreateAsync();
        var parameters = model.Builder.Resources.OfType<ParameterResource>().ToDictionary(parameter => parameter.Name);
        var fromAppHost = new Dictionary<string, string?> { ["AGENT_ID"] = "a" };
        foreach (var key in new[] { "RULE", "VALUES", "WINDOW_MS" })
        {
            fromAppHost[key] = await parameters[key.ToLowerInvariant().Replace('_', '-')].GetValueAsync(default);
        }

        var withoutSettings = Defaults(new() { ["AGENT_ID"] = "a" }).Or(new Consensus.Protocol.RunRequest(
            Rule: Consensus.Protocol.Rule.Ratified, Values: Consensus.Protocol.RunRequest.DefaultValues,
            WindowMs: Consensus.Protocol.ProtocolTiming.DefaultWindowMs));
        Assert.Equal(withoutSettings, Defaults(fromAppHost));
        Assert.All(new[] { "RULE", "VALUES", "WINDOW_MS" }, key =>
        {
            Assert.Empty(KubernetesFile.ValueOf(key));
            Assert.All(ComposeFile.Read().Agents.Values, agent => Assert.Equal($"${{{key}:-}}", agent.Environment[key]));
        });
    }

    [Fact]
    public async Task Agents_are_ready_by_the_same_answer()
    {
        await using var model = await Model.CreateAsync("--operation", "publish");
        var (ready, live) = (KubernetesFile.Container.ReadinessProbe.HttpGet.Path, KubernetesFile.Container.LivenessProbe.HttpGet.Path);
        Assert.All(model.Agents, agent => Assert.Equal(
            [(ProbeType.Readiness, ready), (ProbeType.Liveness, live)],
            agent.Annotations.OfType<EndpointProbeAnnotation>().Select(probe => (probe.Type, probe.Path))));
        Assert.Equal(
            (Microsoft.Extensions.Hosting.Extensions.HealthPath, Microsoft.Extensions.Hosting.Extensions.AlivePath), (ready, live));

        // Compose uses the image's own check: the command that asks /health.
        Assert.Equal(2, HealthCheck().Count(Dockerfile()));
    }

    [Fact]
    public async Task Agents_persist_their_decisions_in_the_same_place()
    {
        await using var model = await Model.CreateAsync("--operation", "publish");
        var published = model.Agents.ToDictionary(agent => agent.Name);
        var compose = ComposeFile.Read();
        var (data, folder) = (KubernetesFile.ValueOf("DATA"), KubernetesFile.Container.VolumeMounts.Single().MountPath);
        foreach (var (name, agent) in compose.Agents)
        {
            Assert.Equal(data, agent.Environment["DATA"]);
            Assert.Equal($"{name}-data:{folder}", Assert.Single(agent.Volumes));
            Assert.Contains($"{name}-data", compose.Volumes.Keys);

            var volume = Assert.Single(published[name].Annotations.OfType<ContainerMountAnnotation>());
            Assert.Equal(($"{name}-data", folder, ContainerMountType.Volume, false),
                (volume.Source, volume.Target, volume.Type, volume.IsReadOnly));
            Assert.Equal(data, (await Model.EnvironmentOf(published[name]))["DATA"]);
        }
    }

    [Fact]
    public async Task Agents_come_from_the_same_image()
    {
        await using var model = await Model.CreateAsync("--operation", "publish");
        var compose = ComposeFile.Read();
        Assert.All(compose.Agents.Values, agent => Assert.Equal(".", agent.Build?.Context));
        Assert.Equal(compose.Agents.Keys, model.Agents.Select(agent => agent.Name));
        Assert.All(model.Agents, agent => Assert.Equal(
            Path.Combine(SourceTree.Root, "Dockerfile"),
            Assert.Single(agent.Annotations.OfType<DockerfileBuildAnnotation>()).DockerfilePath));
        Assert.Equal(compose.Agents.Values.Select(agent => agent.Image).Distinct(), [KubernetesFile.Container.Image]);
    }

    [Fact]
    public void Agents_have_no_more_rights_in_one_than_in_the_other()
    {
        var pod = KubernetesFile.Pod;
        Assert.Equal(
            [$"USER {pod.SecurityContext.RunAsUser}:{pod.SecurityContext.RunAsGroup}"],
            Dockerfile().Split('\n').Where(line => line.StartsWith("USER ", StringComparison.Ordinal)).Distinct());
        Assert.All(ComposeFile.Read().Agents.Values, agent =>
        {
            Assert.True(agent.ReadOnly);
            Assert.Equal(["ALL"], agent.CapDrop);
            Assert.Equal(["no-new-privileges:true"], agent.SecurityOpt);
            Assert.Equal($"{pod.TerminationGracePeriodSeconds}s", agent.StopGracePeriod);
            Assert.StartsWith("${CLUSTER_KEY:?", agent.Environment["CLUSTER_KEY"], StringComparison.Ordinal);
        });
    }

    [Fact]
    public void The_dashboard_starts_only_when_it_is_asked_for_and_other_machines_do_not_reach_it_unless_asked() =>
        Assert.Equal(
            [("dashboard", $"{OnThisMachine}18888:18888")],
            ComposeFile.Read().Services.Where(service => service.Value.Profiles.Count > 0)
                .Select(service => (service.Key, service.Value.Ports.Single())));

    internal static string Dockerfile() => File.ReadAllText(Path.Combine(SourceTree.Root, "Dockerfile"));

    private static string ImagePort() => Assert.Single(Exposed().Matches(Dockerfile()).Select(match => match.Groups[1].Value).Distinct());

    private static Consensus.Protocol.RunRequest Defaults(Dictionary<string, string?> settings) =>
        AgentOptions.From(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).Defaults;

    /// <summary>
    /// Service discovery and telemetry of a development machine; all else that the AppHost sets is a setting of the agent.
    /// </summary>
    [GeneratedRegex("^(services__|AGENT[0-9]+_|OTEL_|ASPNETCORE_|DOTNET_|HTTPS?_PORTS)")]
    private static partial Regex OfAspire();

    [GeneratedRegex(@"^(?:EXPOSE |ENV ASPNETCORE_HTTP_PORTS=)(\d+)", RegexOptions.Multiline)]
    private static partial Regex Exposed();

    [GeneratedRegex("""^HEALTHCHECK .*CMD \["/app/Consensus.Agent", "health"\]$""", RegexOptions.Multiline)]
    private static partial Regex HealthCheck();
}
