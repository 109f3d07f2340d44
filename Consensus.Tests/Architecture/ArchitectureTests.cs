using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Consensus.Agent;
using Consensus.Agent.Hosting;
using Consensus.Protocol;
using Consensus.Simulation.Mutants;
using Consensus.Simulation.Seeded;
using Consensus.Timeline;

namespace Consensus.Tests.Architecture;

/// <summary>
/// What may know what, where neither the references of a project nor the banned symbols of Consensus.Protocol and
/// Consensus.Simulation hold it.
/// </summary>
[Trait(Category.Name, Category.Fast)]
public sealed partial class ArchitectureTests
{
    [Theory]
    [InlineData(typeof(AgentStateMachine), new string[0])]
    [InlineData(typeof(Simulator), new[] { "Consensus.Protocol" })]
    [InlineData(typeof(TimelineMerger), new[] { "Consensus.Protocol", "Consensus.Simulation" })]
    public void A_pure_library_references_the_base_library_and_only_these_projects(Type ofAssembly, string[] projects)
    {
        using var code = new CompiledCode(ofAssembly);
        var references = code.References.ToList();
        Assert.NotEmpty(references);
        Assert.DoesNotContain(references, reference =>
            !projects.Contains(reference) && !File.Exists(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), reference + ".dll")));
    }

    /// <summary>A lock names no symbol in the source, so that the analyzer of banned symbols does not see it.</summary>
    [Fact]
    public void The_protocol_uses_no_lock_and_no_thread()
    {
        using var code = new CompiledCode(typeof(AgentStateMachine));
        Assert.NotEmpty(code.ForeignTypes);
        Assert.DoesNotContain(code.ForeignTypes, type => type.StartsWith("System.Threading.", StringComparison.Ordinal));
    }

    [Fact]
    public void The_protocol_has_no_static_field_that_changes()
    {
        var changing = typeof(AgentStateMachine).Assembly.GetTypes()
            .SelectMany(
                type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(field => !field.IsLiteral && !field.IsInitOnly && !field.Name.Contains('<', StringComparison.Ordinal))
            .Select(field => $"{field.DeclaringType!.Name}.{field.Name}");
        Assert.Empty(changing);
    }

    /// <summary>Constants of the machine are compiled in, so they are no use of it.</summary>
    [Theory]
    [InlineData(typeof(AgentApplication), "Consensus.Agent.Api")]
    [InlineData(typeof(AgentApplication), "Consensus.Agent.Http")]
    [InlineData(typeof(AgentApplication), "Consensus.Agent.Peers")]
    [InlineData(typeof(AgentApplication), "Consensus.Agent.Recorder")]
    [InlineData(typeof(TimelineMerger), "Consensus.Timeline")]
    public void A_namespace_that_does_not_drive_the_machine_does_not_use_it(Type ofAssembly, string name)
    {
        using var code = new CompiledCode(ofAssembly);
        var uses = code.Uses().Where(use => use.User.Namespace == name).ToList();
        Assert.NotEmpty(uses);
        Assert.DoesNotContain(uses, use => use.Used.FullName == typeof(AgentStateMachine).FullName);
    }

    /// <summary>Only simulations may choose a mutant.</summary>
    [Fact]
    public void No_real_agent_uses_a_mutant()
    {
        using var code = new CompiledCode(typeof(AgentApplication));
        var users = code.Uses().Where(use => use.Used.Namespace == typeof(Mutant).Namespace).Select(use => use.User.Name);
        Assert.Empty(users.Except(["SimulateApi", "SimulationQuery", "SimulateCommand", "CheckCommand"]));
    }

    [Theory]
    [InlineData("*.cs")]
    [InlineData("*.js")]
    public void No_source_file_is_too_long_to_read(string files)
    {
        var tooLong = Sources(files).Select(path => (Path: Relative(path), Lines: File.ReadLines(path).Count()))
            .Where(file => file.Lines > 350);
        Assert.Empty(tooLong);
    }

    [Theory]
    [InlineData("*.cs")]
    [InlineData("*.js")]
    [InlineData("*.css")]
    [InlineData("*.csproj")]
    [InlineData("*.props")]
    [InlineData("*.targets")]
    [InlineData("Dockerfile")]
    [InlineData("*", ".ci")]
    public void No_line_is_too_long_to_read(string files, string folder = "")
    {
        var sources = Sources(files, folder).ToList();
        Assert.NotEmpty(sources);
        var tooLong = sources.SelectMany(path => File.ReadLines(path).Index()
            .Where(line => line.Item.EnumerateRunes().Count() > 140)
            .Select(line => $"{Relative(path)}:{line.Index + 1}"));
        Assert.Empty(tooLong);
    }

    private static IEnumerable<string> Sources(string files, string folder = "") =>
        Directory.EnumerateFiles(Path.Combine(SourceTree.Root, folder), files, SearchOption.AllDirectories)
            .Where(path => !Generated().IsMatch(path));

    private static string Relative(string path) => Path.GetRelativePath(SourceTree.Root, path);

    [GeneratedRegex(@"[\\/](bin|obj)[\\/]")]
    private static partial Regex Generated();
}
