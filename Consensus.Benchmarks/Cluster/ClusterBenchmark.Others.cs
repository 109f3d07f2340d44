namespace Consensus.Benchmarks.Cluster;

/// <summary>Direct messages and relayed ones, beside other systems in the same run.</summary>
internal sealed partial class ClusterBenchmark
{
    private static readonly Question Direct = new(Spread: "direct");
    private static readonly Question Relayed = new(Spread: "relay");
    private static readonly Question DirectPlurality = new(Draw: "plurality", Spread: "direct");
    private static readonly Question RelayedPlurality = new(Draw: "plurality", Spread: "relay");
    private const int MaxDirectInOneProcess = 15;

    // From some 45 agents on, two cores are too slow for all the calls of a cold process: they time out, and come again.
    private static readonly int[] OneProcessSizes = [3, 5, 9, 15, 31];

    private async Task OthersAsync(HelperServer helper, AgentCluster three)
    {
        progress("starting other systems", _done);
        using var etcdNodes = etcd ? await EtcdCluster.StartInMemoryAsync(_http) : null;
        using var originals = original ? await OriginalCluster.StartAsync(_http) : null;
        await three.WarmUpAsync(Relayed, 2000, TimeSpan.FromSeconds(5));

        var raw = Raw(helper);
        var direct = Answer("POST /run?wait, direct", three, Direct);
        var relayed = Answer("POST /run?wait, relay", three, Relayed);
        var directHeld = Decide("decision held by all three, direct", three, Direct);
        var relayedHeld = Decide("decision held by all three, relay", three, Relayed);
        List<Cell> cells = [raw, direct, relayed, directHeld, relayedHeld];
        var put = new Cell("etcd, a put over the JSON gateway", () => etcdNodes!.PutAsync());
        if (etcdNodes is not null)
        {
            cells.Add(put);
        }

        await AlternateAsync("answers", 9, [.. cells]);
        _latencies.Add(Latencies.Of(direct, raw, etcdNodes is null ? null : put));
        _latencies.Add(Latencies.Of(relayed, raw, etcdNodes is null ? direct : put));
        _latencies.Add(Latencies.Of(directHeld, raw));
        _latencies.Add(Latencies.Of(relayedHeld, raw, directHeld));
        if (etcdNodes is not null)
        {
            _latencies.Add(Latencies.Of(put, raw));
            CompareWithEtcd(direct, relayed, put);
        }

        var (directCpu, relayedCpu) = (await CpuOfAsync(three, Direct), await CpuOfAsync(three, Relayed));
        _figures.Add(new("CPU per decision, all agents, direct", directCpu, "ms"));
        _figures.Add(new("CPU per decision, all agents, relay", relayedCpu, "ms"));
        if (originals is not null)
        {
            var theirs = new Cell("a stand-in for the original", originals.DecideAsync);
            await AlternateAsync("the original", 3, raw, directHeld, theirs);
            _latencies.Add(Latencies.Of(theirs, raw, directHeld));
        }
    }

    private async Task OneProcessAsync(HelperServer helper)
    {
        var three = 0.0;
        foreach (var size in OneProcessSizes)
        {
            progress($"starting {size} agents in one process", _done);
            using var cluster = await AgentCluster.StartInOneProcessAsync(agent, size, _http);
            await cluster.WarmUpAsync(RelayedPlurality, 3000, TimeSpan.FromSeconds(6));
            var raw = Raw(helper);
            var relayed = new Cell($"{size} agents in one process, relay", () => cluster.AnswerAsync(RelayedPlurality));
            var direct = new Cell($"{size} agents in one process, direct", () => cluster.AnswerAsync(DirectPlurality));

            // Beyond, direct messages take seconds.
            var isDirect = size <= MaxDirectInOneProcess;
            await AlternateAsync($"{size} agents in one process", 4, isDirect ? [raw, direct, relayed] : [raw, relayed]);
            if (isDirect)
            {
                _latencies.Add(Latencies.Of(direct, raw));
                _figures.Add(
                    new($"CPU per decision, {size} agents in one process, direct", await CpuOfAsync(cluster, DirectPlurality), "ms"));
            }

            _latencies.Add(Latencies.Of(relayed, raw, isDirect ? direct : null));
            _figures.Add(new($"CPU per decision, {size} agents in one process, relay", await CpuOfAsync(cluster, RelayedPlurality), "ms"));
            three = size == 3 ? relayed.Samples.Percentile(0.5) : three;
            if (size == 31)
            {
                _targets.Add(new("31 agents in one process by a relay, times 3", relayed.Samples.Percentile(0.5) / three, 40));
            }
        }
    }

    private async Task<double> CpuOfAsync(AgentCluster cluster, Question question)
    {
        progress("CPU", _done);
        var before = cluster.Cpu;
        var decisions = await RepeatAsync(TimeSpan.FromSeconds(seconds * 2 / Parts), () => cluster.AnswerAsync(question));
        return (cluster.Cpu - before).TotalMilliseconds / decisions;
    }
}
