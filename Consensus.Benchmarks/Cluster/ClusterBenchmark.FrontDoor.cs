using System.Diagnostics;

namespace Consensus.Benchmarks.Cluster;

/// <summary>What people get under the AppHost: agents that persist (<c>DATA</c>) and export telemetry.</summary>
internal sealed partial class ClusterBenchmark
{
    /// <summary>How Aspire sets the exporters of a project, where that is not the default.</summary>
    private static readonly (string Key, string Value)[] AspireExport =
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_BLRP_SCHEDULE_DELAY", "1000"), ("OTEL_BSP_SCHEDULE_DELAY", "1000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"), ("OTEL_TRACES_SAMPLER", "always_on"), ("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based"),
    ];

    private static (string Key, string Value)[] ExportTo(HelperServer helper) =>
        [("OTEL_EXPORTER_OTLP_ENDPOINT", helper.Process.Address.AbsoluteUri), .. AspireExport];

    private async Task FrontDoorAsync(HelperServer helper, AgentCluster three)
    {
        var folder = Directory.CreateTempSubdirectory("consensus-");
        try
        {
            progress("starting agents that persist and export", _done);
            (string Key, string Value) Data(string name) => ("DATA", Path.Combine(folder.FullName, name + "-{agent}.db"));
            using var persisting = await AgentCluster.StartAsync(agent, 3, _http, Data("data"));
            using var exporting = await AgentCluster.StartAsync(agent, 3, _http, ExportTo(helper));
            using var both = await AgentCluster.StartAsync(agent, 3, _http, [Data("both"), .. ExportTo(helper)]);
            using var etcdInMemory = etcd ? await EtcdCluster.StartInMemoryAsync(_http) : null;
            using var etcdOnDisk = etcd ? await EtcdCluster.StartAsync(_http, folder.CreateSubdirectory("etcd")) : null;
            foreach (var cluster in (AgentCluster[])[persisting, exporting, both])
            {
                await WarmUpAsync(cluster);
            }

            await three.WarmUpAsync(Relayed, 2000, TimeSpan.FromSeconds(5));
            await using var file = new FileStream(
                Path.Combine(folder.FullName, "page"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            await MeasureFrontDoorAsync(helper, three, persisting, exporting, both, etcdInMemory, etcdOnDisk, () => ForcePage(file));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task MeasureFrontDoorAsync(
        HelperServer helper, AgentCluster three, AgentCluster persisting, AgentCluster exporting, AgentCluster both,
        EtcdCluster? etcdInMemory, EtcdCluster? etcdOnDisk, Func<double> force)
    {
        var raw = Raw(helper);
        var plain = Answer("POST /run?wait", three, new());
        var relayed = Answer("the same, relay", three, Relayed);
        var persisted = Answer("with DATA", persisting, new());
        var exported = Answer("with telemetry", exporting, new());
        var withBoth = Answer("with both, as under the AppHost", both, new());
        var forced = new Cell("forcing a page of 4 KiB to the same disk", () => Task.FromResult(force()));
        List<Cell> cells = [raw, plain, relayed, persisted, exported, withBoth, forced];
        var memoryPut = new Cell("etcd in memory, a put over the JSON gateway", () => etcdInMemory!.PutAsync());
        var diskPut = new Cell("etcd with its log on the same disk, a put", () => etcdOnDisk!.PutAsync());
        if (etcdInMemory is not null)
        {
            cells.AddRange([memoryPut, diskPut]);
        }

        await AlternateAsync("front door", 9, [.. cells]);
        _latencies.Add(Latencies.Of(raw, raw));
        foreach (var cell in (Cell[])[plain, relayed, persisted, exported, withBoth, forced])
        {
            _latencies.Add(Latencies.Of(cell, raw, cell == plain ? null : plain));
        }

        Compare("DATA, times plain", persisted, plain, 1.4);
        Compare("telemetry exporting, times plain", exported, plain, 1.25);
        Compare("both, times plain", withBoth, plain, 1.8);
        if (etcdInMemory is not null)
        {
            _latencies.Add(Latencies.Of(memoryPut, raw));
            _latencies.Add(Latencies.Of(diskPut, raw));
            Compare("DATA, in puts to etcd with its log on the same disk", persisted, diskPut, 1);
            CompareWithEtcd(plain, relayed, memoryPut);
        }
    }

    private void CompareWithEtcd(Cell direct, Cell relayed, Cell put)
    {
        Compare("plain by a relay, in puts to etcd in memory", relayed, put, 0.8);
        Compare("plain by direct messages, in puts to etcd in memory", direct, put, 1);
    }

    private void Compare(string what, Cell cell, Cell than, double atMost) =>
        _targets.Add(new(what, cell.Samples.Percentile(0.5) / than.Samples.Percentile(0.5), atMost));

    private static double ForcePage(FileStream file)
    {
        var clock = Stopwatch.StartNew();
        file.Write(new byte[4096]);
        file.Flush(flushToDisk: true);
        return clock.Elapsed.TotalMilliseconds;
    }

    private static Cell Answer(string name, AgentCluster cluster, Question question) => new(name, () => cluster.AnswerAsync(question));
}
