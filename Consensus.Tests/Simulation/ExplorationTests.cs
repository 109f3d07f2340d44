using System.Text.Json;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Exploration;
using Consensus.Simulation.Mutants;

namespace Consensus.Tests.Simulation;

/// <summary>The explorer: paths of steps over the real core.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class ExplorationTests
{
    private const string Disagreement = "s1.1-d1.1-w1.2-d5.2";

    [Theory]
    [InlineData(Rule.Ratified, 3, null)]
    [InlineData(Rule.Classic, 3, null)]
    [InlineData(Rule.Ratified, 4, null)]
    [InlineData(Rule.Ratified, 3, "decision-not-restored")]
    public void Every_listed_step_of_random_paths_is_possible_does_what_it_says_and_leaves_the_state_before_it_unchanged(
        Rule rule, int agents, string? mutant)
    {
        var options = new ExplorationOptions(agents, rule, Mutant: mutant is null ? null : Mutant.Find(mutant));
        var random = new SeededRandom(7);
        for (var walk = 0; walk < 40; walk++)
        {
            List<ExplorationStep> path = [];
            var before = new ExploredCluster(options, path);
            while (path.Count < 25)
            {
                var steps = before.NextSteps().ToList();
                Assert.Equal(steps.Count, steps.Select(step => step.Step.ToString()).Distinct().Count());
                var next = steps[random.Next(steps.Count)];
                path.Add(Assert.NotNull(ExplorationStep.Parse(next.Step.ToString())));
                var after = new ExploredCluster(options, path);
                if (next.Step.Kind != ExplorationStepKind.Restart)
                {
                    Assert.Equal(next.Events, after.Trace!.Steps.Skip(before.Trace!.Steps.Count).SelectMany(step => step.Events));
                }

                Assert.Equal(StatesOf(before), StatesOf(new ExploredCluster(options, [.. path.SkipLast(1)])));
                before = after;
            }

            if (rule == Rule.Ratified && mutant is null)
            {
                Assert.Empty(before.Violations);
            }
        }
    }

    [Fact]
    public void The_classic_rule_disagrees_in_four_steps_and_the_ratified_rule_does_not_in_the_same_place()
    {
        var classic = new ExploredCluster(new(Rule: Rule.Classic), ExplorationStep.ParsePath(Disagreement));
        Assert.Equal(PropertyNames.Agreement, Assert.Single(classic.Violations).Property);
        Assert.Equal(Disagreement, Text(ExplorationSearch.Find(new(Rule: Rule.Classic), [], ExplorationGoal.Disagreement, 1_000).Path!));
        var none = ExplorationSearch.Find(new(), [], ExplorationGoal.Disagreement, 500);
        Assert.Equal((null, 500, false), (none.Path, none.States, none.IsComplete));
    }

    [Theory]
    [InlineData(ExplorationGoal.Decision, null, 3)]
    [InlineData(ExplorationGoal.Adoption, null, 5)]
    [InlineData(ExplorationGoal.CatchUp, null, 6)]
    [InlineData(ExplorationGoal.Violation, "short-proposal-quorum", 5)]
    [InlineData(ExplorationGoal.Violation, "restarted-member", 4)]
    [InlineData(ExplorationGoal.Violation, "decision-not-restored", 5)]
    [InlineData(ExplorationGoal.Violation, "old-final-accepted", 5)]
    [InlineData(ExplorationGoal.Violation, "forging-relay", 5)]
    [InlineData(ExplorationGoal.Violation, "cluster-sizes-not-compared", 3)]
    public void A_shortest_path_to_a_goal_is_found_and_can_be_followed(ExplorationGoal goal, string? mutant, int steps)
    {
        var options = new ExplorationOptions(Mutant: mutant is null ? null : Mutant.Find(mutant));
        var path = ExplorationSearch.Find(options, [], goal, 25_000).Path;
        Assert.NotNull(path);
        Assert.Equal(steps, path.Count);
        Assert.Equal(mutant is not null, new ExploredCluster(options, path).Violations.Any());
    }

    [Fact]
    public void A_stall_says_why_and_a_search_of_all_states_says_so()
    {
        var stall = ExplorationSearch.Find(new(), [], ExplorationGoal.Stall, 25_000);
        Assert.NotNull(stall.Path);
        Assert.NotEmpty(stall.Reason);
        Assert.True(
            ExplorationSearch.Find(new(Agents: 1), [], ExplorationGoal.Adoption, 1_000) is { Path: null, IsComplete: true, States: > 0 });
    }

    [Fact]
    public void A_search_ends_when_its_caller_leaves()
    {
        using var caller = new CancellationTokenSource();
        var visited = 0;
        Assert.Throws<OperationCanceledException>(() => ExplorationSearch.Find(new(), [], ExplorationGoal.Disagreement, 100_000, states =>
        {
            visited = states;
            if (states == 5)
            {
                caller.Cancel();
            }
        }, caller.Token));
        Assert.Equal(5, visited);
    }

    [Theory]
    [InlineData("x", "Step 1 of the path, 'x', must be a letter of ")]
    [InlineData("s1.1-d0", "Step 2 of the path, 'd0', must be a letter of ")]
    [InlineData("s1.1--d1", "Step 2 of the path, '', must be a letter of ")]
    [InlineData("s1", "Step 1 of the path, s1, is not possible there.")]
    [InlineData("s1.4", "Step 1 of the path, s1.4, is not possible there.")]
    [InlineData("s9.1", "Step 1 of the path, s9.1, is not possible there.")]
    [InlineData("s1.1-d1.2-d1.2", "Step 3 of the path, d1.2, is not possible there.")]
    [InlineData("s1.1-r1", "Step 2 of the path, r1, is not possible there.")]
    [InlineData("w1", "Step 1 of the path, w1, is not possible there.")]
    public void An_impossible_path_is_refused_with_the_step_to_change(string path, string message) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(
            () => new ExploredCluster(new(), ExplorationStep.ParsePath(path))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_path_that_is_too_long_is_refused() =>
        Assert.Throws<FormatException>(
            () => ExplorationStep.ParsePath(string.Join('-', Enumerable.Repeat("t1", ExplorationOptions.MaxSteps + 1))));

    [Fact]
    public void Every_part_and_every_task_of_a_lesson_can_be_followed()
    {
        using var lessons = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(SourceTree.Root, "Consensus.Agent", "wwwroot", "lessons.json")));
        Assert.InRange(lessons.RootElement.GetArrayLength(), 10, 12);
        foreach (var lesson in lessons.RootElement.EnumerateArray())
        {
            var path = ExplorationStep.ParsePath(lesson.GetProperty("path").GetString()!);
            _ = new ExploredCluster(OptionsOf(lesson), path);
            var shown = lesson.GetProperty("parts").EnumerateArray().Select(part => part[0].GetInt32()).ToList();
            Assert.Equal(shown.Order(), shown);
            Assert.True(shown[^1] <= path.Count, lesson.GetProperty("title").GetString());
            if (lesson.TryGetProperty("task", out var task))
            {
                var (from, answer) = (task.GetProperty("path").GetString()!, task.GetProperty("answer").GetString()!);
                Assert.StartsWith(from, answer, StringComparison.Ordinal);
                _ = new ExploredCluster(OptionsOf(task.TryGetProperty("query", out _) ? task : lesson), ExplorationStep.ParsePath(answer));
            }
        }
    }

    private static ExplorationOptions OptionsOf(JsonElement lesson)
    {
        var defaults = new ExplorationOptions();
        return !lesson.TryGetProperty("query", out var query) ? defaults : defaults with
        {
            Rule = query.TryGetProperty("rule", out var rule) ? Enum.Parse<Rule>(rule.GetString()!, ignoreCase: true) : defaults.Rule,
            Values = query.TryGetProperty("values", out var values)
                ? int.Parse(values.GetString()!, System.Globalization.CultureInfo.InvariantCulture) : defaults.Values,
            Mutant = query.TryGetProperty("mutant", out var mutant) ? Mutant.Find(mutant.GetString()!) : null,
        };
    }

    private static string Text(IReadOnlyList<ExplorationStep>? path) => string.Join('-', path ?? []);

    private static string StatesOf(ExploredCluster cluster) => string.Join('|', cluster.Agents.Select(agent =>
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        agent.Machine?.EncodeFingerprint(writer, mayStart: true, peerKnowledge: true);
        return Convert.ToHexString(bytes.ToArray());
    }).Concat(cluster.NextSteps().Select(step => step.Step.ToString())));
}
