using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Explanations;
using Consensus.Simulation.ModelChecking;
using Consensus.Simulation.Mutants;
using Consensus.Simulation.Seeded;
using Xunit.Abstractions;

namespace Consensus.Tests.Simulation;

/// <summary>
/// What an explanation promises: its causes are those, and no others. <c>CONSENSUS_EXPLAIN=10000</c> checks that many runs.
/// </summary>
[Trait(Category.Name, Category.Proof)]
public sealed class ExplanationTests(ITestOutputHelper output)
{
    private static readonly SimulationOptions Quiet = new();

    private static readonly SimulationOptions Faulty = new(
        Drop: Probability.Of(0.15m), Duplicate: Probability.Of(0.1m), Crash: Probability.Of(0.01m), Partition: Probability.Of(0.02m),
        Pause: Probability.Of(0.02m), Reset: Probability.Of(0.01m), Starts: 2, Latency: Latency.Tail, FaultsMs: 1_000);

    private static int Runs => int.TryParse(Environment.GetEnvironmentVariable("CONSENSUS_EXPLAIN"), out var runs) ? runs : 50;

    [Fact]
    public void With_the_named_causes_alone_it_still_happens_and_without_any_one_it_does_not()
    {
        var (explanations, alternatives) = (0, 0);
        var cases = Cases().ToList();
        for (var i = 0; i < Runs; i++)
        {
            var (options, make, name) = cases[i % cases.Count];
            var trace = new SimulationTrace();
            new Simulator(options, make).Run(1 + (i / cases.Count), trace, maxMessages: 600);
            var run = new ExplainedRuns(trace, make);
            var wrong = run.FindWrong();
            Assert.True(wrong is null, $"{name}, seed {1 + (i / cases.Count)}: {wrong}");
            (explanations, alternatives) = (explanations + run.Checked, alternatives + run.WithAlternatives);
        }

        output.WriteLine($"{Runs} runs, {explanations} explanations, {alternatives} of them with alternatives");
        Assert.True(explanations > 5 * Runs && alternatives > 0);
    }

    [Fact]
    public void Of_every_mutant_the_first_step_that_the_sound_rule_would_not_take_is_found()
    {
        foreach (var mutant in Mutant.All)
        {
            var (trace, guilty) = FindGuilty(mutant);
            Assert.Equal(trace.IdOf(trace.Steps[guilty.Step].Agent), guilty.Agent);
            Assert.StartsWith($"Here {guilty.Agent} ", guilty.Sentence, StringComparison.Ordinal);
            Assert.Contains("; by the sound rule, on the same messages, it ", guilty.Sentence, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_agent_that_adopts_nothing_should_have_adopted_the_value()
    {
        var (_, guilty) = FindGuilty(Mutant.Find("no-adoption"));
        Assert.Matches(@"^Here (agent\d) draws (\d) for round 2.*; by the sound rule, on the same messages, it adopts \d for round 2\.$",
            guilty.Sentence);
    }

    [Fact]
    public void The_agents_that_two_decisions_share_are_named_where_the_classic_rule_disagrees()
    {
        var options = new SimulationOptions(Rule: Rule.Classic, WindowMs: 5, Drop: Probability.Of(0.1m), Latency: Latency.Tail);
        var found = Counterexample.Find(options, 1, 3_000, 1)!;
        var decided = found.Trace.Steps.Index().SelectMany(step => step.Item.Events.Where(one => one.Kind == ProtocolEventKind.Decided)
            .Select(one => (step.Index, Event: one))).Last();
        var explained = new Explainer(found.Trace).Explain(decided.Index, decided.Event);
        Assert.Equal(2, explained.Quorums.Count);
        Assert.All(explained.Quorums, quorum => Assert.Equal(2, quorum.Agents.Count));
        Assert.Equal(explained.Quorums[0].Agents.Intersect(explained.Quorums[1].Agents), explained.Shared);
        Assert.Contains(explained.Sentences,
            sentence => sentence.Contains($"share {EventFormatter.List(explained.Shared)}", StringComparison.Ordinal));
    }

    [Fact]
    public void A_vote_names_the_agents_that_proposed_its_value()
    {
        var trace = new SimulationTrace();
        new Simulator(Quiet).Run(3, trace);
        var explained = new ExplainedRuns(trace, null).ExplainAll()
            .First(one => one.Event.StartsWith("votes for", StringComparison.Ordinal));
        Assert.Matches(@"^agent\d votes for (\d) in round 1: agent\d and agent\d proposed \1, and 2 of 3 are a majority\.$",
            explained.Sentences[0]);
        Assert.Equal(explained.Step, explained.Past[trace.Steps[explained.Step].Agent]);
        Assert.All(explained.Causes, cause => Assert.True(cause.Step <= explained.Past[trace.Steps[cause.Step].Agent]));
    }

    [Fact]
    public void Counterexamples_of_the_simulator_and_of_the_model_checker_end_with_an_explanation()
    {
        var found = Counterexample.Find(
            new SimulationOptions(Rule: Rule.Classic, WindowMs: 5, Drop: Probability.Of(0.1m), Latency: Latency.Tail), 1, 3_000, 1)!;
        Assert.Contains("are a majority",
            string.Join(" ", found.Lines().Skip(found.Lines().ToList().IndexOf(found.Sentence()) + 1)), StringComparison.Ordinal);
        var report = new ModelChecker(new ModelCheckerOptions(Rule: Rule.Classic, Crashes: 0, Resets: 0)).Run();
        Assert.Equal(PropertyNames.Agreement, report.Broken);
        Assert.Matches(@"agent\d and agent\d proposed \d, and 2 of 3 are a majority", string.Join(" ", report.Lines()));
        var mutant = Mutant.Find("no-adoption");
        var broken = new ModelChecker(new ModelCheckerOptions(Crashes: 0, Resets: 0), mutant.Factory).Run();
        Assert.Contains("by the sound rule, on the same messages, it adopts", string.Join(" ", broken.Lines()), StringComparison.Ordinal);
    }

    private static (SimulationTrace Trace, GuiltyStep Guilty) FindGuilty(Mutant mutant)
    {
        for (var seed = 1; ; seed++)
        {
            var trace = new SimulationTrace();
            new Simulator(mutant.AdaptOptions(Faulty with { Values = 2, WindowMs = 5, Starts = 3 }), mutant.Factory).Run(seed, trace);
            if (new Explainer(trace, mutant.Factory).Guilty is { } guilty)
            {
                return (trace, guilty);
            }
        }
    }

    /// <summary>All rules, with and without faults.</summary>
    private static IEnumerable<(SimulationOptions Options, StateMachineFactory? Make, string Name)> Cases()
    {
        foreach (var options in new[] { Quiet, Faulty, Faulty with { Durable = true } })
        {
            yield return (options, null, "ratified");
            yield return (options with { Rule = Rule.Classic }, null, "classic");
            yield return (options with { Agents = 5, Spread = Spread.Relay, Draw = DrawStrategy.Plurality }, null, "relayed");
        }

        yield return (Faulty with { MisconfiguredAgents = 1 }, null, "different sizes");
        foreach (var mutant in Mutant.All)
        {
            yield return (mutant.AdaptOptions(Faulty with { Values = 2, WindowMs = 5 }), mutant.Factory, mutant.Name);
        }
    }
}
