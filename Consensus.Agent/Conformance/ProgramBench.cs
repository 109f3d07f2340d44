using Consensus.Agent.Configuration;

namespace Consensus.Agent.Conformance;

/// <summary>A program that the judge started as one agent, with fake peers; it is started again where a check needs a fresh process.</summary>
internal sealed class ProgramBench : IAsyncDisposable
{
    /// <summary>With four agents a majority is more than half of the others, so that more mistakes show than with three.</summary>
    private const int Peers = 3;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(90);
    private readonly ExchangeLog _log;
    private readonly CancellationToken _cancellation;
    private readonly FakePeers _peers;
    private readonly StartedAgent _agent;
    private readonly AgentConnection _connection;

    private ProgramBench(string command, FakePeers peers, ExchangeLog log, CancellationToken cancellation)
    {
        (_peers, _log, _cancellation) = (peers, log, cancellation);
        _agent = new StartedAgent(command, "agent1", StartedAgent.FreePorts(1)[0], peers.Addresses);
        _connection = new AgentConnection(_agent.Address, log);
    }

    /// <summary>Starts the program.</summary>
    /// <exception cref="ConfigurationException">It does not answer.</exception>
    public static async Task<ProgramBench> StartAsync(string command, ExchangeLog log, CancellationToken cancellation)
    {
        var bench = new ProgramBench(command, await FakePeers.StartAsync(Peers, log), log, cancellation);
        try
        {
            await bench.RestartAsync();
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether the program introduces itself with a boot, as agents that speak run descriptors do.</summary>
    public async Task<bool> IsDescribedAsync() =>
        (await _connection.SendAsync(HttpMethod.Post, "/reset", """{"handshake":true}""", _cancellation)).Body.Text("boot") is not null;

    /// <summary>Makes the means of one try of a check.</summary>
    /// <param name="fresh">Whether to start a new process first.</param>
    public async Task<TestBench> PrepareAsync(bool fresh)
    {
        if (fresh || _agent.HasExited)
        {
            _peers.Clear();
            await RestartAsync();
        }

        return new TestBench(_connection, [_connection], _peers, Peers, _log, _cancellation);
    }

    /// <summary>From now on the fake peers respond as a check needs it.</summary>
    public void Enter(ConformanceCheck check) => (_peers.Described, _peers.HidesState) = (check.Level != ConformanceLevel.Original, check.Fresh);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _agent.Dispose();
        _connection.Dispose();
        await _peers.DisposeAsync();
    }

    private async Task RestartAsync()
    {
        _agent.Kill();
        _agent.Start();
        if (await _connection.WaitUntilUpAsync(StartTimeout, () => _agent.HasExited, _cancellation) is null)
        {
            throw new ConfigurationException(
                $"The program does not answer GET /state on port {_agent.Port}. It must listen on the port that PORT names. It printed: {_agent.Output}");
        }
    }
}
