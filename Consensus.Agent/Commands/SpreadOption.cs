using System.CommandLine;
using Consensus.Protocol;

namespace Consensus.Agent.Commands;

/// <summary>The option <c>--spread</c> of runs without an agent's settings.</summary>
internal static class SpreadOption
{
    /// <summary>Makes the option; without a value it is null, the protocol's default.</summary>
    public static Option<Spread?> Create() => new("--spread")
    {
        Description = $"How proposals and votes travel (default: direct up to {ProtocolLimits.MaxDirectAgents} agents, relay beyond).", HelpName = "direct|relay",
    };
}
