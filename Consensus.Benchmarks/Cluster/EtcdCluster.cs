using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using Consensus.Conformance;

namespace Consensus.Benchmarks.Cluster;

/// <summary>Three nodes of etcd: the program <c>etcd</c> on the path, such as Debian's etcd-server.</summary>
internal sealed class EtcdCluster : IDisposable
{
    private const int Nodes = 3;
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly List<ServerProcess> _nodes = [];
    private readonly DirectoryInfo _data;
    private readonly HttpClient _http;
    private int _puts;

    private EtcdCluster(HttpClient http, DirectoryInfo data) => (_http, _data) = (http, data);

    /// <summary>Starts nodes whose log is in memory.</summary>
    /// <exception cref="InvalidOperationException">There is no etcd, or it does not start.</exception>
    public static Task<EtcdCluster> StartInMemoryAsync(HttpClient http) => StartAsync(http, Directory.CreateDirectory(
        Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"consensus-etcd-{Environment.ProcessId}")));

    /// <summary>Starts nodes whose log is in a folder, which they remove with it.</summary>
    /// <exception cref="InvalidOperationException">There is no etcd, or it does not start.</exception>
    public static async Task<EtcdCluster> StartAsync(HttpClient http, DirectoryInfo data)
    {
        var cluster = new EtcdCluster(http, data);
        try
        {
            var ports = LoopbackPorts.Free(2 * Nodes);
            var peers = string.Join(',', Enumerable.Range(0, Nodes).Select(node => $"n{node}=http://127.0.0.1:{ports[Nodes + node]}"));

            // A node serves once a quorum of them runs.
            cluster._nodes.AddRange(await Task.WhenAll(Enumerable.Range(0, Nodes).Select(node => ServerProcess.StartAsync(
                "etcd",
                [
                    "--name", $"n{node}", "--data-dir", Path.Combine(cluster._data.FullName, $"n{node}"),
                    "--listen-client-urls", $"http://127.0.0.1:{ports[node]}", "--advertise-client-urls", $"http://127.0.0.1:{ports[node]}",
                    "--listen-peer-urls", $"http://127.0.0.1:{ports[Nodes + node]}",
                    "--initial-advertise-peer-urls", $"http://127.0.0.1:{ports[Nodes + node]}",
                    "--initial-cluster", peers, "--log-level", "error",
                ],
                ports[node], "/health", new Dictionary<string, string>()))));
            await cluster.PutAsync();
            return cluster;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            cluster.Dispose();
            throw new InvalidOperationException("--etcd: there is no program etcd on the path; install it (Debian: etcd-server).");
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Puts a value through the JSON gateway of one node.</summary>
    /// <returns>ms until it is committed.</returns>
    public async Task<double> PutAsync()
    {
        var value = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{++_puts}"));
        var start = Stopwatch.GetTimestamp();
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes($$"""{"key":"Y29uc2Vuc3Vz","value":"{{value}}"}"""))
        {
            Headers = { ContentType = Json },
        };
        using var response = await _http.PostAsync(new Uri(_nodes[0].Address, "/v3/kv/put"), content);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public void Dispose()
    {
        _nodes.ForEach(node => node.Dispose());
        _data.Delete(recursive: true);
    }
}
