using System.Diagnostics;

namespace Consensus.Benchmarks.Cluster;

/// <summary>What can be measured by itself.</summary>
internal enum Part
{
    /// <summary>Decisions of three agents: rules, telemetry, values and draws.</summary>
    Decisions,

    /// <summary>CPU, messages and memory.</summary>
    Cost,

    /// <summary>One agent down, one agent slow.</summary>
    Limping,

    /// <summary>Up to nine agents.</summary>
    Growth,

    /// <summary>Answers of agents that persist and export telemetry, as under the AppHost.</summary>
    FrontDoor,

    /// <summary>Up to 31 agents in one process, by direct messages and by a relay.</summary>
    OneProcess,

    /// <summary>Answers by direct messages and by a relay, beside other systems.</summary>
    Others,
}

/// <summary>Measures agents in processes of their own, phase by phase, everything in turns with the raw round trip.</summary>
/// <param name="agent">The agent's program.</param>
/// <param name="seconds">How long to measure, start-up and warm-up aside.</param>
/// <param name="only">What to measure.</param>
/// <param name="external">A command for another system, or null.</param>
/// <param name="etcd">Whether to time puts to etcd beside answers of agents.</param>
/// <param name="original">Whether to time a stand-in for the original beside them.</param>
/// <param name="progress">Receives what is being done, and which part (0..1) of all is over.</param>
internal sealed partial class ClusterBenchmark(
    string agent, double seconds, Part[] only, string? external, bool etcd, bool original, Action<string, double> progress) : IDisposable
{
    // What all parts below add up to.
    private const double Parts = 142;
    private static readonly int[] Sizes = [5, 7, 9];

    private readonly HttpClient _http =
        new(new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromMinutes(10) }) { Timeout = TimeSpan.FromMinutes(1) };
    private readonly List<Latencies> _latencies = [];
    private readonly List<Figure> _figures = [];
    private readonly List<Target> _targets = [];
    private double _done;

    public async Task<Report> RunAsync()
    {
        using var helper = await HelperServer.StartAsync(_http);
        progress("starting three agents", 0);
        using var three = await AgentCluster.StartAsync(agent, 3, _http);
        await WarmUpAsync(three);

        foreach (var part in only)
        {
            await (part switch
            {
                Part.Decisions => DecisionsAsync(helper, three),
                Part.Cost => CostAsync(helper, three),
                Part.Limping => LimpingAsync(helper, three),
                Part.Growth => GrowthAsync(helper, three),
                Part.OneProcess => OneProcessAsync(helper),
                Part.Others => OthersAsync(helper, three),
                _ => FrontDoorAsync(helper, three),
            });
        }

        return new Report(Environment.ProcessorCount, _latencies, _figures, _targets);
    }

    public void Dispose() => _http.Dispose();

    private async Task DecisionsAsync(HelperServer helper, AgentCluster three)
    {
        progress("starting three agents with telemetry", _done);
        using var traced = await AgentCluster.StartAsync(agent, 3, _http, ExportTo(helper));
        await WarmUpAsync(traced);
        await three.WarmUpAsync(new("classic"), 100, TimeSpan.FromSeconds(2));

        var raw = Raw(helper);
        var ratified = Decide("decision, ratified", three, new());
        var classic = Decide("decision, classic", three, new("classic"));
        var ratifiedTraced = Decide("decision, ratified, telemetry on", traced, new());
        var classicTraced = Decide("decision, classic, telemetry on", traced, new("classic"));
        var plurality = Decide("decision, 3 values, plurality", three, new(Draw: "plurality"));
        var many = Decide("decision, 10,000 values, plurality", three, new(Values: 10_000, Draw: "plurality"));
        var other = new Cell("external", () => Task.FromResult(0.0));
        for (var turn = 0; turn < 6; turn++)
        {
            if (external is not null)
            {
                progress("the external command", _done);
                await ExternalCommand.RunAsync(external, other.Samples);
            }

            await AlternateAsync("decisions", 6, raw, ratified, classic, ratifiedTraced, classicTraced, plurality, many);
        }

        // Thousands of rounds each: a few will do.
        var fresh = Decide("decision, 10,000 values, fresh", three, new(Values: 10_000));
        await AlternateAsync("10,000 values, fresh draws", 6, fresh);
        var patience = Stopwatch.StartNew();
        while (await helper.BatchesAsync() == 0)
        {
            // Exported every 5 s.
            await Task.Delay(100);
            if (patience.Elapsed < TimeSpan.FromSeconds(15))
            {
                continue;
            }

            throw new InvalidOperationException("No telemetry arrived, so its cost was not measured.");
        }

        _latencies.Add(Latencies.Of(raw, raw));
        _latencies.Add(Latencies.Of(ratified, raw));
        _latencies.Add(Latencies.Of(classic, raw));
        _latencies.Add(Latencies.Of(ratifiedTraced, raw, ratified));
        _latencies.Add(Latencies.Of(classicTraced, raw, classic));
        _latencies.Add(Latencies.Of(plurality, raw, ratified));
        _latencies.Add(Latencies.Of(many, raw, plurality));
        _latencies.Add(Latencies.Of(fresh, raw, ratified));
        _figures.Add(new("classic decisions on which agents differed",
            three.Disagreements + traced.Disagreements, $"of {classic.Samples.Count + classicTraced.Samples.Count}"));
        _targets.Add(new("decision, ratified, telemetry off, in raw round trips", _latencies[1].RawRoundTrips, 8));
        _targets.Add(new("telemetry exporting, times telemetry off", _latencies[3].Times!.Value, 1.3));
        _targets.Add(new("p99 of a decision, times p50", ratified.Samples.Percentile(0.99) / ratified.Samples.Percentile(0.5), 6));
        _targets.Add(new("10,000 values, plurality, times 3 values", _latencies[6].Times!.Value, 2));
        if (external is not null)
        {
            _latencies.Add(Latencies.Of(other, raw, ratified));
            _figures.Add(new("external, mean in means of a ratified decision", other.Samples.Mean / ratified.Samples.Mean, "times"));
        }
    }

    /// <summary>Blocks of nothing but raw requests and blocks of nothing but decisions, in turns: the CPU of each is known.</summary>
    private async Task CostAsync(HelperServer helper, AgentCluster three)
    {
        var (rawCpu, rawCount, decisionCpu, decisionCount) = (TimeSpan.Zero, 0, TimeSpan.Zero, 0);
        var spent = Stopwatch.StartNew();
        spent.Reset();
        var messages = new List<int>();
        for (var turn = 0; turn < 6; turn++)
        {
            progress("CPU and messages", _done);
            var block = TimeSpan.FromSeconds(seconds * 1.25 / Parts);
            var before = Own() + helper.Process.Cpu;
            rawCount += await RepeatAsync(block, helper.RawAsync);
            rawCpu += Own() + helper.Process.Cpu - before;

            before = Own() + three.Cpu;
            spent.Start();
            var decisions = await RepeatAsync(block, () => three.DecideAsync(new()));
            spent.Stop();
            decisionCpu += Own() + three.Cpu - before;
            decisionCount += decisions;

            // The last messages of a run may still be in flight.
            await Task.Delay(300);
            messages.AddRange(await three.MessagesOfOneRoundAsync(Math.Min(decisions, 90)));
            _done += 2.5 / Parts;
        }

        var undisturbed = new List<int>();
        for (var i = 0; i < 10; i++)
        {
            await three.DecideAsync(new());
            await Task.Delay(800);
            undisturbed.AddRange(await three.MessagesOfOneRoundAsync(1));
        }

        var (raw, decision) = (rawCpu.TotalMilliseconds / rawCount, decisionCpu.TotalMilliseconds / decisionCount);
        var messagesOfOne = messages.Average();
        _figures.Add(new("decisions back to back, agreement checked on each", decisionCount / spent.Elapsed.TotalSeconds, "per s"));
        _figures.Add(new("CPU per raw request, both ends", raw, "ms"));
        _figures.Add(new("CPU per decision, all processes", decision, "ms"));
        _figures.Add(new("messages per decision in one round, back to back", messagesOfOne, "between agents"));
        _figures.Add(new("messages per decision in one round, left alone", undisturbed.Average(), "between agents"));
        _figures.Add(new("working set of an agent", three.Running.Max(one => one.WorkingSet) / 1048576.0, "MB"));
        _figures.Add(new("start of an agent to its first answer",
            three.Running.Select(one => one.StartTime.TotalMilliseconds).Order().ElementAt(1), "ms"));
        _targets.Add(new($"CPU per decision, times (messages + client's 3) x raw", decision / ((messagesOfOne + 3) * raw), 1.5));
        _targets.Add(new("messages per decision in one round", Math.Max(messages.Max(), undisturbed.Max()), 18));

        // Agents of the build that this was built with, whatever --agent names.
        progress("memory", _done);
        var allocated = await Memory.AllocatedPerDecisionAndAgentAsync(helper, _http) / 1024;
        _figures.Add(new("allocated per decision and agent", allocated, "KB"));
        _targets.Add(new("allocated per decision and agent, KB", allocated, 60));
    }

    private async Task LimpingAsync(HelperServer helper, AgentCluster three)
    {
        var raw = Raw(helper);
        var healthy = Decide("decision, all well", three, new());
        progress("starting three agents to kill one of", _done);
        using (var two = await AgentCluster.StartAsync(agent, 3, _http))
        {
            await WarmUpAsync(two);
            two.Kill(2);
            var dead = Decide("decision, one of three dead", two, new());
            await AlternateAsync("one dead", 9, raw, healthy, dead);
            _latencies.Add(Latencies.Of(dead, raw, healthy));
            _targets.Add(new("one of three dead, times all well", _latencies[^1].Times!.Value, 1.3));
        }

        progress("starting three agents to slow one of", _done);
        using var limping = await AgentCluster.StartAsync(agent, 3, _http, ("FAULTS", "true"));
        await WarmUpAsync(limping);
        await limping.SlowDownAsync(2, 100);
        var slow = Decide("decision, one of three slow (100 ms)", limping, new());
        await AlternateAsync("one slow", 9, raw, healthy, slow);
        _latencies.Add(Latencies.Of(slow, raw, healthy));
    }

    private async Task GrowthAsync(HelperServer helper, AgentCluster three)
    {
        foreach (var size in Sizes)
        {
            progress($"starting {size} agents", _done);
            using var more = await AgentCluster.StartAsync(agent, size, _http);
            await WarmUpAsync(more);
            var raw = Raw(helper);
            var few = Decide("decision, 3 agents", three, new());
            var many = Decide($"decision, {size} agents", more, new());
            await AlternateAsync($"{size} agents", 8, raw, few, many);
            _latencies.Add(Latencies.Of(many, raw, few));
        }

        _targets.Add(new("9 agents, times 3", _latencies[^1].Times!.Value, 3.5));
    }

    private static Cell Raw(HelperServer helper) => new("raw round trip", helper.RawAsync);

    private static Cell Decide(string name, AgentCluster cluster, Question question) => new(name, () => cluster.DecideAsync(question));

    private async Task WarmUpAsync(AgentCluster cluster)
    {
        progress("warming up", _done);

        // Fewer leave methods half compiled, with telemetry more of them.
        await cluster.WarmUpAsync(new(), 5000, TimeSpan.FromSeconds(5 + (3 * cluster.Running.Count())));
    }

    private async Task AlternateAsync(string what, double parts, params Cell[] cells)
    {
        var from = _done;
        var time = TimeSpan.FromSeconds(seconds * parts / Parts);
        await Measuring.AlternateAsync(time, elapsed => progress(what, from + (Math.Min(1, elapsed / time) * parts / Parts)), cells);
        _done = from + (parts / Parts);
    }

    private static TimeSpan Own()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    private static async Task<int> RepeatAsync(TimeSpan time, Func<Task> action)
    {
        var count = 0;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < time; count++)
        {
            await action();
        }

        return count;
    }
}
