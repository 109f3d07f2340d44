using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Mutants;
using Consensus.Simulation.Seeded;

namespace Consensus.Tests.Simulation;

/// <summary>Simulated runs of the core as it is, and of mutants.</summary>
[Trait(Category.Name, Category.Proof)]
public sealed class SimulatorTests
{
    /// <summary>Faults of every kind, and three starts.</summary>
    private static readonly SimulationOptions Heavy = new(
        Drop: Probability.Of(0.15m), Duplicate: Probability.Of(0.1m), Crash: Probability.Of(0.01m), Partition: Probability.Of(0.02m),
        Pause: Probability.Of(0.01m), Reset: Probability.Of(0.01m), Starts: 3, Latency: Latency.Tail);

    [Theory]
    [InlineData(4_000, 3, 3, DrawStrategy.Fresh, false, Spread.Direct)]
    [InlineData(3_000, 3, 2, DrawStrategy.Fresh, true, Spread.Direct)]
    [InlineData(3_000, 3, 3, DrawStrategy.Fresh, false, Spread.Relay)]
    [InlineData(2_000, 3, 2, DrawStrategy.Fresh, true, Spread.Relay)]
    [InlineData(2_000, 4, 2, DrawStrategy.Fresh, false, Spread.Direct)]
    [InlineData(2_000, 4, 2, DrawStrategy.Fresh, false, Spread.Relay)]
    [InlineData(2_000, 5, 3, DrawStrategy.Plurality, false, Spread.Relay)]
    [InlineData(2_000, 7, 2, DrawStrategy.Fresh, false, Spread.Relay)]
    public void Ratified_runs_with_heavy_faults_break_nothing_and_end_decided_or_rightly_stalled(
        int runs, int agents, int values, DrawStrategy draw, bool durable, Spread spread)
    {
        // 20,000 in all.
        var report = new SimulationBatch(
            Heavy with { Agents = agents, Values = values, Draw = draw, Durable = durable, Spread = spread }, 1, runs).Run();
        Assert.True(report.Broken.Count == 0, string.Join('\n', report.Lines()));
        Assert.Equal(runs, report.Outcomes[(int)SimulationOutcome.Decided]
            + report.Outcomes[(int)SimulationOutcome.Stalled] + report.Outcomes[(int)SimulationOutcome.NothingStarted]);

        // The faults do happen: some runs lose their quorum, and most do not.
        Assert.InRange(report.Outcomes[(int)SimulationOutcome.Stalled], runs / 100, runs / 2);
        Assert.True(report.Rounds.Max >= 3);
    }

    [Theory]
    [InlineData(3_000, 3, 1)]
    [InlineData(2_000, 3, 2)]
    [InlineData(1_000, 5, 2)]
    public void Agents_that_count_different_cluster_sizes_break_nothing(int runs, int agents, int misconfiguredAgents)
    {
        var report = new SimulationBatch(Heavy with { Agents = agents, MisconfiguredAgents = misconfiguredAgents }, 1, runs).Run();
        Assert.True(report.Broken.Count == 0, string.Join('\n', report.Lines()));

        // Some starts are refused; others find only agents that count alike, as long as these are a quorum.
        Assert.InRange(report.Outcomes[(int)SimulationOutcome.NothingStarted], runs / 100, runs);
        Assert.Equal(misconfiguredAgents <= (agents - 1) / 2, report.Rounds.Count > 0);
    }

    [Fact]
    public void A_mutant_that_compares_no_cluster_sizes_breaks_the_cluster_size_property()
    {
        var report = new SimulationBatch(
            Heavy with { MisconfiguredAgents = 1 }, 1, 200, Mutant.Find("cluster-sizes-not-compared").Factory).Run();
        Assert.True(report.Broken.ContainsKey((Rule.Ratified, PropertyNames.ClusterSize)), string.Join('\n', report.Lines()));
    }

