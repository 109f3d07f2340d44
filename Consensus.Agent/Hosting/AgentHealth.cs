using System.Globalization;
using Consensus.Agent.Configuration;
using Consensus.Agent.Peers;
using Consensus.Protocol;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.Agent.Hosting;

/// <summary>
/// The agent's health checks. A check that depends on peers is at most degraded once the agent knows of them: <c>/health</c> then still
/// responds with 200, so a probe does not take an agent out of service that the others need for a quorum.
/// </summary>
internal sealed class AgentHealth(
    AgentService agent, PeerClient client, PeerDirectory peers, FaultInjector faults, AgentOptions options, HealthCheckService checks)
{
    // No query goes to a peer that responded within this time.
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(2);

    // Kubernetes gives a probe 1 s by default.
    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(300);

    /// <summary>Adds the checks.</summary>
    public static void AddTo(IServiceCollection services)
    {
        services.AddSingleton<AgentHealth>();

        // The response holds the reasons, so a line in the log for each probe adds nothing.
        services.AddLogging(logging => logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None));

        // A restart repairs an agent that has failed, so these two checks count for /alive too.
        Add(services, "data", (health, _) => Task.FromResult(health.Data()), "live");
        Add(services, "core", (health, _) => Task.FromResult(health.Core()), "live");
        Add(services, "quorum", (health, cancellation) => health.QuorumAsync(cancellation));
        Add(services, "key", (health, _) => Task.FromResult(Key(health.Peers, health.HasKey)));
        Add(services, "cluster-size", (health, _) => Task.FromResult(ClusterSize(health.Peers)));
        Add(services, "faults", (health, _) => Task.FromResult(health.MadeFaults()));
        Add(services, "run", (health, _) => Task.FromResult(health.Run()));
    }

    private IReadOnlyList<Peer> Peers => peers.All;

    private bool HasKey => options.Key is not null;

    /// <summary>Runs all checks.</summary>
    public async Task<HealthResponse> ReadAsync(CancellationToken cancellation)
    {
        var report = await checks.CheckHealthAsync(cancellation);
        var reasons = report.Entries.Where(check => check.Value.Status != HealthStatus.Healthy)
            .Select(check => $"{check.Key}: {check.Value.Description}");
        var ages = new SortedDictionary<string, double?>(StringComparer.Ordinal);
        foreach (var peer in peers.All)
        {
            // Two peers with one id share an entry; no run starts with them.
            ages[peer.Name] = peer.SinceResponse is { } age ? Math.Round(age.TotalSeconds, 1) : null;
        }

        return new HealthResponse(report.Status.ToString().ToLowerInvariant(), [.. reasons], ages);
    }

    /// <summary>Whether few enough peers are unreachable that a quorum is left; unhealthy until enough are known.</summary>
    internal static HealthCheckResult Quorum(IReadOnlyList<Peer> peers)
    {
        List<Peer> unreachable = [.. peers.Where(peer => peer.IsUnreachable)];
        List<Peer> unknown = [.. peers.Where(peer => peer.IsUnknown)];
        var agents = peers.Count + 1;
        var quorum = Protocol.Quorum.Of(agents);
        return agents - unreachable.Count < quorum
            ? HealthCheckResult.Degraded(string.Join("; ", unreachable.GroupBy(Age)
                .Select(same => $"{string.Join(", ", same.Select(peer => peer.Name))} not reachable ({same.Key})")))
            : agents - unreachable.Count - unknown.Count < quorum
            ? HealthCheckResult.Unhealthy($"not ready: no response yet from {string.Join(", ", unknown.Select(peer => peer.Name))}")
            : HealthCheckResult.Healthy(string.Join(", ", peers
                .Select(peer => $"{peer.Name}{(peer.IsUnreachable ? " not reachable" : "")} ({Age(peer)})")
                .Append($"{quorum} of {agents} agents are a quorum")));
    }

    /// <summary>Whether all peers take this agent's key.</summary>
    internal static HealthCheckResult Key(IReadOnlyList<Peer> peers, bool hasKey)
    {
        List<string> refusing = [.. peers.Where(peer => peer.HasRefusedKey).Select(peer => peer.Name)];
        return refusing.Count == 0
            ? HealthCheckResult.Healthy(hasKey ? "no peer refuses this agent's CLUSTER_KEY" : "CLUSTER_KEY is not set")
            : HealthCheckResult.Degraded($"refused by {string.Join(", ", refusing)}: give all agents the same CLUSTER_KEY");
    }

    /// <summary>Whether all peers count as many agents as this one.</summary>
    internal static HealthCheckResult ClusterSize(IReadOnlyList<Peer> peers)
    {
        var own = peers.Count + 1;
        List<string> others =
            [.. peers.Where(peer => peer.Agents is { } agents && agents != own).Select(peer => $"{peer.Name} counts {peer.Agents}")];
        return others.Count == 0
            ? HealthCheckResult.Healthy($"{own} agents")
            : HealthCheckResult.Degraded($"this agent counts {own} agents, {string.Join(", ", others)}: give all the same PEERS");
    }

    private HealthCheckResult Core() => agent.Failure is { IsOfData: false } failure
        ? HealthCheckResult.Unhealthy(failure.Reason)
        : HealthCheckResult.Healthy("no step has failed");

    private HealthCheckResult Data() => agent.Failure is { IsOfData: true } failure
        ? HealthCheckResult.Unhealthy(failure.Reason)
        : HealthCheckResult.Healthy(
            options.Data is null ? "DATA is not set: decisions do not outlive the process" : "every write to the DATA file succeeded");

    private async Task<HealthCheckResult> QuorumAsync(CancellationToken cancellation)
    {
        await RefreshAsync(cancellation);
        return Quorum(Peers);
    }

    /// <summary>
    /// Queries the peers that have not responded lately, since agents that hold a decision do not call each other. The core queries those
    /// that never responded. Waits for no peer whose last call failed, and for the others not long.
    /// </summary>
    private async Task RefreshAsync(CancellationToken cancellation)
    {
        List<Task> responses = [];
        for (var peer = 0; peer < peers.Count; peer++)
        {
            if (peers[peer].SinceResponse is not { } age || age < FreshFor)
            {
                continue;
            }

            // A call that outlasts the wait still counts when it ends.
            var failedBefore = peers[peer].HasFailed;
            var response = client.SendAsync(peer, new StateQuery(), $"{options.Id}/health", default, CancellationToken.None);
            if (!failedBefore)
            {
                responses.Add(response);
            }
        }

        await Task.WhenAll(responses).WaitAsync(MaxWait, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private HealthCheckResult MadeFaults()
    {
        var now = faults.Current;
        return now.Isolate
            ? HealthCheckResult.Degraded("isolated by /faults: DELETE /faults reconnects this agent")
            : HealthCheckResult.Healthy(now.Links is { Count: > 0 } links ? $"{links.Count} made by /faults" : "none");
    }

    private HealthCheckResult Run()
    {
        // An agent that has failed shows no run. Another check has the reason.
        if (agent.Failure is not null)
        {
            return HealthCheckResult.Healthy("not shown");
        }

        var snapshot = agent.Snapshot();

        // An agent that restarted takes no part in the run before, so that run degrades it for no time.
        return snapshot is { Stalled: { } why, Learner: false } ? HealthCheckResult.Degraded($"stalled without a quorum: {why}")
            : HealthCheckResult.Healthy(
                snapshot.Decision is { } decision ? $"decided {decision.Value} in round {decision.Round}"
                : snapshot.Run is null ? "none"
                : $"undecided in round {snapshot.Round}");
    }

    private static string Age(Peer peer)
    {
        var age = peer.SinceResponse is { } since
            ? string.Create(CultureInfo.InvariantCulture, $"last contact {Math.Floor(since.TotalSeconds)} s ago")
            : "no contact yet";
        return peer.Reason is { } reason ? $"{age}. {reason}" : age;
    }

    private static void Add(IServiceCollection services, string name,
        Func<AgentHealth, CancellationToken, Task<HealthCheckResult>> check, params string[] tags) =>
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            name, provider => new Check(cancellation => check(provider.GetRequiredService<AgentHealth>(), cancellation)),
            HealthStatus.Unhealthy, tags));

    private sealed class Check(Func<CancellationToken, Task<HealthCheckResult>> check) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            check(cancellationToken);
    }
}

/// <summary>An agent's health as the agent itself sees it.</summary>
/// <param name="Status"><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>.</param>
/// <param name="Reasons">Why it is not healthy, as in <c>/health</c>: <c>name: reason</c>.</param>
/// <param name="LastContactS">
/// The seconds since each peer last responded to this agent, by the peer's id or address; null where it never did.
/// </param>
internal sealed record HealthResponse(string Status, IReadOnlyList<string> Reasons, IReadOnlyDictionary<string, double?> LastContactS);
