using System.Text;

namespace Consensus.Tests.Protocol;

/// <summary>What differs between two texts, line by line, with some lines around it.</summary>
internal static class LineDiff
{
    private const int Context = 3;

    /// <summary>Lines of the first alone begin with '-', of the second alone with '+'; empty where the texts are equal.</summary>
    public static string Of(string expected, string actual)
    {
        var lines = Align(expected.Split('\n'), actual.Split('\n'));
        var written = new StringBuilder();
        var last = -1;
        for (var i = 0; i < lines.Count; i++)
        {
            var near = lines.Skip(Math.Max(0, i - Context)).Take((2 * Context) + 1 - Math.Max(0, Context - i));
            if (near.Any(line => line.Mark != ' '))
            {
                if (last != i - 1)
                {
                    written.Append($"@@ line {lines.Take(i).Count(line => line.Mark != '+') + 1}\n");
                }

                written.Append(lines[i].Mark).Append(lines[i].Text).Append('\n');
                last = i;
            }
        }

        return written.ToString();
    }

    // The longest common subsequence; transcripts have a few hundred lines.
    private static List<(char Mark, string Text)> Align(string[] left, string[] right)
    {
        var common = new int[left.Length + 1, right.Length + 1];
        for (var i = left.Length - 1; i >= 0; i--)
        {
            for (var j = right.Length - 1; j >= 0; j--)
            {
                common[i, j] = left[i] == right[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        var lines = new List<(char, string)>();
        var (l, r) = (0, 0);
        while (l < left.Length || r < right.Length)
        {
            if (l < left.Length && r < right.Length && left[l] == right[r])
            {
                lines.Add((' ', left[l++]));
                r++;
            }
            else if (r == right.Length || (l < left.Length && common[l + 1, r] >= common[l, r + 1]))
            {
                lines.Add(('-', left[l++]));
            }
            else
            {
                lines.Add(('+', right[r++]));
            }
        }

        return lines;
    }
}
