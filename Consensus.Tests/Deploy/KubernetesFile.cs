using k8s;
using k8s.Models;

namespace Consensus.Tests.Deploy;

/// <summary>deploy/kubernetes.yaml as typed objects. A field that Kubernetes does not have is an error.</summary>
internal static class KubernetesFile
{
    public static IReadOnlyList<object> Objects { get; } =
        KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(SourceTree.Root, "deploy", "kubernetes.yaml")), strict: true);

    public static V1StatefulSet Agents => Objects.OfType<V1StatefulSet>().Single();

    public static V1PodSpec Pod => Agents.Spec.Template.Spec;

    public static V1Container Container => Pod.Containers.Single();

    /// <summary>The service that gives the pods their names.</summary>
    public static V1Service Headless => Objects.OfType<V1Service>().Single(service => service.Metadata.Name == Agents.Spec.ServiceName);

    /// <summary>The names that Kubernetes gives the pods, within the namespace, in order.</summary>
    public static IReadOnlyList<string> PodNames =>
        [.. Enumerable.Range(Agents.Spec.Ordinals.Start ?? 0, Agents.Spec.Replicas!.Value)
            .Select(number => $"{Agents.Metadata.Name}-{number}")];

    /// <summary>A variable of the agents' environment, where it has a fixed value.</summary>
    public static string ValueOf(string key) => Container.Env.Single(variable => variable.Name == key).Value;

    /// <summary>An agent's id: the variables that the value refers to are put in, as Kubernetes does.</summary>
    public static string IdOf(string pod)
    {
        var index = Container.Env.Single(variable => variable.Name == "INDEX").ValueFrom.FieldRef.FieldPath;
        Assert.Equal("metadata.labels['apps.kubernetes.io/pod-index']", index);
        return ValueOf("AGENT_ID").Replace("$(INDEX)", pod[(pod.LastIndexOf('-') + 1)..], StringComparison.Ordinal);
    }
}
