using System.Text.RegularExpressions;
using Mono.Cecil;

namespace Consensus.Tests.Architecture;

/// <summary>
/// Which namespace may know which, in every project of the system. Edges come from the compiled assemblies, and from the usings of the
/// sources, because the compiler leaves no trace of a constant's owner.
/// </summary>
[Trait(Category.Name, Category.Fast)]
public sealed partial class NamespaceTests
{
    private const string Prefix = "Consensus.";

    /// <summary>
    /// In order: a namespace may know those above it, and only those listed beside it. Names are without "Consensus.". A project's types in
    /// the namespaces of Microsoft and Aspire are its root's. Its Program is what it starts with.
    /// </summary>
    private static readonly (string Name, string[] Known)[] Allowed =
    [
        ("Protocol", []),
        ("ServiceDefaults", ["Protocol"]),
        ("Simulation", ["Protocol"]),
        ("Simulation.Explanations", ["Protocol", "Simulation"]),
        ("Simulation.Seeded", ["Protocol", "Simulation", "Simulation.Explanations"]),
        ("Simulation.Mutants", ["Protocol", "Simulation", "Simulation.Seeded"]),
        ("Simulation.ModelChecking", ["Protocol", "Simulation", "Simulation.Explanations"]),
        ("Simulation.Exploration", ["Protocol", "Simulation", "Simulation.ModelChecking", "Simulation.Mutants", "Simulation.Seeded"]),
        ("Timeline", ["Protocol", "Simulation", "Simulation.Explanations"]),
        ("Conformance", ["Protocol", "ServiceDefaults", "Simulation", "Simulation.Explanations", "Simulation.Seeded", "Timeline"]),
        ("Agent.Configuration", ["Protocol", "ServiceDefaults"]),
        ("Agent.Telemetry", ["Agent.Configuration", "Protocol", "ServiceDefaults"]),
        ("Agent.Storage", ["Protocol", "ServiceDefaults", "Timeline"]),
        ("Agent.Peers", ["Agent.Configuration", "Agent.Telemetry", "Protocol", "ServiceDefaults"]),
        ("Agent.Recorder", ["Agent.Peers", "Protocol", "Timeline"]),
        ("Agent.Hosting", [
            "Agent.Configuration", "Agent.Peers", "Agent.Recorder", "Agent.Storage", "Agent.Telemetry", "Protocol", "ServiceDefaults",
            "Timeline"]),
        ("Agent.Http", ["Agent.Configuration", "Agent.Hosting", "Agent.Peers", "Agent.Telemetry", "Protocol", "ServiceDefaults"]),
        ("Agent.Api", [
            "Agent.Configuration", "Agent.Hosting", "Agent.Http", "Agent.Peers", "Agent.Recorder", "Agent.Telemetry", "Protocol",
            "Simulation", "Simulation.Exploration", "Simulation.ModelChecking", "Timeline"]),
        ("Agent.Lab", [
            "Agent.Api", "Agent.Hosting", "Agent.Http", "Protocol", "Simulation", "Simulation.Explanations", "Simulation.Exploration",
            "Simulation.ModelChecking", "Simulation.Mutants", "Simulation.Seeded", "Timeline"]),
        ("Agent.Links", [
            "Agent.Api", "Agent.Configuration", "Agent.Http", "Agent.Lab", "Conformance", "Protocol", "ServiceDefaults", "Simulation",
            "Timeline"]),
        ("Agent", [
            "Agent.Api", "Agent.Configuration", "Agent.Hosting", "Agent.Http", "Agent.Lab", "Agent.Peers", "Agent.Recorder",
            "Agent.Storage", "Agent.Telemetry", "Protocol", "ServiceDefaults"]),
        ("Agent.Commands", [
            "Agent", "Agent.Api", "Agent.Configuration", "Agent.Http", "Agent.Links", "Conformance", "Protocol", "ServiceDefaults",
            "Simulation", "Simulation.ModelChecking", "Simulation.Seeded", "Timeline"]),
        ("Agent.Program", ["Agent.Commands", "ServiceDefaults"]),
        ("Hosting", ["Protocol"]),
        ("AppHost.Program", ["Hosting", "ServiceDefaults"]),
    ];

