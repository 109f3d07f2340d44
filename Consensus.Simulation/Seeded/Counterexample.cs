using Consensus.Protocol;
using Consensus.Simulation.Explanations;

namespace Consensus.Simulation.Seeded;

/// <summary>
/// A violation with the fewest inputs that still show it. Of a simulated run's inputs those remain without which the violation
/// disappears (delta debugging, after A. Zeller and R. Hildebrandt, TSE 2002). Other draws are tried where they need fewer inputs.
/// </summary>
public sealed class Counterexample
{
    private readonly List<ScheduledInput> _schedule;
    private readonly long _draws;
    private StateMachineFactory? _make;

    private Counterexample(
        SimulationOptions options, long seed, long draws, ScheduleReplay replay,
        List<ScheduledInput> schedule, Violation violation, string? unfinishedReason)
    {
        (Options, Seed, _draws, _schedule) = (options, seed, draws, schedule);
        (Trace, Violation, UnfinishedReason) = (replay.Trace!, violation, unfinishedReason);
    }

    /// <summary>What was simulated.</summary>
    public SimulationOptions Options { get; }

    /// <summary>The seed of the simulated run that it was found in.</summary>
    public long Seed { get; }

    /// <summary>What remains of that simulated run, with the agents' states.</summary>
    public SimulationTrace Trace { get; private set; }

    /// <summary>The violation.</summary>
    public Violation Violation { get; }

    /// <summary>Why the run does not end after the last fault, where termination is broken.</summary>
    public string? UnfinishedReason { get; }

    /// <summary>Explains the last event of the violated run; null where there is none.</summary>
    public Explanation? Explain() => new Explainer(Trace, _make).ExplainEnd(Violation.Run);

    /// <summary>How many inputs remain: starts, messages, responses, failures, timers, restarts, resets.</summary>
    public int Events => _schedule.Count;

    /// <summary>Simulates the run of a seed and shrinks its violation.</summary>
    /// <returns>Null where it has none.</returns>
    public static Counterexample? Of(SimulationOptions options, long seed, StateMachineFactory? make = null)
    {
        var trace = new SimulationTrace();
        return new Simulator(options, make).Run(seed, trace).Violation is { } violation
            ? Shrink(options, seed, make, trace, violation) : null;
    }

    /// <summary>The smallest of the first few violations found.</summary>
    /// <param name="options">What is simulated.</param>
    /// <param name="firstSeed">The first seed.</param>
    /// <param name="runs">How many seeds to try.</param>
    /// <param name="violations">How many violations to shrink.</param>
    /// <param name="make">Makes a machine; null: one with the default rules.</param>
    /// <returns>Null where there is none.</returns>
    public static Counterexample? Find(
        SimulationOptions options, long firstSeed, int runs, int violations, StateMachineFactory? make = null)
    {
        var simulator = new Simulator(options, make);
        Counterexample? best = null;
        for (var i = 0; i < runs && violations > 0; i++)
        {
            if (simulator.Run(firstSeed + i).Violation is not null && Of(options, firstSeed + i, make) is { } found)
            {
                violations--;
                best = best is null || found.Events < best.Events ? found : best;
            }
        }

        return best;
    }

    /// <summary>
    /// The same agents with the same draws under the ratified rule and all safety rules. Of these inputs those happen that can,
    /// in the same order. Then all messages in flight arrive, and nothing fails any more.
    /// </summary>
    public SimulationTrace UnderTheRatifiedRule()
    {
        var replay = new ScheduleReplay(Options, _draws, make: null, keepsStates: true);
        foreach (var input in _schedule)
        {
            replay.Apply(input.Request is null ? input : input with { Request = input.Request with { Rule = Rule.Ratified } });
        }

        replay.RunToEnd(loses: false);
        return replay.Trace!;
    }

