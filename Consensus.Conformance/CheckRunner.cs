using System.Diagnostics;

namespace Consensus.Conformance;

/// <summary>Runs checks against one agent, one after another.</summary>
/// <param name="log">The exchanges of the current check.</param>
/// <param name="outOfTime">Whether the time is over: no check begins any more.</param>
/// <param name="cancellation">Ends all.</param>
internal sealed class CheckRunner(ExchangeLog log, Func<bool> outOfTime, CancellationToken cancellation)
{
    /// <summary>A check that fails is repeated: only what fails each time, in time, counts as a failure.</summary>
    internal const int FailuresToBelieve = 3;
    private const int FewestTries = 12;
    private const int ShownExchanges = 8;
    private static readonly TimeSpan LongestCheck = TimeSpan.FromMinutes(1);

    /// <summary>Runs one check.</summary>
    /// <param name="check">The check.</param>
    /// <param name="createContext">Makes the means of a try.</param>
    public async Task<Verdict> RunAsync(ConformanceCheck check, Func<Task<CheckContext>> createContext)
    {
        if (outOfTime())
        {
            return Judge(VerdictOutcome.NotJudged, null, "The time of --seconds is over.", 0);
        }

        var (clock, failures) = (Stopwatch.StartNew(), 0);
        CheckFailedException? last = null;
        for (var tries = 0; failures < FailuresToBelieve && (tries < FewestTries || clock.Elapsed < LongestCheck); tries++)
        {
            cancellation.ThrowIfCancellationRequested();
            CheckContext? current = null;
            try
            {
                current = await createContext();
                await current.ResetAsync(failures);
                await check.Body(current);
                if (!check.InWindow || !current.WindowMayBeOver)
                {
                    return Judge(VerdictOutcome.Passed, null, null, 1);
                }
            }
            catch (CheckFailedException e)
            {
                last = e;

                // Where the window may have closed meanwhile, the agent may be right.
                failures += e.TooSlow || current is { WindowMayBeOver: true } ? 0 : 1;
            }
        }

        return failures >= FailuresToBelieve
            ? Judge(VerdictOutcome.Failed, last!.Expected, last.Detail, ShownExchanges)
            : Judge(VerdictOutcome.NotJudged, last?.Expected,
                "No try ended within the window of a round: the machine is too busy to judge this.", ShownExchanges);

        Verdict Judge(VerdictOutcome outcome, string? expected, string? detail, int exchanges) =>
            new(check.Id, check.Level, check.Sentence, outcome, expected, detail, log.Last(exchanges));
    }
}
