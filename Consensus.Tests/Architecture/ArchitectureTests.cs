using System.Reflection;
using System.Text.RegularExpressions;
using Consensus.Protocol;
using Consensus.Simulation.Worlds;

namespace Consensus.Tests.Walls;

/// <summary>
/// What may know what. Each folder of the agent is a namespace; the sources are read with their comments and strings
/// taken out, so that a name written in full counts as much as a using.
/// </summary>
public sealed partial class WallTests
{
    private static readonly string[] Folders = ["Api", "Commands", "Hosting", "Peers", "Protocol", "Simulation", "Storage", "Telemetry", "Timeline"];

    [Theory]
    [InlineData("Protocol", "")]
    [InlineData("Simulation", "Protocol")]
    public void A_folder_knows_no_other_than_these(string folder, string known)
    {
        var strangers = Folders.Where(other => other != folder && other != known).ToArray();
        var names = new Regex($@"\b(Consensus\.(Agent\.)?({string.Join('|', strangers)})|Microsoft|OpenTelemetry|Polly|Spectre|System\.(Net|CommandLine|Diagnostics\.Metrics))\b");
        Assert.Empty(Found(folder, names));
    }

    [Fact]
    public void The_core_does_no_IO_and_knows_no_clock_no_thread_and_no_chance_but_its_own() =>
        Assert.Empty(Found("Protocol", Impure()));

    [Fact]
    public void The_core_holds_nothing_static_that_changes()
    {
        var changing = Types("Protocol")
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(field => !field.IsLiteral && !field.IsInitOnly && !field.Name.Contains('<', StringComparison.Ordinal))
            .Select(field => $"{field.DeclaringType!.Name}.{field.Name}");
        Assert.Empty(changing);
    }

    [Fact]
    public void The_core_s_fields_parameters_and_bases_are_its_own_or_the_base_library_s()
    {
        var foreign = Types("Protocol").SelectMany(Mentioned).Where(type => !IsBaseLibrary(type) && type.Namespace != typeof(Machine).Namespace)
            .Select(type => type.FullName).Distinct();
        Assert.Empty(foreign);
    }

    [Theory]
    [InlineData("Api")]
    [InlineData("Peers")]
    [InlineData("Timeline")]
    public void A_folder_hands_the_machine_inputs_and_never_holds_one(string folder)
    {
        Assert.DoesNotContain(typeof(Machine), Types(folder).SelectMany(Mentioned));

        // Its limits are constants; nothing else of it is named.
        Assert.Empty(Found(folder, new Regex(@"\bMachine\b(?!\.(Max|Default)\w+)")));
    }

    [Fact]
    public void No_source_file_is_too_long_to_read()
    {
        // Waits to be split.
        string[] waiting = ["Recorder.cs"];
        var tooLong = Directory.EnumerateFiles(SourceTree.Root, "*.cs", SearchOption.AllDirectories)
            .Where(path => !Generated().IsMatch(path) && !waiting.Contains(Path.GetFileName(path)))
            .Select(path => (Path: Path.GetRelativePath(SourceTree.Root, path), Lines: File.ReadLines(path).Count()))
            .Where(file => file.Lines > 320);
        Assert.Empty(tooLong);
    }

    [Fact]
    public void Comments_and_strings_break_no_wall_and_code_does()
    {
        Assert.DoesNotMatch(Impure(), Code("// DateTime.Now\nvar s = \"Random.Shared\"; /// <see cref=\"Task\"/>\n"));
        Assert.Matches(Impure(), Code("var now = DateTime.UtcNow; // why"));
    }

    private static List<string> Found(string folder, Regex names)
    {
        var files = Directory.GetFiles(Path.Combine(SourceTree.Root, PathOf(folder)), "*.cs", SearchOption.AllDirectories)
            .Where(file => !Generated().IsMatch(file)).ToList();
        Assert.NotEmpty(files);
        return [.. files.SelectMany(file => names.Matches(Code(File.ReadAllText(file))).Select(match => $"{Path.GetFileName(file)}: {match.Value}"))];
    }

    private static string PathOf(string folder) => folder is "Protocol" or "Simulation" ? $"Consensus.{folder}" : $"Consensus.Agent/{folder}";

    private static string Code(string source) => CommentsAndStrings().Replace(source, "\"\"");

    private static List<Type> Types(string folder)
    {
        var name = PathOf(folder).Replace('/', '.');
        var types = new[] { typeof(Machine).Assembly, typeof(World).Assembly, typeof(Agent.Hosting.AgentServer).Assembly }.SelectMany(assembly => assembly.GetTypes()).Where(type => type.Namespace == name || type.Namespace?.StartsWith(name + ".", StringComparison.Ordinal) == true).ToList();
        Assert.NotEmpty(types);
        return types;
    }

    private static IEnumerable<Type> Mentioned(Type type)
    {
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var methods = type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)).ToList();
        return type.GetFields(All).Select(field => field.FieldType)
            .Concat(methods.SelectMany(method => method.GetParameters()).Select(parameter => parameter.ParameterType))
            .Concat(methods.OfType<MethodInfo>().Select(method => method.ReturnType))
            .Concat(methods.SelectMany(method => method.GetMethodBody()?.LocalVariables ?? []).Select(local => local.LocalType))
            .Concat(type.GetInterfaces()).Concat(type.BaseType is { } parent ? [parent] : [])
            .SelectMany(Parts);
    }

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!)
        : type.IsGenericParameter ? []
        : type.IsGenericType ? [type.GetGenericTypeDefinition(), .. type.GetGenericArguments().SelectMany(Parts)]
        : [type];

    private static bool IsBaseLibrary(Type type) =>
        type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true || type.Assembly == typeof(object).Assembly
        || (type.Assembly == typeof(Machine).Assembly && type.Namespace is null);

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|""(\\.|[^""\\\n])*""", RegexOptions.Singleline)]
    private static partial Regex CommentsAndStrings();

    [GeneratedRegex(@"\b(DateTime(Offset)?|TimeProvider|Stopwatch|Random\.Shared|new Random|Guid\.NewGuid|Environment\.|Thread|Task|Monitor|Lock|Interlocked|lock\s*\(|async|await|File|Directory|Stream|Console|HttpClient|Socket)\b")]
    private static partial Regex Impure();

    [GeneratedRegex(@"[\\/](bin|obj)[\\/]")]
    private static partial Regex Generated();
}
