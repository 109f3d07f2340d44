using System.Text;
using System.Text.RegularExpressions;

namespace Consensus.Agent.Http;

/// <summary>
/// Joins the modules of the page into one script, so that a browser needs one request for all. Each module becomes a function
/// that returns its exports, in the order of their imports. Modules import each other by name, export functions, classes and
/// constants, and have no cycle.
/// </summary>
internal sealed partial class ModuleBundle
{
    private readonly string _folder;
    private readonly List<string> _open = [];
    private readonly HashSet<string> _written = [];
    private readonly StringBuilder _script = new();

    private ModuleBundle(string folder) => _folder = folder;

    /// <summary>Joins a module and all that it imports.</summary>
    /// <exception cref="InvalidOperationException">Modules import each other in a cycle.</exception>
    public static string Of(string folder, string entry)
    {
        var bundle = new ModuleBundle(folder);
        bundle.Write(entry, isEntry: true);
        return bundle._script.ToString();
    }

    private void Write(string file, bool isEntry = false)
    {
        if (_open.Contains(file))
        {
            throw new InvalidOperationException($"Modules of the page import each other in a cycle: {string.Join(", ", _open)}, {file}.");
        }

        if (!_written.Add(file))
        {
            return;
        }

        _open.Add(file);
        var source = Comment().Replace(File.ReadAllText(Path.Combine(_folder, file)), "");
        foreach (Match import in Import().Matches(source))
        {
            Write(import.Groups["file"].Value);
        }

        _open.Remove(file);
        var exports = Export().Matches(source).Select(export => export.Groups["name"].Value);
        source = Import().Replace(
            source, import => $"const {Pattern(import.Groups["names"].Value)} = {NameOf(import.Groups["file"].Value)};");
        source = Export().Replace(source, export => export.Value["export ".Length..]);

        // The entry may wait for promises, which a function that is no entry must not.
        _script.Append(isEntry
            ? $"{source}\n" : $"const {NameOf(file)} = (() => {{\n{source}\nreturn {{ {string.Join(", ", exports)} }};\n}})();\n");
    }

    /// <summary><c>{ a as b }</c> as the pattern <c>{ a: b }</c>, and <c>* as name</c> as the name.</summary>
    private static string Pattern(string names) =>
        names.StartsWith("* as ", StringComparison.Ordinal) ? names[5..] : names.Replace(" as ", ": ", StringComparison.Ordinal);

    private static string NameOf(string file) => $"${Path.GetFileNameWithoutExtension(file).Replace('-', '_')}";

    // A fifth of the compressed bytes.
    [GeneratedRegex(@"^[ \t]*(?://[^\n]*|/\*\*.*?\*/)[ \t]*\n", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^import (?<names>[^;]+?) from '\./(?<file>[\w-]+\.js)';", RegexOptions.Multiline)]
    private static partial Regex Import();

    [GeneratedRegex(@"^export (?:async )?(?:function|class|const) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex Export();
}
