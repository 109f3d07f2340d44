namespace Consensus.Tests.Browser;

/// <summary>The form of docs/glossary.md.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class GlossaryTests
{
    public static TheoryData<string> Lines => [.. Glossary.Lines];

    [Theory]
    [MemberData(nameof(Lines))]
    public void An_entry_is_one_or_two_sentences_of_at_most_twenty_words(string line)
    {
        var entry = Glossary.Entry.Parse(line);
        Assert.InRange(entry.Sentences.Count, 1, 2);
        Assert.All(entry.Sentences, sentence =>
        {
            Assert.EndsWith(".", sentence, StringComparison.Ordinal);
            Assert.InRange(sentence.Split(' ').Length, 2, 20);
        });
    }

    [Fact]
    public void Every_term_has_one_entry()
    {
        var terms = Glossary.Lines.SelectMany(line => Glossary.Entry.Parse(line).Terms).ToList();
        Assert.True(terms.Count > 50);
        Assert.Equal(terms.Count, terms.Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }
}
