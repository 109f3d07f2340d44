using System.Text;
using Consensus.Conformance;

namespace Consensus.Tests.Cluster;

/// <summary>
/// Agents in processes of their own to whom the worst happens at random moments: they are killed, stopped in their tracks
/// and let go on, cut off, all killed at once, and always brought back. What happens, and when, is drawn from a seed; the
/// machine it runs on adds its own chance.
/// </summary>
internal sealed class Nemesis : IAsyncDisposable
{
    private enum Kind
    {
        Kill,
        KillAll,
        Pause,
        Isolate,
    }

    private readonly int[] _ports;
    private readonly string? _folder;
    private readonly Random _random;
    private readonly Action<string> _log;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly AgentProcess?[] _agents;

    private Nemesis(int agents, int seed, string? folder, Action<string> log)
    {
        _ports = LoopbackPorts.Free(agents);
        _agents = new AgentProcess?[agents];
        (_random, _folder, _log) = (new Random(seed), folder, log);
    }

    /// <summary>Where the agents listen, agent1 first; the same over restarts.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _ports.Select(port => new Uri($"http://localhost:{port}"))];

    public int Kills { get; private set; }

    public int Pauses { get; private set; }

    public int Isolations { get; private set; }

    public int KillsOfAll { get; private set; }

    /// <summary>Starts the agents.</summary>
    /// <param name="agents">How many.</param>
    /// <param name="seed">What happens is drawn from it.</param>
    /// <param name="folder">Where they keep their decisions; null: they do not.</param>
    /// <param name="log">Told of each thing that happens.</param>
    public static async Task<Nemesis> StartAsync(int agents, int seed, string? folder, Action<string> log)
    {
        var nemesis = new Nemesis(agents, seed, folder, log);
        await nemesis.StartAllAsync();
        return nemesis;
    }

    /// <summary>Agent number <paramref name="agent"/>'s file.</summary>
    public string FileOf(int agent) => Path.Combine(_folder!, $"agent{agent + 1}.db");

    /// <summary>Does so many things to them, one after the other: of each kind one, then any. At the end all are back.</summary>
    public async Task RageAsync(int things)
    {
        Kind[] first = [.. Enum.GetValues<Kind>().OrderBy(_ => _random.Next())];
        for (var i = 0; i < things; i++)
        {
            await Task.Delay(_random.Next(20, 400));
            var one = _random.Next(_agents.Length);
            switch (i < first.Length ? first[i] : first[_random.Next(first.Length)])
            {
                case Kind.Kill:
                    // One, or as many as take the majority away.
                    await KillAsync([.. Enumerable.Range(one, _random.Next(1, _agents.Length)).Select(agent => agent % _agents.Length)]);
                    break;
                case Kind.KillAll:
                    await KillAsync([.. Enumerable.Range(0, _agents.Length)]);
                    break;
                case Kind.Pause:
                    await PauseAsync(one);
                    break;
                case Kind.Isolate:
                    await IsolateAsync(one);
                    break;
            }
        }
    }

    /// <summary>Kills one as kill -9 does, and brings it back.</summary>
    public Task KillAndRestartAsync(int agent) => KillAsync(agent);

    /// <summary>Kills all for good.</summary>
    public void KillAll()
    {
        foreach (var agent in _agents)
        {
            agent?.Dispose();
        }

        Array.Clear(_agents);
    }

    public ValueTask DisposeAsync()
    {
        KillAll();
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task KillAsync(params int[] agents)
    {
        _log($"kill -9 {string.Join(", ", agents.Select(Name))}");
        foreach (var agent in agents)
        {
            _agents[agent]!.Dispose();
            _agents[agent] = null;
        }

        Kills += agents.Length;
        KillsOfAll += agents.Length == _agents.Length ? 1 : 0;
        await Task.Delay(_random.Next(300));
        await Task.WhenAll(agents.Select(StartAgentAsync));
    }

    private async Task PauseAsync(int agent)
    {
        var pause = _random.Next(50, 2500);
        _log($"{Name(agent)} hangs for {pause} ms");
        await _agents[agent]!.PauseAsync();
        await Task.Delay(pause);
        await _agents[agent]!.ResumeAsync();
        Pauses++;
    }

    private async Task IsolateAsync(int agent)
    {
        _log($"{Name(agent)} is cut off");
        await FaultsAsync(agent, """{"isolate":true}""");
        await Task.Delay(_random.Next(50, 1500));
        await FaultsAsync(agent, "{}");
        Isolations++;
    }

    private async Task FaultsAsync(int agent, string faults)
    {
        using var body = new StringContent(faults, Encoding.UTF8, "application/json");
        using var answer = await _http.PutAsync(new Uri(Addresses[agent], "/faults"), body);
        answer.EnsureSuccessStatusCode();
    }

    private Task StartAllAsync() => Task.WhenAll(Enumerable.Range(0, _agents.Length).Select(StartAgentAsync));

    private async Task StartAgentAsync(int agent)
    {
        (string, string)[] settings =
            [("FAULTS", "true"), .. _folder is null ? Array.Empty<(string, string)>() : [("DATA", FileOf(agent))]];
        _agents[agent] = await AgentProcess.StartAsync(_ports, agent, settings);
    }

    private static string Name(int agent) => $"agent{agent + 1}";
}
