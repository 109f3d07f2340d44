using System.Globalization;

namespace Consensus.Timeline;

/// <summary>Which rounds of a long run a timeline shows in detail.</summary>
public static class RoundFolding
{
    /// <summary>A shorter run is never folded.</summary>
    private const int FewRounds = 12;

    // How a run began, and how it ended.
    private const int FirstRounds = 2;
    private const int LastRounds = 6;

    /// <summary>Rounds that one response holds in detail at most.</summary>
    public const int MaxDetail = 200;

    /// <summary>The rounds to show, and those to fold.</summary>
    public static (List<RoundRange> Shown, List<RoundRange> Folded) Fold(int first, int last, IReadOnlyList<RoundRange> asked)
    {
        List<RoundRange> shown = last - first < FewRounds
            ? [new(first, Math.Max(first, last))]
            : [new(first, first + FirstRounds - 1), new(last - LastRounds + 1, last)];

        // What is asked for beyond the last round that was known a moment ago is still shown.
        shown[^1] = shown[^1] with { To = int.MaxValue };
        shown.AddRange(asked);
        shown.Sort((x, y) => x.From.CompareTo(y.From));
        List<RoundRange> merged = [], folded = [];
        foreach (var range in shown)
        {
            if (merged.Count > 0 && range.From <= merged[^1].To + 1L)
            {
                merged[^1] = merged[^1] with { To = Math.Max(merged[^1].To, range.To) };
                continue;
            }

            if (merged.Count > 0)
            {
                folded.Add(new RoundRange(merged[^1].To + 1, range.From - 1));
            }

            merged.Add(range);
        }

        return (merged, folded);
    }

    /// <summary>Reads ranges such as 41-50; null where one is none, or they are too many.</summary>
    public static List<RoundRange>? ParseRanges(string[] texts)
    {
        var ranges = new List<RoundRange>();
        var total = 0L;
        foreach (var text in texts)
        {
            var parts = text.Split('-');
            if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var from)
                || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var to) || from < 1 || to < from)
            {
                return null;
            }

            // The open end of a peer's own question.
            total += to == int.MaxValue ? 0 : to - (long)from + 1;
            ranges.Add(new RoundRange(from, to));
        }

        return total <= MaxDetail + FewRounds ? ranges : null;
    }
}
