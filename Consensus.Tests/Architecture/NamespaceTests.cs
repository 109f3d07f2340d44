using System.Text.RegularExpressions;
using Consensus.Agent;

namespace Consensus.Tests.Architecture;

/// <summary>
/// Which namespace of the agent may know which. Edges come from the compiled assembly, and from the usings of its sources,
/// because the compiler leaves no trace of a constant's owner.
/// </summary>
[Trait(Category.Name, Category.Fast)]
public sealed partial class NamespaceTests
{
    /// <summary>In order: a namespace may know those above it, and only those listed beside it.</summary>
    private static readonly (string Name, string[] Known)[] Allowed =
    [
        ("Configuration", []),
        ("Telemetry", ["Configuration"]),
        ("Storage", []),
        ("Peers", ["Configuration", "Telemetry"]),
        ("Recorder", ["Peers"]),
        ("Hosting", ["Configuration", "Peers", "Recorder", "Storage", "Telemetry"]),
        ("Http", ["Configuration", "Hosting", "Peers", "Telemetry"]),
        ("Api", ["Configuration", "Hosting", "Http", "Peers", "Recorder", "Telemetry"]),
        ("Lab", ["Api", "Hosting", "Http"]),
        ("Links", ["Api", "Configuration", "Http", "Lab"]),
        (Root, ["Api", "Configuration", "Hosting", "Http", "Lab", "Peers", "Recorder", "Storage", "Telemetry"]),
        ("Commands", ["Api", "Configuration", "Http", "Links", Root]),
    ];

    /// <summary>The types beside Program.cs, which put an agent together.</summary>
    private const string Root = "Consensus.Agent";

    [Fact]
    public void Each_namespace_of_the_agent_knows_those_that_it_may_and_no_others()
    {
        var edges = CompiledEdges().Concat(UsingEdges()).Where(edge => edge.User != edge.Used).ToHashSet();
        var allowed = Allowed.SelectMany(one => one.Known.Select(known => (User: one.Name, Used: known))).ToList();
        Assert.Equal([], edges.Except(allowed).Select(edge => $"{edge.User} knows {edge.Used}, which is not listed"));
        Assert.Equal([], allowed.Except(edges).Select(edge => $"{edge.User} no longer knows {edge.Used}: take it off the list"));
    }

    [Fact]
    public void The_list_has_no_cycle_and_every_namespace()
    {
        for (var i = 0; i < Allowed.Length; i++)
        {
            Assert.Subset(Allowed.Take(i).Select(one => one.Name).ToHashSet(), Allowed[i].Known.ToHashSet());
        }

        var folders = Directory.GetDirectories(Sources).Where(folder => Directory.EnumerateFiles(folder, "*.cs").Any()).Select(folder => Path.GetFileName(folder)!);
        Assert.Equal(Allowed.Select(one => one.Name).Where(name => name != Root).Order(), folders.Order());
    }

    private static string Sources => Path.Combine(SourceTree.Root, "Consensus.Agent");

    private static List<(string User, string Used)> CompiledEdges()
    {
        using var code = new CompiledCode(typeof(AgentApplication));
        return [.. code.Uses().Select(use => (use.User.Namespace, use.Used.Namespace)).Distinct().Where(use => IsOurs(use.Item1) && IsOurs(use.Item2)).Select(use => (Short(use.Item1), Short(use.Item2)))];
    }

    private static IEnumerable<(string User, string Used)> UsingEdges() =>
        from file in Directory.EnumerateFiles(Sources, "*.cs", SearchOption.AllDirectories)
        where !Generated().IsMatch(file)
        let text = File.ReadAllText(file)
        where Namespace().IsMatch(text)
        from used in Using().Matches(text)
        select (Short(Namespace().Match(text).Groups[1].Value), Short(used.Groups[1].Value));

    private static bool IsOurs(string name) => name == Root || name.StartsWith(Root + ".", StringComparison.Ordinal);

    private static string Short(string name) => name == Root ? Root : name[(Root.Length + 1)..].Split('.')[0];

    [GeneratedRegex(@"^namespace (Consensus\.Agent[\w.]*);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using (?:\w+ = )?(Consensus\.Agent[\w.]*);", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex(@"[\\/](bin|obj)[\\/]")]
    private static partial Regex Generated();
}
