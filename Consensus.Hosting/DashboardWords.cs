namespace Consensus.Hosting;

/// <summary>Agents say what to change in terms of their REST interface. In the dashboard, commands do it.</summary>
internal static class DashboardWords
{
    /// <summary>The text with the dashboard's commands in place of calls.</summary>
    public static string Of(string text) => text
        .Replace("POST /run again", "press Run", StringComparison.Ordinal)
        .Replace("DELETE /faults reconnects this agent", "press Reconnect", StringComparison.Ordinal);
}
