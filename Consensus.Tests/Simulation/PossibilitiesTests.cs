using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Exploration;
using Consensus.Simulation.Mutants;

namespace Consensus.Tests.Simulation;

/// <summary>What can still happen from a state of the explorer.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class PossibilitiesTests
{
    [Theory]
    [InlineData(Rule.Ratified, 3, 2)]
    [InlineData(Rule.Ratified, 2, 2)]
    [InlineData(Rule.Classic, 3, 2)]
    public void Exactly_the_values_are_possible_that_random_continuations_decide(Rule rule, int agents, int values)
    {
        var options = new ExplorationOptions(agents, rule, values);
        var (singles, several, disagreements) = (0, 0, 0);
        for (var seed = 1; seed <= 40; seed++)
        {
            var path = RandomPath(options, seed, 2 + (seed % 14));
            var found = Possibilities.Of(new ExploredCluster(options, path))!;
            var (decided, differ) = Continue(options, path, found.Values.Count, found.Disagreement);
            Assert.Equal((string.Join('-', path), string.Join(',', found.Values)), (string.Join('-', path), string.Join(',', decided)));
            Assert.True(found.Disagreement || !differ, string.Join('-', path));
            singles += found is { Values.Count: 1, IsComplete: true } ? 1 : 0;
            several += found.Values.Count > 1 ? 1 : 0;
            disagreements += found.Disagreement && differ ? 1 : 0;
        }

        Assert.InRange(singles, 5, 35);
        Assert.InRange(several, 5, 35);
        Assert.Equal(rule == Rule.Classic, disagreements >= 5);
    }

    [Theory]
    [InlineData(Rule.Ratified, null, "s1.1-d1.1-d2.1-r1", 3, 1)] // Two of three agents have voted. No agent has decided.
    [InlineData(Rule.Ratified, null, "s1.1-d1.1-r1-d3.2-w3-w3", 3, 1)]
    [InlineData(Rule.Ratified, null, "s1.1-d1.2-d2.3", 0, 0)]
    [InlineData(Rule.Classic, null, "s1.1-d1.1", 0, 0)] // Another value can be decided after the first decision.
    [InlineData(Rule.Ratified, "no-adoption", "s1.1-d1.1-r1-d3.2", 0, 0)]
    public void One_value_is_possible_from_a_step_on_that_is_no_later_than_the_first_decision_only_under_the_ratified_rule(
        Rule rule, string? mutant, string path, int steps, int value)
    {
        var options = new ExplorationOptions(Rule: rule, Mutant: mutant is null ? null : Mutant.Find(mutant));
        Assert.Equal(steps == 0 ? null : (steps, value), Possibilities.OnlyValueSince(options, ExplorationStep.ParsePath(path)));
    }

    [Fact]
    public void What_is_possible_only_shrinks_along_a_run_and_the_line_is_where_one_value_is_left()
    {
        foreach (var rule in (Rule[])[Rule.Ratified, Rule.Classic])
        {
            for (var seed = 100; seed < 107; seed++)
            {
                var options = new ExplorationOptions(Rule: rule, Values: 2);
                var path = RandomPath(options, seed, 12);
                var before = Enumerable.Range(1, path.Count)
                    .Select(taken => Possibilities.Of(ExploredCluster.After(options, path, taken))!).ToList();

                // A start that reached too few agents begins another run.
                var run = ExploredCluster.After(options, path, path.Count).Agents.Max(agent => agent.Machine!.CurrentRun?.Id);
                var since = Enumerable.Range(1, path.Count).First(
                    taken => ExploredCluster.After(options, path, taken).Agents.Max(agent => agent.Machine!.CurrentRun?.Id) == run) - 1;
                Assert.All(before.Skip(since).Zip(before.Skip(since + 1)), pair => Assert.True(
                    !pair.First.IsComplete || pair.First.Values.Intersect(pair.Second.Values).Count() == pair.Second.Values.Count,
                    string.Join('-', path)));
                var first = before.FindIndex(since, one => one is { Values.Count: 1, IsComplete: true });
                Assert.Equal(first < 0 ? null : (first + 1, before[first].Values[0]), Possibilities.OnlyValueSince(options, path));
            }
        }
    }

    [Fact]
    public void A_run_stalls_by_as_many_crashes_as_are_said_and_not_by_fewer()
    {
        var (stalls, others) = (0, 0);
        for (var seed = 1; seed <= 12; seed++)
        {
            // The search allows two crashes in all.
            var options = new ExplorationOptions();
            List<ExplorationStep> path =
                [.. RandomPath(options, seed, 1 + (seed % 7)), .. seed % 3 == 0 ? ExplorationStep.ParsePath("c2") : []];
            var said = Possibilities.Of(new ExploredCluster(options, path))!.CrashesToStall!.Value + (seed % 3 == 0 ? 1 : 0);
            var search = ExplorationSearch.Find(options, path, ExplorationGoal.Stall, 3_000);

            // An agent that does not know of a decision may report a stall. The decision still arrives.
            if (search.Path is { } stalled
                && new ExploredCluster(options, stalled).Agents.All(agent => agent.Machine?.CurrentDecision is null))
            {
                Assert.Equal((string.Join('-', path), stalled.Count(step => step.Kind == ExplorationStepKind.Crash)),
                    (string.Join('-', path), said));
                stalls++;
            }
            else if (search.Path is not null || search.IsComplete)
            {
                Assert.True(said > 2, string.Join('-', path));
                others++;
            }
        }

        Assert.InRange(stalls, 5, 12);
        Assert.InRange(others, 1, 7);
    }

    [Fact]
    public void A_search_that_ends_early_says_so_and_no_run_has_no_answer()
    {
        var start = new ExploredCluster(new(), ExplorationStep.ParsePath("s1.1"));
        Assert.True(Possibilities.Of(start, 40) is { IsComplete: false, AllValues: false, States: 40 });
        Assert.True(Possibilities.Of(start) is { AllValues: true, Disagreement: false });
        Assert.Null(Possibilities.Of(new ExploredCluster(new(), [])));
    }

    [Fact]
    public void Simulated_futures_are_the_same_each_time_and_decide_as_often_as_draws_are_equal()
    {
        var (options, path) = (new ExplorationOptions(), ExplorationStep.ParsePath("s1.1"));
        var futures = SimulatedFutures.Of(options, path, 1_000, 2);
        Assert.Equivalent(futures, SimulatedFutures.Of(options, path, 1_000, 2));

        // All three draws reach everybody: two of them are equal in 7 of 9 cases.
        Assert.InRange(futures.DecidedIn[1], 7_000 / 9 - 40, 7_000 / 9 + 40);
        Assert.Equal((1_000, 1_000, 0), (futures.DecidedIn.Values.Sum(), futures.Decided.Values.Sum(), futures.Disagreements));
        Assert.True(SimulatedFutures.Of(options with { Rule = Rule.Classic }, path, 400, 400).Disagreements > 0);
    }

    /// <summary>Some steps by chance: messages mostly, and windows.</summary>
    private static List<ExplorationStep> RandomPath(ExplorationOptions options, int seed, int length)
    {
        var random = SeededRandom.For(seed, "path", 0);
        List<ExplorationStep> path = [];
        for (var cluster = new ExploredCluster(options, path); path.Count < length; cluster = new ExploredCluster(options, path))
        {
            var steps = cluster.NextSteps(kind => path.Count == 0 ? kind == ExplorationStepKind.Start
                : kind is ExplorationStepKind.Window || (kind == ExplorationStepKind.Lose && random.Next(4) == 0)).ToList();
            if (steps.Count == 0)
            {
                break;
            }

            path.Add(steps[random.Next(steps.Count)].Step);
        }

        return path;
    }

    /// <summary>
    /// Goes on at random, in fast and slow networks. It ends when as many values and a disagreement were decided as are said
    /// to be possible.
    /// </summary>
    private static (SortedSet<int> Values, bool Disagreement) Continue(
        ExplorationOptions options, IReadOnlyList<ExplorationStep> path, int values, bool disagreement)
    {
        var (decided, differ) = (new SortedSet<int>(), false);
        for (var seed = 0; seed < 40 || (seed < 1_500 && (decided.Count < values || differ != disagreement)); seed++)
        {
            var held = seed < 200
                ? new ExploredCluster(options, path).GoOn(SeededRandom.For(seed, "continuation", 0), 10 << (seed % 7), maxRounds: 3).Values
                : Walk(options, path, SeededRandom.For(seed, "walk", 0));
            decided.UnionWith(held);
            differ |= held.Count > 1;
        }

        return (decided, differ);
    }

    /// <summary>Goes on at random while some links hold their messages back, others from time to time.</summary>
    private static HashSet<int> Walk(ExplorationOptions options, IReadOnlyList<ExplorationStep> from, SeededRandom random)
    {
        List<ExplorationStep> path = [.. from];
        var cluster = new ExploredCluster(options, path);
        var open = random.NextUInt64();
        for (var steps = 0; steps < 40 && cluster.Agents.Any(agent => agent.Machine!.CurrentDecision is null); steps++)
        {
            open = random.Next(8) == 0 ? random.NextUInt64() : open;
            var possible = cluster.NextSteps(kind => kind == ExplorationStepKind.Window)
                .Where(step => step.Call is not { } call || ((open >> ((call.From.Index * 8) + call.To.Index)) & 1) == 1).ToList();
            if (possible.Count > 0)
            {
                path.Add(possible[random.Next(possible.Count)].Step);
                cluster = new ExploredCluster(options, path);
            }
        }

        return [.. cluster.Agents.Select(agent => agent.Machine!.CurrentDecision?.Value).OfType<int>()];
    }
}
