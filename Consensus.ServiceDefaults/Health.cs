using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.Hosting;

/// <summary>The health of a service as text: a status on the first line, then a reason a line.</summary>
internal static class Health
{
    private const string Verbose = "verbose";

    /// <summary>Adds the check that fails while the process shuts down.</summary>
    public static IHealthChecksBuilder AddProcessCheck(this IHealthChecksBuilder checks) => checks.Add(new HealthCheckRegistration(
        "process", services => new ProcessCheck(services.GetRequiredService<IHostApplicationLifetime>()),
        HealthStatus.Unhealthy, ["live"]));

    /// <summary>
    /// Writes <c>Healthy</c>, <c>Degraded</c> or <c>Unhealthy</c>, then <c>name: reason</c> for each check that is not healthy;
    /// with <c>?verbose</c>, <c>name (status): facts</c> for every check. Names other query parameters: refused, a probe would fail.
    /// </summary>
    public static Task WriteAsync(HttpContext context, HealthReport report)
    {
        var verbose = context.Request.Query.ContainsKey(Verbose);
        var text = new StringBuilder(report.Status.ToString());
        foreach (var (name, entry) in report.Entries)
        {
            if (verbose)
            {
                text.Append($"\n{name} ({entry.Status}): {Reason(entry)}");
            }
            else if (entry.Status != HealthStatus.Healthy)
            {
                text.Append($"\n{name}: {Reason(entry)}");
            }
        }

        foreach (var name in context.Request.Query.Keys.Where(name => !name.Equals(Verbose, StringComparison.OrdinalIgnoreCase)))
        {
            text.Append($"\nignored: the query parameter '{name.ReplaceLineEndings(" ")}'; there is only {Verbose}");
        }

        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(text.ToString());
    }

    private static string Reason(HealthReportEntry entry) => (entry.Description ?? entry.Exception?.Message ?? "").ReplaceLineEndings(" ");

    private sealed class ProcessCheck(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(lifetime.ApplicationStopping.IsCancellationRequested
                ? HealthCheckResult.Unhealthy("shutting down")
                : HealthCheckResult.Healthy($"process {Environment.ProcessId}"));
    }
}