    private static Counterexample? Shrink(
        SimulationOptions options, long seed, StateMachineFactory? make, SimulationTrace trace, Violation violation)
    {
        var found = new DeltaDebugger(options, seed, make, violation).Shrink(ScheduleReplay.ScheduleOf(trace));
        found?.KeepStates(make);
        return found;
    }

    /// <summary>Replays what remains once more, with the agents' states. Shrinking replays too often to keep them.</summary>
    private void KeepStates(StateMachineFactory? make)
    {
        var replay = new ScheduleReplay(Options, _draws, make, keepsStates: true);
        foreach (var input in _schedule)
        {
            replay.Apply(input);
        }

        if (UnfinishedReason is not null)
        {
            replay.RunToEnd(loses: true);
        }

        (Trace, _make) = (replay.Trace!, make);
    }

    private sealed class DeltaDebugger(SimulationOptions options, long seed, StateMachineFactory? make, Violation violation)
    {
        // With more inputs, leaving out every pair takes too long.
        private const int MaxForPairs = 40;
        private const int OtherDraws = 12;

        // Steps of machines that shrinking may take: a second or two.
        private long _budget = 1_500_000;

        public Counterexample? Shrink(List<ScheduledInput> schedule)
        {
            return Try(schedule, seed) is { } found ? LeaveOut(found) : null;
        }

        /// <summary>Leaves out ever smaller parts, then any single input, and of a short list any pair.</summary>
        private Counterexample LeaveOut(Counterexample found)
        {
            for (var size = Math.Max(1, found.Events / 2); ; size = Math.Max(1, size / 2))
            {
                var before = found.Events;
                for (var at = found.Events - size; at > -size; at -= size)
                {
                    found = Without(found, Enumerable.Range(Math.Max(0, at), Math.Min(size, size + Math.Min(0, at)))) ?? found;
                    at = Math.Min(at, found.Events);
                }

                if (size == 1 && found.Events == before)
                {
                    if (found.Events > MaxForPairs || WithoutTwo(found) is not { } smaller)
                    {
                        return found;
                    }

                    found = smaller;
                }
            }
        }

        private Counterexample? WithoutTwo(Counterexample from)
        {
            for (var i = 0; i < from.Events; i++)
            {
                for (var j = i + 1; j < from.Events; j++)
                {
                    if (Without(from, [i, j]) is { } smaller)
                    {
                        return smaller;
                    }
                }
            }

            return null;
        }

        private Counterexample? Without(Counterexample from, IEnumerable<int> parts)
        {
            var left = from._schedule.ToList();
            foreach (var part in parts.Reverse().Where(part => part < left.Count))
            {
                left.RemoveAt(part);
            }

            if (left.Count == from.Events)
            {
                return null;
            }

            // Draws are random too. With other draws fewer inputs may show the violation.
            for (var i = 0; i <= OtherDraws; i++)
            {
                if (Try(left, from._draws + i) is { } found)
                {
                    return found;
                }
            }

            return null;
        }

        private Counterexample? Try(List<ScheduledInput> inputs, long draws)
        {
            if (_budget <= 0)
            {
                return null;
            }

            var replay = new ScheduleReplay(options, draws, make);
            var found = Try(replay, inputs, draws);
            _budget -= replay.Trace!.Steps.Count;
            return found;
        }

        private Counterexample? Try(ScheduleReplay replay, List<ScheduledInput> inputs, long draws)
        {
            var applied = new List<ScheduledInput>();
            foreach (var input in inputs)
            {
                if (replay.Apply(input))
                {
                    applied.Add(input);
                }

                if (replay.Violation is { } broken)
                {
                    return broken.Property == violation.Property && broken.Rule == violation.Rule
                        ? new Counterexample(options, seed, draws, replay, applied, broken, null) : null;
                }
            }

            // Termination can be judged only once nothing fails any more.
            return violation.Property == PropertyNames.Termination && replay.RunToEnd(loses: true) is { } reason && replay.Violation is null
                ? new Counterexample(options, seed, draws, replay, applied, violation, reason) : null;
        }
    }
}
