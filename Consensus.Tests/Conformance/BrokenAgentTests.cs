using Consensus.Agent.Conformance;

namespace Consensus.Tests.Conformance;

/// <summary>Each broken agent fails the one check that names its fault, and no other.</summary>
[Trait(Category.Name, Category.System)]
public sealed class BrokenAgentTests
{
    [Theory]
    [InlineData(nameof(OriginalFault.WrongStatus), "consensus-undecided")]
    [InlineData(nameof(OriginalFault.WrongMajority), "minority-undecided")]
    [InlineData(nameof(OriginalFault.ForgetsTheRound), "new-round-again")]
    [InlineData(nameof(OriginalFault.DecidesTwice), "first-final-wins")]
    [InlineData(nameof(OriginalFault.NoFinal), "final-sent")]
    [InlineData(nameof(OriginalFault.AcceptsStaleRound), "new-round-stale")]
    [InlineData(nameof(OriginalFault.AcceptsLateProposal), "proposal-late")]
    [InlineData(nameof(OriginalFault.ProposesTwice), "one-proposal")]
    [InlineData(nameof(OriginalFault.CountsMessages), "senders-counted-once")]
    [InlineData(nameof(OriginalFault.WrongConflictStatus), "new-round-decided")]
    [InlineData(nameof(OriginalFault.ValuesOutOfRange), "values-in-range")]
    [InlineData(nameof(OriginalFault.ResetKeepsItsValue), "reset-clears")]
    [InlineData(nameof(OriginalFault.NoNextRound), "next-round-opened")]
    [InlineData(nameof(OriginalFault.GivesUpWithASilentPeer), "silent-peer-tolerated")]
    public async Task A_fault_against_the_original_contract_fails_the_check_that_names_it(string fault, string check) =>
        await AssertFailsOnlyAsync(fault, check, ConformanceLevel.Original);

    [Theory]
    [InlineData("ClearingHandshake", "handshake-keeps-run")]
    [InlineData("RunIdWithoutBoot", "run-named-above-floors")]
    [InlineData("OldFinalAccepted", "old-final-ignored")]
    [InlineData("ForgottenFloor", "floor-survives-reset")]
    [InlineData("RestartedAgentTakesPart", "other-boot-learns")]
    [InlineData("NoAdoption", "voted-value-adopted")]
    [InlineData("DrawOnCatchUp", "later-round-copied")]
    [InlineData("VotesTwice", "one-vote")]
    [InlineData("WrongStatusForASecondProposal", "second-proposal-refused")]
    [InlineData("NoDecisionInAnswers", "decision-in-answers")]
    public async Task A_fault_in_runs_or_in_the_ratified_rule_fails_the_check_that_names_it(string fault, string check) =>
        await AssertFailsOnlyAsync(fault, check, ConformanceLevel.Ratified);

    [Fact]
    public async Task An_agent_by_the_original_contract_without_a_fault_fails_no_check()
    {
        var report = await JudgeAsync(nameof(OriginalFault.None), null);
        Assert.Equal(ConformanceLevel.Original, report.Level);
        Assert.Equal([], Failed(report));
        Assert.Equal(0, report.ExitCode);
    }

    private static async Task AssertFailsOnlyAsync(string fault, string check, ConformanceLevel level)
    {
        var report = await JudgeAsync(fault, level);
        Assert.Equal([check], Failed(report));
        Assert.Equal(2, report.ExitCode);
        Assert.NotEmpty(report.Verdicts.Single(verdict => verdict.Id == check).Exchanges);
    }

    private static List<string> Failed(ConformanceReport report) =>
        [.. report.Verdicts.Where(verdict => verdict.Outcome != VerdictOutcome.Passed).Select(verdict => verdict.Id)];

    private static Task<ConformanceReport> JudgeAsync(string fault, ConformanceLevel? level) =>
        new ConformanceJudge(new ConformanceOptions(level, Runs: 0, Seed: 1, Seconds: 600), _ => { }, default).JudgeProgramsAsync([InProcessAgent.Broken(fault)]);
}
