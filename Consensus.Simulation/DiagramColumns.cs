namespace Consensus.Simulation;

/// <summary>The columns of a space-time diagram as text: one an agent, time runs down.</summary>
/// <param name="agents">How many agents.</param>
/// <param name="width">Characters of a column.</param>
internal sealed class DiagramColumns(int agents, int width)
{
    /// <summary>The agents' ids above their columns.</summary>
    public string Header(int margin) =>
        new string(' ', margin)
        + string.Concat(Enumerable.Range(0, agents).Select(agent => AgentIds.IdOf(agent).PadRight(width))).TrimEnd();

    /// <summary>A text in one agent's column, wrapped.</summary>
    /// <param name="margin">What is left of the first line's columns.</param>
    /// <param name="agent">The agent.</param>
    /// <param name="text">The text.</param>
    /// <param name="indent">What all lines but the first begin with.</param>
    public IEnumerable<string> Row(string margin, int agent, string text, string indent)
    {
        foreach (var line in Wrap(text, width - 2, indent))
        {
            yield return (margin + string.Concat(
                Enumerable.Range(0, agents).Select(other => (other == agent ? line : "|").PadRight(width)))).TrimEnd();
            margin = new string(' ', margin.Length);
        }
    }

    private static IEnumerable<string> Wrap(string text, int width, string indent)
    {
        var line = "";
        foreach (var part in text.Split(' '))
        {
            if (line.Length + part.Length + 1 > width && line.Length > 0)
            {
                yield return line;
                line = indent;
            }

            line += (line.Trim().Length > 0 ? " " : "") + part;
        }

        yield return line;
    }
}
