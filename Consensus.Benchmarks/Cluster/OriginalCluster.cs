using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Consensus.Conformance;

namespace Consensus.Benchmarks.Cluster;

/// <summary>
/// Three agents by the original contract in Python, a stand-in for the original: <c>samples/python/agent.py</c>, with Flask.
/// </summary>
internal sealed class OriginalCluster : IDisposable
{
    private const int Agents = 3;
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly TimeSpan PollPause = TimeSpan.FromMilliseconds(1);

    private readonly List<ServerProcess> _agents = [];
    private readonly HttpClient _http;

    private OriginalCluster(HttpClient http) => _http = http;

    /// <exception cref="InvalidOperationException">The script, Python or Flask is missing.</exception>
    public static async Task<OriginalCluster> StartAsync(HttpClient http)
    {
        var script = Path.GetFullPath(Path.Combine("samples", "python", "agent.py"));
        if (!File.Exists(script))
        {
            throw new InvalidOperationException($"--original: {script} does not exist; run this from the top of the repository.");
        }

        var cluster = new OriginalCluster(http);
        try
        {
            var ports = LoopbackPorts.Free(Agents);
            for (var i = 0; i < Agents; i++)
            {
                cluster._agents.Add(await ServerProcess.StartAsync("python3", [script], ports[i], "/state", new Dictionary<string, string>
                {
                    ["AGENT_ID"] = $"agent{i + 1}",
                    ["PORT"] = ports[i].ToString(CultureInfo.InvariantCulture),
                    ["PEERS"] = string.Join(',', ports.Where((_, other) => other != i).Select(port => $"http://127.0.0.1:{port}")),
                }));
            }

            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Starts a run and polls until every agent has decided, as a client of the original does.</summary>
    /// <returns>ms until all have.</returns>
    public async Task<double> DecideAsync()
    {
        var start = Stopwatch.GetTimestamp();
        using var content = new ByteArrayContent("""{"round":1}"""u8.ToArray()) { Headers = { ContentType = Json } };
        using var response = await _http.PostAsync(new Uri(_agents[0].Address, "/run"), content);
        response.EnsureSuccessStatusCode();
        await Task.WhenAll(_agents.Select(WaitAsync));
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public void Dispose() => _agents.ForEach(agent => agent.Dispose());

    private async Task WaitAsync(ServerProcess agent)
    {
        while (true)
        {
            using var answer = JsonDocument.Parse(await _http.GetByteArrayAsync(new Uri(agent.Address, "/consensus")));
            if (answer.RootElement.GetProperty("reached").GetBoolean())
            {
                return;
            }

            await Task.Delay(PollPause);
        }
    }
}
