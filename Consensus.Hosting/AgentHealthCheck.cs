using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.Hosting;

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
            var (status, reasons) = await agent.HealthAsync(cancellationToken);
            return new HealthCheckResult(Enum.Parse<HealthStatus>(status), DashboardWords.Of(string.Join("; ", reasons)));
        }
        catch (AgentException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}

/// <summary>The cluster is healthy where a majority of its agents answers: it can decide.</summary>
internal sealed class ClusterHealthCheck(ClusterMonitor monitor) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(monitor.View is { HasMajority: true } view ? HealthCheckResult.Healthy(view.Counts)
            : HealthCheckResult.Unhealthy($"{monitor.View?.Counts ?? "No agent has answered"}: too few to decide"));
}