    private static readonly IReadOnlyList<string> Projects =
    [
        .. Directory.EnumerateDirectories(SourceTree.Root, Prefix + "*").Select(folder => Path.GetFileName(folder)[Prefix.Length..])
            .Except(["Tests", "Benchmarks"]),
    ];

    private static readonly Dictionary<string, List<Source>> Sources = Projects.ToDictionary(project => project, ReadSources);

    /// <summary>A file of sources, and the name of its namespace in the list.</summary>
    private sealed record Source(string Name, string Namespace, string Text);

    [Fact]
    public void Each_namespace_knows_those_that_it_may_and_no_others()
    {
        var edges = Projects.SelectMany(project => CompiledEdges(project).Concat(UsingEdges(project)))
            .Where(edge => edge.User != edge.Used).ToHashSet();
        var allowed = Allowed.SelectMany(one => one.Known.Select(known => (User: one.Name, Used: known))).ToList();
        List<string> wrong =
        [
            .. edges.Except(allowed).Order().Select(edge => $"{edge.User} knows {edge.Used}, which is not listed"),
            .. allowed.Except(edges).Order().Select(edge => $"{edge.User} no longer knows {edge.Used}: take it off the list"),
        ];
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void The_list_has_no_cycle_and_every_namespace()
    {
        for (var i = 0; i < Allowed.Length; i++)
        {
            Assert.Subset(Allowed.Take(i).Select(one => one.Name).ToHashSet(), Allowed[i].Known.ToHashSet());
        }

        var written = Sources.Values.SelectMany(all => all).Select(source => source.Name).Distinct();
        Assert.Equal(Allowed.Select(one => one.Name).Order(), written.Order());
    }

    private static List<Source> ReadSources(string project) =>
    [
        .. from file in Directory.EnumerateFiles(Path.Combine(SourceTree.Root, Prefix + project), "*.cs", SearchOption.AllDirectories)
           where !Generated().IsMatch(file)
           let text = File.ReadAllText(file)
           let name = Namespace().Match(text).Groups[1].Value
           select new Source(NameOf(project, name), name, text),
    ];

    private static string NameOf(string project, string name) => name.Length == 0 ? project + ".Program"
        : name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : project;

    private static List<(string User, string Used)> CompiledEdges(string project)
    {
        using var code = new CompiledCode(Path.Combine(AppContext.BaseDirectory, Prefix + project + ".dll"));
        return
        [
            .. from use in code.Uses()
               where IsWritten(project, use.User)
               let owner = OwnerOf(use.Used)
               where IsWritten(owner, use.Used)
               select (NameOf(project, use.User.Namespace), NameOf(owner, use.Used.Namespace)),
        ];
    }

    /// <summary>Whether a project holds the type, and not by a generator, whose types are in namespaces of their own.</summary>
    private static bool IsWritten(string project, TypeReference type) =>
        Sources.TryGetValue(project, out var sources) && sources.Exists(source => source.Namespace == type.Namespace)
            && (type.Namespace.Length > 0 || type.Name == "Program");

    /// <summary>The project whose assembly holds the type; empty: none of ours.</summary>
    private static string OwnerOf(TypeReference type)
    {
        var name = type.Scope is ModuleDefinition module ? module.Assembly.Name.Name : type.Scope.Name;
        return name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : "";
    }

    private static IEnumerable<(string User, string Used)> UsingEdges(string project) =>
        from source in Sources[project]
        from Match used in Using().Matches(source.Text)
        let name = used.Groups[1].Value
        let known = Allowed.Select(one => one.Name).Where(one => $"{name}.".StartsWith($"{one}.", StringComparison.Ordinal))
            .MaxBy(one => one.Length)
        select (source.Name, known ?? name);

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using (?:static |\w+ = )?Consensus\.([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex(@"[\\/](bin|obj)[\\/]")]
    private static partial Regex Generated();
}
