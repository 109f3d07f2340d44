using System.Globalization;
using System.Text;

namespace Consensus.ServiceDefaults;

/// <summary>Makes text that other programs wrote fit to show.</summary>
public static class ForeignText
{
    /// <summary>Cuts a text between two characters as people see them, so at no surrogate.</summary>
    /// <param name="text">The text.</param>
    /// <param name="max">Its greatest length, in UTF-16 units.</param>
    /// <param name="mark">Stands for what is cut off.</param>
    public static string Cut(string text, int max, string mark)
    {
        if (text.Length <= max)
        {
            return text;
        }

        var end = 0;
        for (int next; (next = end + StringInfo.GetNextTextElementLength(text, end)) <= max;)
        {
            end = next;
        }

        return text[..end] + mark;
    }

    /// <summary>
    /// Replaces what XML cannot hold and what a terminal would obey: control characters but line ends by spaces, unpaired surrogates and
    /// noncharacters by U+FFFD.
    /// </summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var isNoncharacter = (rune.Value & 0xFFFE) == 0xFFFE;
            clean.Append(Rune.IsControl(rune) && rune.Value != '\n' ? new Rune(' ') : isNoncharacter ? Rune.ReplacementChar : rune);
        }

        return clean.ToString();
    }
}
