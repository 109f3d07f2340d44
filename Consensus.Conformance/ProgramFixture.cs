using Consensus.ServiceDefaults;

namespace Consensus.Conformance;

/// <summary>
/// A program that the judge started as one agent, with fake peers; it is started again where a check needs a fresh process.
/// </summary>
internal sealed class ProgramFixture : IAsyncDisposable
{
    /// <summary>With four agents a majority is more than half of the others, so that more mistakes show than with three.</summary>
    private const int Peers = 3;
    private readonly ExchangeLog _log;
    private readonly CancellationToken _cancellation;
    private readonly FakePeers _peers;
    private readonly StartedAgent _agent;

    private ProgramFixture(AgentProgram program, FakePeers peers, ExchangeLog log, CancellationToken cancellation)
    {
        (_peers, _log, _cancellation) = (peers, log, cancellation);
        _agent = new StartedAgent(program, "agent1", LoopbackPorts.Free(1)[0], peers.Addresses, log);
    }

    /// <summary>Starts the program.</summary>
    /// <exception cref="ConfigurationException">It does not answer.</exception>
    public static async Task<ProgramFixture> StartAsync(AgentProgram program, ExchangeLog log, CancellationToken cancellation)
    {
        var fixture = new ProgramFixture(program, await FakePeers.StartAsync(Peers, log), log, cancellation);
        try
        {
            await fixture._agent.StartAsync(cancellation);
            return fixture;
        }
        catch
        {
            await fixture.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether the program introduces itself with a boot, as agents that speak run descriptors do.</summary>
    public async Task<bool> IsDescribedAsync() => (await _agent.Connection.IntroduceAsync(_cancellation)).Boot is not null;

    /// <summary>Makes the means of one try of a check.</summary>
    /// <param name="fresh">Whether to start a new process first.</param>
    public async Task<CheckContext> PrepareAsync(bool fresh)
    {
        if (fresh || _agent.HasExited)
        {
            _peers.Clear();
            _agent.Kill();
            await _agent.StartAsync(_cancellation);
        }

        return new CheckContext(_agent.Connection, [_agent.Connection], _peers, Peers, _log, _cancellation);
    }

    /// <summary>From now on the fake peers respond as a check needs it.</summary>
    public void Enter(ConformanceCheck check) =>
        (_peers.Described, _peers.HidesState) = (check.Level != ConformanceLevel.Original, check.Fresh);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _agent.Dispose();
        await _peers.DisposeAsync();
    }
}
