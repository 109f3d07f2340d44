using Consensus.Agent.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Turns what happens in a machine into logs.</summary>
public sealed partial class AgentTelemetry(Hosting.AgentOptions options, ILogger<AgentTelemetry> logger)
{
    /// <summary>Called in the order in which things happened.</summary>
    public void Happened(Happened happened)
    {
        switch (happened.Kind)
        {
            case Happening.Drew:
                Drew(options.Id, happened.Round, happened.Attempt, happened.Value);
                break;
            case Happening.Contradicted:
                Contradicted(options.Id, happened.Other, happened.Round, happened.Value);
                break;
            case Happening.Disagreed:
                Disagreed(options.Id, happened.Other, happened.Value, happened.Run);
                break;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "[{AgentId}] Round {Round}, Attempt {Attempt}, Value {Value}")]
    private partial void Drew(string agentId, int round, int attempt, int value);

    [LoggerMessage(2, LogLevel.Warning, "[{AgentId}] {Other} said two things in round {Round}; the second, {Value}, was refused")]
    private partial void Contradicted(string agentId, string? other, int round, int value);

    [LoggerMessage(3, LogLevel.Error, "[{AgentId}] {Other} decided {Value} in run {Run}, which differs from the decision here: agreement is violated")]
    private partial void Disagreed(string agentId, string? other, int value, RunId run);
}
