using System.Reflection;
using System.Text.RegularExpressions;
using Consensus.Agent;

namespace Consensus.Tests.Architecture;

/// <summary>The documents point at what exists.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed partial class DocumentTests
{
    public static TheoryData<string> Documents =>
        [.. Directory.EnumerateFiles(SourceTree.Root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(SourceTree.Root, path))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Each_link_to_a_file_has_a_file_and_each_member_it_names_is_in_it(string document)
    {
        var folder = Path.GetDirectoryName(Path.Combine(SourceTree.Root, document))!;
        foreach (Match link in Links().Matches(File.ReadAllText(Path.Combine(SourceTree.Root, document))))
        {
            var (text, target) = (link.Groups["text"].Value, Path.Combine(folder, link.Groups["target"].Value));
            Assert.True(File.Exists(target) || Directory.Exists(target),
                $"{document} links to {link.Groups["target"].Value}, which does not exist.");
            if (target.EndsWith(".cs", StringComparison.Ordinal) && Member().Match(text) is { Success: true } member)
            {
                var pattern = $@"\b{member.Groups["member"].Value}(<\w+>)?\(";
                Assert.True(Regex.IsMatch(File.ReadAllText(target), pattern),
                    $"{document} names {text}, which {link.Groups["target"].Value} does not hold.");
            }
        }
    }

    [Fact]
    public void The_readme_is_short() => Assert.InRange(File.ReadLines(Path.Combine(SourceTree.Root, "README.md")).Count(), 50, 150);

    [Fact]
    public void The_changelog_begins_with_the_version_that_is_built()
    {
        var newest = File.ReadLines(Path.Combine(SourceTree.Root, "CHANGELOG.md"))
            .First(line => line.StartsWith("## ", StringComparison.Ordinal));
        var built = typeof(AgentApplication).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!;
        Assert.Equal(built.InformationalVersion.Split('+')[0], newest.Split(' ')[1]);
    }

    [GeneratedRegex(@"\[(?<text>[^\]]*)\]\((?!https?:|#)(?<target>[^)#\s]+)(#[^)]*)?\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"^\w+\.(?!cs$)(?<member>\w+)$")]
    private static partial Regex Member();
}
