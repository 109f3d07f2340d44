namespace Consensus.Agent.Configuration;

/// <summary>The calls in progress at once, by <see cref="Http.ConcurrencyPolicy"/>. Their sum is below the number of connections.</summary>
/// <param name="Messages">Of other agents: many times what the largest cluster sends.</param>
/// <param name="LongPolls">For a decision.</param>
/// <param name="Streams">Of events.</param>
/// <param name="FanOut">Of all agents.</param>
/// <param name="Steps">Steps of the explorer and simulated runs that wait for a core, which each takes for a moment.</param>
/// <param name="Searches">Searches that wait for their turn; each takes a core for seconds.</param>
internal sealed record CallLimits(
    int Messages = 1024, int LongPolls = 1024, int Streams = 256, int FanOut = 64, int Steps = 256, int Searches = 64)
{
    /// <summary>Connections that an agent accepts at once; it closes further ones.</summary>
    public const int MaxConnections = 4096;
}
