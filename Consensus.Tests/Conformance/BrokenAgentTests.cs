using System.Collections.Concurrent;
using Consensus.Conformance;
using Consensus.Simulation.Mutants;

namespace Consensus.Tests.Conformance;

/// <summary>Each broken agent fails the one check that names its fault, and no other.</summary>
[Trait(Category.Name, Category.System)]
public sealed class BrokenAgentTests(BrokenAgentTests.Reports reports) : IClassFixture<BrokenAgentTests.Reports>
{
    /// <summary>Faults against the original contract, and the check that names each.</summary>
    public static TheoryData<string, string> OriginalFaults { get; } = new()
    {
        { nameof(OriginalFault.WrongStatus), "consensus-undecided" },
        { nameof(OriginalFault.WrongMajority), "minority-undecided" },
        { nameof(OriginalFault.ForgetsTheRound), "new-round-again" },
        { nameof(OriginalFault.DecidesTwice), "first-final-wins" },
        { nameof(OriginalFault.NoFinal), "final-sent" },
        { nameof(OriginalFault.AcceptsStaleRound), "new-round-stale" },
        { nameof(OriginalFault.AcceptsLateProposal), "proposal-late" },
        { nameof(OriginalFault.ProposesTwice), "one-proposal" },
        { nameof(OriginalFault.CountsMessages), "senders-counted-once" },
        { nameof(OriginalFault.WrongConflictStatus), "new-round-decided" },
        { nameof(OriginalFault.ValuesOutOfRange), "values-in-range" },
        { nameof(OriginalFault.ResetKeepsItsValue), "reset-clears" },
        { nameof(OriginalFault.NoNextRound), "next-round-opened" },
        { nameof(OriginalFault.NeedsEveryPeer), "silent-peer-tolerated" },
    };

    /// <summary>Faults in runs or in the ratified rule, and the check that names each.</summary>
    public static TheoryData<string, string> RatifiedFaults { get; } = new()
    {
        { nameof(ClearingHandshake), "handshake-keeps-run" },
        { nameof(RunIdWithoutBoot), "run-named-above-floors" },
        { nameof(OldFinalAccepted), "old-final-ignored" },
        { nameof(ForgottenHighestSeenRun), "floor-survives-reset" },
        { "RestartedAgentTakesPart", "other-boot-learns" },
        { nameof(NoAdoption), "voted-value-adopted" },
        { nameof(DrawOnCatchUp), "later-round-copied" },
        { "VotesTwice", "one-vote" },
        { "WrongStatusForASecondProposal", "second-proposal-refused" },
        { "NoDecisionInAnswers", "decision-in-answers" },
    };

    [Theory]
    [MemberData(nameof(OriginalFaults))]
    public async Task A_fault_against_the_original_contract_fails_the_check_that_names_it(string fault, string check) =>
        await AssertFailsOnlyAsync(fault, check);

    [Theory]
    [MemberData(nameof(RatifiedFaults))]
    public async Task A_fault_in_runs_or_in_the_ratified_rule_fails_the_check_that_names_it(string fault, string check) =>
        await AssertFailsOnlyAsync(fault, check);

    [Fact]
    public async Task An_agent_by_the_original_contract_without_a_fault_fails_no_check()
    {
        var report = await reports.OfAsync(nameof(OriginalFault.None));
        Assert.Equal(ConformanceLevel.Original, report.Level);
        Assert.Equal([], Failed(report));
        Assert.Equal(0, report.ExitCode);
    }

    [Fact]
    public async Task An_agent_that_decides_on_one_vote_fails_the_check_of_fewer_votes() =>
        Assert.Contains("fewer-votes-undecided", Failed(await reports.OfAsync(nameof(DecisionOnOneVote))));

    private async Task AssertFailsOnlyAsync(string fault, string check)
    {
        var report = await reports.OfAsync(fault);
        Assert.Equal([check], Failed(report));
        Assert.Equal(2, report.ExitCode);
        Assert.NotEmpty(report.Verdicts.Single(verdict => verdict.Id == check).Exchanges);
    }

    private static List<string> Failed(ConformanceReport report) =>
        [.. report.Verdicts.Where(verdict => verdict.Outcome != VerdictOutcome.Passed).Select(verdict => verdict.Id)];

    /// <summary>Judges all broken agents, several at a time: a judge mostly waits.</summary>
    public sealed class Reports : IDisposable
    {
        private readonly SemaphoreSlim _free = new(12);
        private readonly ConcurrentDictionary<string, Task<ConformanceReport>> _reports = new();

        public Reports()
        {
            Judge(RatifiedFaults, ConformanceLevel.Ratified);
            Judge(OriginalFaults, ConformanceLevel.Original);
            _reports[nameof(DecisionOnOneVote)] = JudgeAsync(nameof(DecisionOnOneVote), ConformanceLevel.Ratified);
            _reports[nameof(OriginalFault.None)] = JudgeAsync(nameof(OriginalFault.None), null);
        }

        internal Task<ConformanceReport> OfAsync(string fault) => _reports[fault];

        public void Dispose()
        {
            Task.WhenAll(_reports.Values).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
            _free.Dispose();
        }

        private void Judge(TheoryData<string, string> faults, ConformanceLevel level)
        {
            foreach (var fault in faults.Select(row => (string)row[0]))
            {
                _reports[fault] = JudgeAsync(fault, level);
            }
        }

        private async Task<ConformanceReport> JudgeAsync(string fault, ConformanceLevel? level)
        {
            await _free.WaitAsync();
            try
            {
                var judge = new ConformanceJudge(new ConformanceOptions(level, Runs: 0, Seed: 1, Seconds: 600), _ => { }, default);
                return await Task.Run(() => judge.JudgeProgramsAsync([InProcessAgent.Broken(fault)]));
            }
            finally
            {
                _free.Release();
            }
        }
    }
}
