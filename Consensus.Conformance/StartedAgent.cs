using System.Net.Sockets;
using Consensus.ServiceDefaults;

namespace Consensus.Conformance;

/// <summary>One agent of a cluster: a program that the judge starts, kills and starts again on the same port.</summary>
/// <param name="program">The program.</param>
/// <param name="id">The agent's id.</param>
/// <param name="port">Where it listens.</param>
/// <param name="peers">The base addresses of the others.</param>
/// <param name="log">Where the judge's exchanges with it are recorded.</param>
internal sealed class StartedAgent(AgentProgram program, string id, int port, IEnumerable<Uri> peers, ExchangeLog log) : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(90);
    private readonly AgentSettings _settings = new(id, port, string.Join(',', peers.Select(peer => peer.ToString().TrimEnd('/'))));
    private IAgentProcess? _process;

    /// <summary>Its id.</summary>
    public string Id => id;

    /// <summary>Where it listens.</summary>
    public Uri Address => Connection.Address;

    /// <summary>The judge's connection to it.</summary>
    public AgentConnection Connection { get; } = new(new Uri($"http://localhost:{port}"), log) { Id = id };

    /// <summary>How many processes it has had.</summary>
    public int Processes { get; private set; }

    /// <summary>Whether the process has ended without the judge.</summary>
    public bool HasExited => _process?.HasExited ?? true;

    /// <summary>Starts a process, and waits until it answers.</summary>
    /// <returns>Its state.</returns>
    /// <exception cref="ConfigurationException">It does not answer.</exception>
    public async Task<System.Text.Json.JsonElement> StartAsync(CancellationToken cancellation)
    {
        // First: what the new process sends is never taken for a message of the last one.
        Processes++;
        _process = program.Start(_settings);
        return await Connection.WaitUntilUpAsync(StartTimeout, () => HasExited, cancellation)
            ?? throw new ConfigurationException(
                $"'{program.Name}' does not answer GET /state on port {port}. It must listen on the port that PORT names. "
                + (_process.LastLines is { Count: > 0 } words ? $"It printed last: {string.Join(" | ", words)}" : "It printed nothing."));
    }

    /// <summary>Kills the process and those that it started, and waits until they have ended.</summary>
    public void Kill()
    {
        _process?.Dispose();
        _process = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        Connection.Dispose();
    }
}
