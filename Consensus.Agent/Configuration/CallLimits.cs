namespace Consensus.Agent.Configuration;

/// <summary>How many calls of a kind may be under way at once; less in all than the connections that are taken.</summary>
/// <param name="Messages">Of other agents: many times what the largest cluster sends.</param>
/// <param name="Waits">For a decision.</param>
/// <param name="Streams">Of events.</param>
/// <param name="Surveys">Of all agents.</param>
/// <param name="Simulations">Simulated worlds; each takes a core for a moment.</param>
public sealed record CallLimits(int Messages = 1024, int Waits = 1024, int Streams = 256, int Surveys = 64, int Simulations = 2)
{
    /// <summary>Connections that an agent accepts at once; it closes further ones.</summary>
    public const int MaxConnections = 4096;
}
