using System.Text.RegularExpressions;
using Consensus.Protocol;
using Consensus.Simulation.ModelChecking;
using Consensus.Timeline;

namespace Consensus.Tests.Browser;

/// <summary>The page's own list of words is the protocol's.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed partial class VocabularyTests
{
    private static readonly string Module = File.ReadAllText(
        Path.Combine(SourceTree.Root, "Consensus.Agent", "wwwroot", "js", "vocabulary.js"));

    [Fact]
    public void The_page_names_every_kind_of_message_as_texts_do() =>
        Assert.Equal(
            Enum.GetValues<MessageKind>()[1..].Select(kind => (kind.WireName(), EventFormatter.NameOf(kind))),
            Pairs("KINDS").Select(pair => (pair.Key, pair.Value)));

    [Fact]
    public void The_page_draws_and_reads_every_kind_of_event()
    {
        var stream = List().Match(Module).Groups[1].Value.Replace(
            "...Object.keys(NOTES)", string.Join(", ", Pairs("NOTES").Keys), StringComparison.Ordinal);
        Assert.Equal(
            Enum.GetValues<TimelineEventKind>().Select(kind => kind.WireName()).Order(StringComparer.Ordinal),
            stream.Split(',', StringSplitOptions.TrimEntries).Select(name => name.Trim('\'')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_page_knows_the_bounds_of_the_explorer() =>
        Assert.Contains($"MAX_EXPLORED = {{ agents: {ModelCheckerOptions.MaxAgents}, values: {ModelCheckerOptions.MaxValues} }};",
            Module, StringComparison.Ordinal);

    private static Dictionary<string, string> Pairs(string table) =>
        Pair().Matches(Regex.Match(Module, $$"""export const {{table}} = \{(.*?)\};""", RegexOptions.Singleline).Groups[1].Value)
            .ToDictionary(pair => pair.Groups[1].Value, pair => pair.Groups[2].Value);

    [GeneratedRegex(@"(\w+): '([^']*)'")]
    private static partial Regex Pair();

    [GeneratedRegex(@"export const EVENTS = \[(.*)\];")]
    private static partial Regex List();
}