    [Fact]
    public void Ratified_runs_break_nothing_beside_classic_runs_that_disagree()
    {
        var report = new SimulationBatch(Heavy with { Rule = null, WindowMs = 20 }, 1, 2_000).Run();
        Assert.True(report.Holds, string.Join('\n', report.Lines()));
        Assert.Contains((Rule.Classic, PropertyNames.Agreement), report.Broken.Keys);
    }

    [Fact]
    public void The_simulated_run_of_a_seed_equals_its_golden_byte_for_byte()
    {
        var path = Path.Combine(SourceTree.Root, "Consensus.Tests", "Simulation", "Goldens", "heavy_seed_7.txt");
        var text = Text(7);
        Golden.AssertEqual(path, Golden.Read(path), text);
        Assert.Equal(text, Text(7));
        Assert.NotEqual(text, Text(8));
    }

    [Fact]
    public void Neither_a_trace_nor_the_number_of_threads_changes_a_result()
    {
        var simulator = new Simulator(Heavy);
        var traced = Enumerable.Range(1, 50).Select(seed => new Simulator(Heavy).Run(seed, new SimulationTrace())).ToList();
        Assert.Equal(traced, Enumerable.Range(1, 50).Select(seed => simulator.Run(seed)));
        var (single, shared) = (new SimulationBatch(Heavy, 1, 500).Run(workers: 1), new SimulationBatch(Heavy, 1, 500).Run(workers: 4));
        Assert.Equal((single.Rounds.ToString(), single.Messages.ToString()), (shared.Rounds.ToString(), shared.Messages.ToString()));
        Assert.Equal(single.Outcomes, shared.Outcomes);
        Assert.Equal(single.Violations, shared.Violations);
    }

    [Fact]
    public void Every_run_without_faults_decides_in_a_few_rounds()
    {
        var report = new SimulationBatch(new SimulationOptions(Agents: 5), 1, 500).Run();
        Assert.Equal(500, report.Outcomes[(int)SimulationOutcome.Decided]);
        Assert.InRange(report.Rounds.Mean, 1.2, 1.7);
    }

    /// <summary>
    /// Where all messages take equally long, agents go from round to round together. Then a round decides where a majority of three
    /// values draws the same one: in <paramref name="decided"/> of <paramref name="draws"/> equally likely draws.
    /// </summary>
    [Theory]
    [InlineData(3, 21, 27)]
    [InlineData(5, 153, 243)]
    [InlineData(7, 1_137, 2_187)]
    public void Agents_in_step_decide_in_as_many_rounds_as_chance_takes(int agents, double decided, double draws)
    {
        var inStep = new SimulationOptions(agents, Latency: Latency.Constant, Spread: Spread.Direct);
        var rounds = new SimulationBatch(inStep, 1, 4_000).Run().Rounds;
        Assert.InRange(rounds.HalfWidth, 0.01, 0.06);
        Assert.InRange(draws / decided, rounds.Mean - rounds.HalfWidth, rounds.Mean + rounds.HalfWidth);
    }

    [Fact]
    public void The_confidence_interval_of_a_mean_is_that_of_the_textbooks()
    {
        var histogram = new Histogram();
        foreach (var number in new[] { 1, 1, 2, 2 })
        {
            histogram.Add(number);
        }

        Assert.Equal(1.96 * Math.Sqrt(1 / 12.0), histogram.HalfWidth, 12);
    }

    [Fact]
    public void Plurality_draws_decide_in_about_two_rounds_whatever_the_size()
    {
        var report = new SimulationBatch(new SimulationOptions(Agents: 31, Draw: DrawStrategy.Plurality), 1, 20).Run();
        Assert.Equal(20, report.Rounds.Count);
        Assert.InRange(report.Rounds.Mean, 1.0, 3.0);
    }

