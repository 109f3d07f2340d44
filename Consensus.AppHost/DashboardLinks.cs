namespace Consensus.AppHost;

/// <summary>Addresses of a run: its page, and its trace in the dashboard.</summary>
internal sealed class DashboardLinks(DistributedApplicationModel model)
{
    private const string Dashboard = "aspire-dashboard";
    private static readonly string[] Schemes = ["https", "http"];

    /// <summary>The address of a run's page, or of the page where there is no run.</summary>
    public static string Page(Uri agent, string? run) =>
        run is null ? agent.ToString() : new Uri(agent, $"/?run={Uri.EscapeDataString(run)}").ToString();

    /// <summary>The address of a run's trace; null where the run has no trace or the dashboard is off.</summary>
    public string? Trace(ClusterView view)
    {
        // An agent that did not start the run may hold the position of a trace of its own.
        var traceparent = view.InRun.OrderBy(agent => view.Initiator == agent.Name ? 0 : 1)
            .Select(agent => agent.State!.Traceparent).OfType<string>()
            .FirstOrDefault();
        return Address is { } dashboard && traceparent?.Split('-') is [_, { Length: 32 } trace, ..]
            ? new Uri(dashboard, $"/traces/detail/{trace}").ToString()
            : null;
    }

    private Uri? Address =>
        model.Resources.OfType<IResourceWithEndpoints>().FirstOrDefault(resource => resource.Name == Dashboard)
        is { } dashboard
        && Schemes.Select(dashboard.GetEndpoint).FirstOrDefault(endpoint => endpoint is { Exists: true, IsAllocated: true }) is { } found
            ? new Uri(found.Url) : null;
}
