using System.Globalization;
using System.Text;

namespace Consensus.Hosting;

/// <summary>What a command that ran returns: the sentence, each agent's decision, the options that ran, and where to see more.</summary>
internal static class RunReport
{
    /// <summary>The report in Markdown.</summary>
    /// <param name="view">The cluster after the run.</param>
    /// <param name="address">The address of the agent that shows the run's page; null where none is known.</param>
    public static string Of(ClusterView view, Uri? address)
    {
        var report = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"**{view.Sentence}**").AppendLine()
            .AppendLine("| agent | value | round | draws |").AppendLine("| --- | --- | --- | --- |");
        foreach (var agent in view.Agents)
        {
            var held = agent.State?.Run == view.Run ? agent.State : null;
            var value = held?.Decision?.Value.ToString(CultureInfo.InvariantCulture) ?? "none";
            report.AppendLine(
                CultureInfo.InvariantCulture, $"| {agent.Name} | {value} | {held?.Decision?.Round ?? held?.Round} | {held?.Attempts} |");
        }

        report.AppendLine().AppendLine(
            CultureInfo.InvariantCulture, $"Run `{view.Run}`{(view.Options is { } options ? $": {options}" : "")}");
        var links = new[] { ("Timeline", address is null ? null : view.PageAt(address)), ("Trace", view.TraceUrl) }
            .Where(link => link.Item2 is not null)
            .Select(link => $"[{link.Item1}]({link.Item2})");
        return report.AppendLine().AppendJoin(" · ", links).AppendLine().ToString();
    }
}
