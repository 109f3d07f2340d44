using System.Text.Json;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Protocol;
using Consensus.Tests.Cluster;

namespace Consensus.Tests.Api;

/// <summary>Tests against three agents over real HTTP, with a client for each.</summary>
public abstract class ThreeAgents : IAsyncLifetime
{
    private readonly AgentOptions? _shared;

    /// <param name="shared">What the agents are configured with; null: <see cref="Patient"/>.</param>
    private protected ThreeAgents(AgentOptions? shared = null) => _shared = shared;

    /// <summary>
    /// Agents that wait for each other however slow the machine is: what a test says must not hang on how long a healthy
    /// call takes. Dead and isolated peers fail at once, so nothing waits this long.
    /// </summary>
    internal static readonly AgentOptions Patient = new()
    {
        Id = "", CallTimeout = TimeSpan.FromSeconds(30), Defaults = new RunRequest(WindowMs: 20_000),
    };

    /// <summary>Patient agents that may break calls on purpose.</summary>
    private protected static readonly AgentOptions Breakable = Patient with { Faults = true };

    private protected TestCluster Cluster { get; private set; } = null!;

    private protected List<ApiClient> Clients { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        Cluster = await StartAsync(3, _shared);
        Clients = [.. Cluster.Addresses.Select(address => new ApiClient(address))];
    }

    public async Task DisposeAsync()
    {
        Clients.ForEach(client => client.Dispose());
        await Cluster.DisposeAsync();
    }

    /// <summary>
    /// Reads a path while no message is in flight. An agent that does not know yet that its peers have decided sends them its
    /// decision after a back-off, so a message may leave during the read. Then it reads again.
    /// </summary>
    /// <returns>How many messages were sent in all, and the body.</returns>
    private protected async Task<(int Sent, JsonElement Body)> GetSettledAsync(ApiClient client, string path)
    {
        for (var before = await SettledAsync(); ;)
        {
            var (_, body) = await client.Get(path);
            var after = await SettledAsync();
            if (before == after)
            {
                return (after, body);
            }

            before = after;
        }
    }

    /// <summary>
    /// Waits until every message of the newest run was answered or lost, and says how many there were. An agent read
    /// first may send on behalf of one read last, so it takes two readings in a row that are the same.
    /// </summary>
    private protected async Task<int> SettledAsync()
    {
        for (var before = -1; ;)
        {
            var (sent, ended) = (0, 0);
            foreach (var client in Clients)
            {
                var (_, own) = await client.Get("/timeline");
                var kinds = own.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()).ToList();
                sent += kinds.Count(kind => kind == "sent");
                ended += kinds.Count(kind => kind is "answered" or "lost");
            }

            if (sent == ended && sent == before)
            {
                return sent;
            }

            before = sent == ended ? sent : -1;
        }
    }

    /// <summary>Starts agents that write no logs, on free ports.</summary>
    private protected static Task<TestCluster> StartAsync(int agents, AgentOptions? shared = null) =>
        TestCluster.StartAsync(agents, shared ?? Patient);
}
