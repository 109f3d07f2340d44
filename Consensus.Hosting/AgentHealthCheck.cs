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

/// <summary>The cluster is healthy where it can decide: a majority of its agents answers, and so do the proxies on its links.</summary>
internal sealed class ClusterHealthCheck(ClusterMonitor monitor) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(monitor.View switch
        {
            { CanDecide: true } view => HealthCheckResult.Healthy(view.Counts),
            { IsLinked: false } => HealthCheckResult.Unhealthy("The links between the agents do not answer yet"),
            var view => HealthCheckResult.Unhealthy($"{view?.Counts ?? "No agent has answered"}: too few to decide"),
        });
}
