namespace Consensus.Agent.Telemetry;

/// <summary>What an agent logs, and what it leaves to others.</summary>
internal static class AgentLogging
{
    /// <summary>Sets it.</summary>
    public static void AddAgentLogging(this ILoggingBuilder logging) => logging
        .AddBatchedConsole()
        .AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning)

        // A peer without a response is no error here. The caller reports it.
        .AddFilter("Polly", LogLevel.None)

        // The command reports in one line why the start failed.
        .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)

        // This category makes a span for each request where it may log its id. The agent makes its own spans (MessageTracing).
        .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
}
