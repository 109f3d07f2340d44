namespace Consensus.Agent.Conformance;

/// <summary>Runs checks against one agent, one after another.</summary>
/// <param name="log">The exchanges of the current check.</param>
/// <param name="cancellation">Ends all.</param>
internal sealed class CheckRunner(ExchangeLog log, CancellationToken cancellation)
{
    /// <summary>A check that fails is repeated: only what fails each time, in time, counts as a failure.</summary>
    private const int FailuresToBelieve = 2;
    private const int MostTries = 12;
    private const int ShownExchanges = 8;

    /// <summary>Runs one check.</summary>
    /// <param name="check">The check.</param>
    /// <param name="bench">Makes the means of a try.</param>
    public async Task<Verdict> RunAsync(ConformanceCheck check, Func<Task<TestBench>> bench)
    {
        var failures = 0;
        CheckFailedException? last = null;
        for (var tries = 0; tries < MostTries && failures < FailuresToBelieve; tries++)
        {
            cancellation.ThrowIfCancellationRequested();
            TestBench? current = null;
            try
            {
                current = await bench();
                await current.ResetAsync();
                await check.Body(current);
                return new Verdict(check.Id, check.Level, check.Sentence, VerdictOutcome.Passed, null, null, log.Last(1));
            }
            catch (CheckFailedException e)
            {
                last = e;

                // Where the window may have closed meanwhile, the agent may be right.
                failures += current is { WindowMayBeOver: true } ? 0 : 1;
            }
        }

        return failures >= FailuresToBelieve
            ? new Verdict(check.Id, check.Level, check.Sentence, VerdictOutcome.Failed, last!.Expected, last.Detail, log.Last(ShownExchanges))
            : new Verdict(
                check.Id, check.Level, check.Sentence, VerdictOutcome.NotJudged, last?.Expected,
                $"{MostTries} tries took longer than half a window each: the machine is too busy to judge this.", log.Last(ShownExchanges));
    }
}
