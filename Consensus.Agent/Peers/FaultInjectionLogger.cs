using Consensus.Agent.Configuration;

namespace Consensus.Agent.Peers;

/// <summary>Writes one agent's log lines about faults on purpose.</summary>
internal sealed partial class FaultInjectionLogger(AgentOptions options, ILogger<FaultInjectionLogger> logger)
{
    private const int MaxLinks = 10;

    /// <summary>Faults of this agent were set, or lifted where <paramref name="body"/> names none.</summary>
    public void FaultsChanged(FaultsBody body)
    {
        if (!body.Isolate && body.Links is null or { Count: 0 })
        {
            FaultsLifted(options.Id);
        }
        else
        {
            FaultsSet(options.Id,
                body.Isolate ? "isolated from all peers" : string.Join("; ", body.Links!.Take(MaxLinks).Select(Describe)));
        }
    }

    private static string Describe(LinkFaultRule link)
    {
        var what = link.Isolate ? "cut" : $"drop {link.Drop} %, delay {link.DelayMs} ms, duplicate {link.Duplicate} %";
        return $"{link.Peer ?? "all peers"} ({link.Direction.ToString().ToLowerInvariant()}): {what}";
    }

    [LoggerMessage(7, LogLevel.Information, "[{AgentId}] Faults set: {Faults}")]
    private partial void FaultsSet(string agentId, string faults);

    [LoggerMessage(8, LogLevel.Information, "[{AgentId}] Faults lifted")]
    private partial void FaultsLifted(string agentId);
}
