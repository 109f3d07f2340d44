using System.Globalization;
using System.Text.RegularExpressions;
using Consensus.Simulation.ModelChecking;
using Consensus.Simulation.Mutants;

namespace Consensus.Tests.Simulation;

/// <summary>
/// The steps of the argument in docs/proof.md: without a rule that the step needs, the model checker finds a shortest violation.
/// </summary>
[Trait(Category.Name, Category.Proof)]
public sealed partial class ProofStepTests
{
    private const int None = 0;

    private static readonly Dictionary<string, int> StepOf = new()
    {
        ["short-proposal-quorum"] = 1,
        ["decision-on-one-vote"] = 2,
        ["no-adoption"] = 3,
        ["short-vote-quorum"] = 3,
        ["restarted-member"] = 4,
        ["forgotten-floor"] = 4,
        ["own-floor-not-raised"] = 4,
        ["run-id-without-boot"] = 5,
    };

    /// <summary>The mutants that break a step, and the bounds in which each is caught.</summary>
    public static TheoryData<string, int, int, int, int> Breaking(int step)
    {
        var hunts = new TheoryData<string, int, int, int, int>();
        foreach (var hunt in ModelCheckerTests.Hunts.Where(hunt => StepOf.GetValueOrDefault((string)hunt[0], None) == step))
        {
            hunts.Add((string)hunt[0], (int)hunt[1], (int)hunt[2], (int)hunt[3], (int)hunt[4]);
        }

        return hunts;
    }

    [Theory]
    [MemberData(nameof(Breaking), 1)]
    public void Step_1_fails_without_a_quorum_of_proposals(string mutant, int rounds, int crashes, int resets, int starts) =>
        AssertCaught(mutant, rounds, crashes, resets, starts);

    [Theory]
    [MemberData(nameof(Breaking), 2)]
    public void Step_2_fails_without_a_quorum_of_votes(string mutant, int rounds, int crashes, int resets, int starts) =>
        AssertCaught(mutant, rounds, crashes, resets, starts);

    [Theory]
    [MemberData(nameof(Breaking), 3)]
    public void Step_3_fails_where_a_later_round_may_hold_another_value(string mutant, int rounds, int crashes, int resets, int starts) =>
        AssertCaught(mutant, rounds, crashes, resets, starts);

    [Theory]
    [MemberData(nameof(Breaking), 4)]
    public void Step_4_fails_where_a_process_that_may_have_forgotten_takes_part(
        string mutant, int rounds, int crashes, int resets, int starts) =>
        AssertCaught(mutant, rounds, crashes, resets, starts);

    [Theory]
    [MemberData(nameof(Breaking), 5)]
    public void Step_5_fails_where_two_runs_may_share_an_id(string mutant, int rounds, int crashes, int resets, int starts) =>
        AssertCaught(mutant, rounds, crashes, resets, starts);

    [Theory]
    [MemberData(nameof(Breaking), None)]
    public void A_mutant_that_breaks_validity_or_liveness_is_caught_too(string mutant, int rounds, int crashes, int resets, int starts) =>
        AssertCaught(mutant, rounds, crashes, resets, starts);

    [Fact]
    public void Each_step_of_the_argument_has_a_test_that_is_named_by_it()
    {
        var proof = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "proof.md"));
        var argument = proof.Split("## The argument", 2)[1].Split("\n## ", 2)[0];
        var named = typeof(ProofStepTests).GetMethods().Select(test => Named().Match(test.Name))
            .Where(match => match.Success).Select(Number).ToList();
        Assert.NotEmpty(Numbered().Matches(argument));
        Assert.Equal(Numbered().Matches(argument).Select(Number), named.Order());
        Assert.All(named, step => Assert.NotEmpty(Breaking(step)));
    }

    private static int Number(Match match) => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);

    private static void AssertCaught(string mutant, int rounds, int crashes, int resets, int starts)
    {
        var bounds = new ModelCheckerOptions(Rounds: rounds, Crashes: crashes, Resets: resets, Starts: starts);
        var checker = new ModelChecker(bounds, Mutant.Find(mutant).Factory, symmetry: false, partialOrderReduction: true);
        ModelCheckerTests.AssertCaught(mutant, checker.Run());
    }

    [GeneratedRegex(@"^([0-9]+)\. ", RegexOptions.Multiline)]
    private static partial Regex Numbered();

    [GeneratedRegex("^Step_([0-9]+)_")]
    private static partial Regex Named();
}
