using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>
/// A broken promise with the least that still shows it: of all that protocolEvent in a world, those inputs without any one or two
/// of which it would not have come to it (delta debugging, after A. Zeller and R. Hildebrandt, TSE 2002), under whatever draws
/// come to it soonest.
/// </summary>
public sealed class Counterexample
{
    private readonly StateMachineFactory _make;
    private readonly List<ScheduledInput> _schedule;
    private readonly long _draws;

    private Counterexample(
        SimulationOptions options, long seed, long draws, StateMachineFactory make, ScheduleReplay replay, List<ScheduledInput> schedule, Violation violation, string? complaint)
    {
        (Options, Seed, _draws, _make, _schedule) = (options, seed, draws, make, schedule);
        (Log, Violation, Unfinished) = (replay.Trace!, violation, complaint);
    }

    /// <summary>What the world was like.</summary>
    public SimulationOptions Options { get; }

    /// <summary>The seed of the world it was found in.</summary>
    public long Seed { get; }

    /// <summary>The history that is left.</summary>
    public SimulationTrace Log { get; }

    /// <summary>The promise that it breaks.</summary>
    public Violation Violation { get; }

    /// <summary>What is wrong after the faults, where termination is what is broken.</summary>
    public string? Unfinished { get; }

    /// <summary>How many events are left: starts, arrivals, answers, timers, crashes, resets.</summary>
    public int Events => _schedule.Count;

    /// <summary>Lives through the world of a seed and shrinks what it breaks.</summary>
    /// <returns>Null where it breaks nothing.</returns>
    public static Counterexample? Of(SimulationOptions options, long seed, StateMachineFactory? make = null)
    {
        var log = new SimulationTrace();
        return new Simulator(options, make).Run(seed, log).Violation is { } violation ? Shrink(options, seed, make ?? SimulatedCluster.Core, log, violation) : null;
    }

    /// <summary>The smallest of the first few violations found.</summary>
    /// <param name="options">What the worlds are like.</param>
    /// <param name="firstSeed">Where to begin.</param>
    /// <param name="worlds">How many to look through.</param>
    /// <param name="few">How many violations to shrink.</param>
    /// <returns>Null where there is none.</returns>
    public static Counterexample? Find(SimulationOptions options, long firstSeed, int worlds, int few)
    {
        var world = new Simulator(options);
        Counterexample? best = null;
        for (var i = 0; i < worlds && few > 0; i++)
        {
            if (world.Run(firstSeed + i).Violation is not null && Of(options, firstSeed + i) is { } found)
            {
                few--;
                best = best is null || found.Events < best.Events ? found : best;
            }
        }

        return best;
    }

    /// <summary>
    /// The same agents with the same draws, told the same by the ratified rule: what can happen there of these events happens
    /// in the same order; then all that was held back arrives, and nothing fails any more.
    /// </summary>
    public SimulationTrace UnderTheRatifiedRule()
    {
        var replay = new ScheduleReplay(Options, _draws, _make);
        foreach (var input in _schedule)
        {
            replay.Apply(input.Request is null ? input : input with { Request = input.Request with { Rule = Rule.Ratified } });
        }

        replay.RunToEnd(loses: false);
        return replay.Trace!;
    }

    private static Counterexample? Shrink(SimulationOptions options, long seed, StateMachineFactory make, SimulationTrace log, Violation violation) =>
        new DeltaDebugger(options, seed, make, violation).Shrink(ScheduleReplay.ScheduleOf(log));

    private sealed class DeltaDebugger(SimulationOptions options, long seed, StateMachineFactory make, Violation violation)
    {
        // Beyond so many events, leaving out any two takes too long.
        private const int MostForPairs = 40;
        private const int OtherDraws = 12;

        // Steps of machines in all: a second or two.
        private long _budget = 1_500_000;

        public Counterexample? Shrink(List<ScheduledInput> schedule)
        {
            return Try(schedule, seed) is { } found ? LeaveOut(found) : null;
        }

        /// <summary>Ever smaller parts; then any one, and of a short list any two.</summary>
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
                    if (found.Events > MostForPairs || WithoutTwo(found) is not { } smaller)
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

            // What agents draw is chance too: with other draws less may do.
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
            var protocolEvent = new List<ScheduledInput>();
            foreach (var input in inputs)
            {
                if (replay.Apply(input))
                {
                    protocolEvent.Add(input);
                }

                if (replay.Violation is { } broken)
                {
                    return broken.Property == violation.Property && broken.Rule == violation.Rule
                        ? new Counterexample(options, seed, draws, make, replay, protocolEvent, broken, null) : null;
                }
            }

            // Whether all come to a good end shows only once nothing fails any more.
            return violation.Property == PropertyNames.Termination && replay.RunToEnd(loses: true) is { } complaint && replay.Violation is null
                ? new Counterexample(options, seed, draws, make, replay, protocolEvent, violation, complaint) : null;
        }
    }
}
