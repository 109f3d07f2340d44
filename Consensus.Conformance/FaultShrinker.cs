using System.Diagnostics;

namespace Consensus.Conformance;

/// <summary>
/// Looks for fewer faults that still violate the same property. Real programs do not repeat themselves, so each smaller plan
/// is run several times.
/// </summary>
internal static class FaultShrinker
{
    private const int TriesOfEach = 8;

    /// <summary>Shrinks the plan of a run.</summary>
    /// <param name="found">The run that violates a property.</param>
    /// <param name="run">Runs a plan.</param>
    /// <param name="budget">How long to look.</param>
    /// <returns>The run with the fewest faults, and of those the one with the fewest events.</returns>
    public static async Task<RunResult> ShrinkAsync(RunResult found, Func<FaultPlan, Task<RunResult>> run, TimeSpan budget)
    {
        var clock = Stopwatch.StartNew();

        // What took no effect can be left out without another run. A run with a kill takes longest, so kills come first.
        IEnumerable<PlannedFault> effective =
            found.Plan.Faults.Where(found.History.Applied.Contains).OrderByDescending(fault => fault.Kind == FaultKind.Kill);
        var best = found with { Plan = found.Plan with { Faults = [.. effective] } };
        for (var size = Math.Max(1, best.Plan.Faults.Count / 2); ; size = Math.Max(1, size / 2))
        {
            var before = best.Plan.Faults.Count;
            for (var first = 0; first < best.Plan.Faults.Count && clock.Elapsed < budget;)
            {
                var fewer = best.Plan with { Faults = [.. best.Plan.Faults.Where((_, index) => index < first || index >= first + size)] };
                if (await TryAsync(fewer, found, run, clock, budget) is { } smaller)
                {
                    best = smaller;
                }
                else
                {
                    first += size;
                }
            }

            if (clock.Elapsed >= budget || (size == 1 && best.Plan.Faults.Count == before))
            {
                return best;
            }
        }
    }

    private static async Task<RunResult?> TryAsync(
        FaultPlan plan, RunResult found, Func<FaultPlan, Task<RunResult>> run, Stopwatch clock, TimeSpan budget)
    {
        for (var i = 0; i < TriesOfEach && clock.Elapsed < budget; i++)
        {
            var result = await run(plan);
            if (result.Violation is { } violation && violation.Property == found.Violation!.Property
                && violation.Rule == found.Violation.Rule)
            {
                return result with { Plan = plan with { Faults = [.. plan.Faults.Where(result.History.Applied.Contains)] } };
            }
        }

        return null;
    }
}