    [Fact]
    public void A_classic_disagreement_is_found_and_shrunk_to_at_most_12_events()
    {
        var found = Counterexample.Find(
            new SimulationOptions(Rule: Rule.Classic, Values: 2, WindowMs: 5, Latency: Latency.Tail), 1, 2_000, violations: 1);
        Assert.NotNull(found);
        Assert.Equal((PropertyNames.Agreement, Rule.Classic), (found.Violation.Property, found.Violation.Rule));
        Assert.InRange(found.Events, 8, 12);
        var lines = found.Lines().ToList();
        Assert.InRange(lines.Count, 8, 40);
        Assert.All(lines.TakeWhile(line => line != found.Sentence()), line => Assert.InRange(line.Length, 0, 120));
        Assert.Contains("had not reached it", found.Sentence(), StringComparison.Ordinal);

        // The shortened run still disagrees, and the ratified rule agrees under the same inputs.
        Assert.Equal(2, DecisionsOf(found.Trace).Distinct().Count());
        var ratified = DecisionsOf(found.UnderTheRatifiedRule()).ToList();
        Assert.Equal(3, ratified.Count);
        Assert.Single(ratified.Distinct());
    }

    // The model checker catches every mutant. Here one of each kind shows that the simulator and the shrinking work.
    [Theory]
    [InlineData("short-vote-quorum", PropertyNames.Agreement)]
    [InlineData("old-final-accepted", PropertyNames.Validity)]
    [InlineData("restarted-member", PropertyNames.LearnersSilent)]
    [InlineData("clearing-handshake", PropertyNames.Termination)]
    [InlineData("decision-not-restored", PropertyNames.Durability, true)]
    [InlineData("forging-relay", PropertyNames.RelayedAsSent, false, Spread.Relay)]
    public void Simulated_runs_catch_a_mutant_of_each_kind_and_shrink_its_violation(
        string mutant, string property, bool durable = false, Spread spread = Spread.Direct)
    {
        var make = Mutant.Find(mutant).Factory;
        var report = new SimulationBatch(Heavy with { WindowMs = 20, Durable = durable, Spread = spread }, 1, 600, make).Run();
        Assert.True(report.Broken.ContainsKey((Rule.Ratified, property)), $"{mutant}: {string.Join('\n', report.Lines())}");
        var (seed, _) = report.Violations.First(found => found.Violation.Property == property);
        var whole = new SimulationTrace();
        new Simulator(report.Options, make).Run(seed, whole);
        var shrunk = Counterexample.Of(report.Options, seed, make);
        Assert.NotNull(shrunk);
        Assert.Equal(property, shrunk.Violation.Property);
        Assert.InRange(shrunk.Events, 1, ScheduleReplay.ScheduleOf(whole).Count / 2);
    }

    public static TheoryData<string> Mutants => [.. Mutant.All.Select(mutant => mutant.Name)];

    [Theory]
    [MemberData(nameof(Mutants))]
    public void A_small_violation_of_every_mutant_is_found_and_the_unbroken_rules_violate_nothing_there(string mutant)
    {
        var found = MutantSearch.Find(Mutant.Find(mutant));
        Assert.NotNull(found);
        Assert.Equal(Rule.Ratified, found.Violation.Rule);
        Assert.InRange(found.Events, 1, 30);
        var decisions = found.UnderTheRatifiedRule().Steps.SelectMany(step => step.Events)
            .Where(one => one.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned);
        Assert.All(decisions.GroupBy(one => one.Run), run => Assert.Single(run.Select(one => one.Value).Distinct()));
    }

    [Fact]
    public void Bounds_out_of_range_are_refused_with_the_option_to_change()
    {
        Assert.Equal("--agents is 102; it must be from 1 to 101.", new SimulationOptions(Agents: 102).Error());
        Assert.Equal("--drop is 1.5; it must be from 0 to 1.", new SimulationOptions(Drop: Probability.Of(1.5m)).Error());
        Assert.Null(Heavy.Error());
    }

    private static string Text(long seed)
    {
        var trace = new SimulationTrace();
        var result = new Simulator(Heavy).Run(seed, trace);
        return string.Join('\n', [.. LamportDiagram.Lines(trace, Heavy.Agents), .. result.Verdict(trace), ""]);
    }

    private static IEnumerable<int> DecisionsOf(SimulationTrace trace) =>
        trace.Steps.SelectMany(step => step.Events)
            .Where(protocolEvent => protocolEvent.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned)
            .Select(protocolEvent => protocolEvent.Value);
}
