using System.Text.RegularExpressions;

namespace Consensus.Tests.Browser;

/// <summary>The entries of docs/glossary.md.</summary>
internal static partial class Glossary
{
    /// <summary>All lines of the file that are entries.</summary>
    public static IReadOnlyList<string> Lines { get; } =
        [.. File.ReadAllLines(Path.Combine(SourceTree.Root, "docs", "glossary.md"))
            .Where(line => line.StartsWith("- ", StringComparison.Ordinal))];

    /// <summary>The name and the text of each entry as a hint shows them, by term.</summary>
    public static IReadOnlyDictionary<string, Entry> ByTerm { get; } =
        Lines.Select(Entry.Parse).SelectMany(entry => entry.Terms.Select(term => (term, entry)))
            .ToDictionary(pair => pair.term, pair => pair.entry);

    /// <summary>One entry.</summary>
    /// <param name="Terms">The term and its synonyms.</param>
    /// <param name="Sentences">One or two sentences, as plain text.</param>
    /// <param name="Source">The paper or standard that defines the term.</param>
    public sealed record Entry(IReadOnlyList<string> Terms, IReadOnlyList<string> Sentences, string? Source)
    {
        /// <summary>All that follows the terms.</summary>
        public string Text => string.Join(' ', Source is null ? Sentences : [.. Sentences, $"({Source})"]);

        public static Entry Parse(string line)
        {
            var match = Form().Match(line);
            Assert.True(match.Success, $"This is no entry: {line}");
            return new Entry(
                [.. Term().Matches(match.Groups["terms"].Value).Select(term => term.Groups[1].Value)],
                SentenceEnd().Split(Plain(match.Groups["text"].Value)),
                match.Groups["source"].Success ? Plain(match.Groups["source"].Value) : null);
        }

        private static string Plain(string markdown) =>
            markdown.Replace("`", "", StringComparison.Ordinal).Replace("*", "", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^- (?<terms>\*\*[^*]+\*\*(, \*\*[^*]+\*\*)*): (?<text>[^()]+\.)( \((?<source>[^()]+)\))?$",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Form();

    [GeneratedRegex(@"\*\*([^*]+)\*\*")]
    private static partial Regex Term();

    [GeneratedRegex(@"(?<=\.) (?=[A-Z])")]
    private static partial Regex SentenceEnd();
}
