using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using k8s.Models;
using Microsoft.Extensions.Configuration;
using YamlDotNet.Serialization;

namespace Consensus.Tests.Deploy;

/// <summary>What deploy/kubernetes.yaml promises.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class KubernetesTests
{
    [Fact]
    public void Kustomize_applies_the_file_that_these_tests_read()
    {
        var file = File.ReadAllText(Path.Combine(SourceTree.Root, "deploy", "kustomization.yaml"));
        Assert.Equal(["kubernetes.yaml"], (List<object>)new Deserializer().Deserialize<Dictionary<string, object>>(file)["resources"]);
    }

    [Fact]
    public void Every_agent_reaches_the_others_by_the_pods_stable_names()
    {
        Assert.Equal("None", KubernetesFile.Headless.Spec.ClusterIP);
        var port = Assert.Single(KubernetesFile.Container.Ports).ContainerPort;
        Assert.Equal(
            KubernetesFile.PodNames.Select(pod => $"http://{pod}.{KubernetesFile.Headless.Metadata.Name}:{port}"),
            KubernetesFile.ValueOf("PEERS").Split(','));
    }

    /// <summary>The agent's own check: the list names each pod, and with it the agent itself.</summary>
    [Fact]
    public void The_agent_accepts_its_environment()
    {
        var settings = KubernetesFile.Container.Env.ToDictionary(variable => variable.Name, variable => (string?)variable.Value);
        settings["AGENT_ID"] = KubernetesFile.IdOf(KubernetesFile.PodNames[0]);
        settings["CLUSTER_KEY"] = new string('k', 64);
        settings["PEERS"] = settings["PEERS"]!.Replace(
            KubernetesFile.PodNames[0] + ".", Environment.MachineName + ".", StringComparison.Ordinal);
        settings["http_ports"] = "8080";
        var options = AgentOptions.From(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        Assert.Equal(KubernetesFile.PodNames.Count - 1, options.Peers.Count);
        Assert.Equal(AgentOptions.From(new ConfigurationBuilder().AddInMemoryCollection([new("AGENT_ID", "a")]).Build()).Defaults,
            options.Defaults);
        Assert.StartsWith(Assert.Single(KubernetesFile.Container.VolumeMounts).MountPath + "/", options.Data, StringComparison.Ordinal);
    }

    /// <summary>After a loss of all nodes, no agent waits for another one to be ready.</summary>
    [Fact]
    public void Agents_start_at_once_and_reach_each_other_before_they_are_ready()
    {
        Assert.Equal("Parallel", KubernetesFile.Agents.Spec.PodManagementPolicy);
        Assert.True(KubernetesFile.Headless.Spec.PublishNotReadyAddresses);
    }

    [Fact]
    public void An_agent_is_restarted_for_its_own_failure_only_and_called_when_it_is_ready()
    {
        Assert.Equal("/alive", KubernetesFile.Container.LivenessProbe.HttpGet.Path);
        Assert.Equal("/alive", KubernetesFile.Container.StartupProbe.HttpGet.Path);
        Assert.Equal("/health", KubernetesFile.Container.ReadinessProbe.HttpGet.Path);
    }

    [Fact]
    public void Pods_have_no_root_no_privileges_and_a_read_only_image()
    {
        var pod = KubernetesFile.Pod.SecurityContext;
        var container = KubernetesFile.Container.SecurityContext;
        Assert.True(pod.RunAsNonRoot);
        Assert.NotEqual(0, pod.RunAsUser);
        Assert.Equal("RuntimeDefault", pod.SeccompProfile.Type);
        Assert.True(container.ReadOnlyRootFilesystem);
        Assert.False(container.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], container.Capabilities.Drop);
        Assert.Null(container.Capabilities.Add);
        Assert.False(KubernetesFile.Pod.AutomountServiceAccountToken);
        Assert.NotEmpty(KubernetesFile.Container.Resources.Requests);
        Assert.Contains("memory", KubernetesFile.Container.Resources.Limits.Keys);
    }

    [Fact]
    public void The_key_is_a_secret_that_the_file_does_not_hold()
    {
        var key = KubernetesFile.Container.Env.Single(variable => variable.Name == "CLUSTER_KEY");
        Assert.Null(key.Value);
        Assert.Equal(("consensus", "CLUSTER_KEY"), (key.ValueFrom.SecretKeyRef.Name, key.ValueFrom.SecretKeyRef.Key));
        Assert.NotEqual(true, key.ValueFrom.SecretKeyRef.Optional);
        Assert.Empty(KubernetesFile.Objects.OfType<V1Secret>());
    }

    /// <summary>Whether a node is drained or the agents are updated, a quorum of them stays.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void A_disruption_leaves_a_quorum(int agents)
    {
        var budget = KubernetesFile.Objects.OfType<V1PodDisruptionBudget>().Single().Spec;
        Assert.Null(budget.MinAvailable);
        var quorum = (agents / 2) + 1;
        Assert.InRange(agents - int.Parse(budget.MaxUnavailable, System.Globalization.CultureInfo.InvariantCulture), quorum, agents - 1);
        Assert.Equal("RollingUpdate", KubernetesFile.Agents.Spec.UpdateStrategy.Type);
        Assert.Null(KubernetesFile.Agents.Spec.UpdateStrategy.RollingUpdate?.MaxUnavailable);

        // An agent without a decision asks its peers every 2 s, so it has the newest one before the next agent stops.
        Assert.True(KubernetesFile.Agents.Spec.MinReadySeconds > 2);
    }

    [Fact]
    public void Two_agents_never_share_a_node()
    {
        var term = Assert.Single(KubernetesFile.Pod.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution);
        Assert.Equal("kubernetes.io/hostname", term.TopologyKey);
        AssertSelectsAgents(term.LabelSelector.MatchLabels);
    }

    [Fact]
    public void Each_agent_has_a_volume_of_its_own_that_outlives_the_pod()
    {
        var claim = Assert.Single(KubernetesFile.Agents.Spec.VolumeClaimTemplates);
        var mount = Assert.Single(KubernetesFile.Container.VolumeMounts);
        Assert.Equal(claim.Metadata.Name, mount.Name);
        Assert.NotEqual(true, mount.ReadOnlyProperty);
        Assert.Equal(["ReadWriteOnce"], claim.Spec.AccessModes);

        // The user of the pod may write it.
        Assert.Equal(KubernetesFile.Pod.SecurityContext.RunAsGroup, KubernetesFile.Pod.SecurityContext.FsGroup);
        Assert.NotEqual("Delete", KubernetesFile.Agents.Spec.PersistentVolumeClaimRetentionPolicy?.WhenScaled);
        Assert.NotEqual("Delete", KubernetesFile.Agents.Spec.PersistentVolumeClaimRetentionPolicy?.WhenDeleted);
    }

    [Fact]
    public void Every_selector_selects_the_agents()
    {
        AssertSelectsAgents(KubernetesFile.Agents.Spec.Selector.MatchLabels);
        AssertSelectsAgents(KubernetesFile.Objects.OfType<V1PodDisruptionBudget>().Single().Spec.Selector.MatchLabels);
        Assert.All(KubernetesFile.Objects.OfType<V1Service>(), service =>
        {
            AssertSelectsAgents(service.Spec.Selector);
            Assert.Equal(KubernetesFile.Container.Ports.Single().Name, (string)Assert.Single(service.Spec.Ports).TargetPort);
        });
    }

    private static void AssertSelectsAgents(IDictionary<string, string> selector)
    {
        Assert.NotEmpty(selector);
        Assert.Subset(KubernetesFile.Agents.Spec.Template.Metadata.Labels.ToHashSet(), selector.ToHashSet());
    }
}
