using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.AppHost;

/// <summary>
/// An agent's report on its health: the first line of <c>GET /health</c> is the status, the lines after it are the
/// reasons. A check of the status code would call an isolated agent healthy.
/// </summary>
internal sealed class AgentHealthCheck(AgentClient agent) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            using var response = await agent.SendRawAsync(HttpMethod.Get, "/health", null, cancellationToken);
            var lines = (await response.Content.ReadAsStringAsync(cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return Enum.TryParse<HealthStatus>(lines.FirstOrDefault(), out var status)
                ? new HealthCheckResult(status, string.Join("; ", lines.Skip(1)))
                : HealthCheckResult.Unhealthy($"GET /health answered with status {(int)response.StatusCode}.");
        }
        catch (AgentException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}
