using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>How far a campaign has come.</summary>
public readonly record struct BatchProgress(long Runs, long Messages, long Violations);

/// <summary>What many worlds came to, the same on every machine.</summary>
/// <param name="Options">What they were like.</param>
/// <param name="FirstSeed">The seed of the first; the others follow.</param>
/// <param name="Runs">How many.</param>
/// <param name="Ends">How many ended how, by <see cref="SimulationOutcome"/>.</param>
/// <param name="Rounds">Rounds to the first decision of every run that had one.</param>
/// <param name="Messages">Calls and answers that arrived, by world.</param>
/// <param name="Violations">The first of each world, in the order of seeds; at most <see cref="SimulationBatch.MostViolations"/>.</param>
/// <param name="Broken">How many worlds broke a promise, by the rule concerned and the promise.</param>
public sealed record BatchReport(
    SimulationOptions Options, long FirstSeed, long Runs, IReadOnlyList<long> Ends, Histogram Rounds, Histogram Messages,
    IReadOnlyList<(long Seed, Violation Violation)> Violations, IReadOnlyDictionary<(Rule Rule, string Property), long> Broken)
{
    /// <summary>True where no rule that claims safety broke a promise.</summary>
    public bool Holds => !Broken.Keys.Any(broken => broken.Rule == Rule.Ratified);
}

/// <summary>Many worlds of one kind, on all cores.</summary>
/// <param name="options">What they are like.</param>
/// <param name="firstSeed">The seed of the first; the others follow.</param>
/// <param name="worlds">How many, at least 1.</param>
/// <param name="make">Makes an agent; null: the core as it is.</param>
public sealed class SimulationBatch(SimulationOptions options, long firstSeed, long worlds, StateMachineFactory? make = null)
{
    /// <summary>Violations that are remembered one by one; all are counted.</summary>
    public const int MostViolations = 10_000;

    private readonly Lock _gate = new();
    private readonly long[] _ends = new long[Enum.GetValues<SimulationOutcome>().Length];
    private readonly Histogram _rounds = new();
    private readonly Histogram _messages = new();
    private readonly List<(long Seed, Violation Violation)> _violations = [];
    private readonly Dictionary<(Rule Rule, string Property), long> _broken = [];
    private long _next;
    private long _violated;

    /// <summary>Lives through all of them.</summary>
    /// <param name="progress">Called after each block of worlds, on the threads that run them, one call at a time.</param>
    /// <param name="workers">Threads; 0: one a core.</param>
    /// <param name="cancellation">Ends it; the report then tells of fewer worlds.</param>
    public BatchReport Run(Action<BatchProgress>? progress = null, int workers = 0, CancellationToken cancellation = default)
    {
        workers = workers > 0 ? workers : Environment.ProcessorCount;
        var block = Math.Clamp(worlds / (workers * 64L), 1, 200);
        var tasks = Enumerable.Range(0, workers)
            .Select(_ => Task.Factory.StartNew(() => Work(block, progress, cancellation), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Wait(tasks);
        KeepTheFirst();
        return new BatchReport(options, firstSeed, _messages.Count, _ends, _rounds, _messages, _violations, _broken);
    }

    private static void Wait(Task[] tasks)
    {
        try
        {
            Task.WaitAll(tasks);
        }
        catch (AggregateException e) when (e.InnerExceptions.All(inner => inner is TaskCanceledException))
        {
            // Tasks that had not begun are canceled; the others return by themselves.
        }
    }

    private void Work(long block, Action<BatchProgress>? progress, CancellationToken cancellation)
    {
        var world = new Simulator(options, make);
        var results = new List<SimulationResult>((int)block);
        var rounds = new Histogram();
        while (!cancellation.IsCancellationRequested && Interlocked.Add(ref _next, block) - block is var from && from < worlds)
        {
            for (var i = from; i < Math.Min(from + block, worlds) && !cancellation.IsCancellationRequested; i++)
            {
                results.Add(world.Run(firstSeed + i));
                foreach (var (_, count) in world.Decided)
                {
                    rounds.Add(count);
                }
            }

            Count(results, rounds, progress);
            results.Clear();
            rounds = new Histogram();
        }
    }

    private void Count(List<SimulationResult> results, Histogram rounds, Action<BatchProgress>? progress)
    {
        lock (_gate)
        {
            _rounds.Add(rounds);
            foreach (var result in results)
            {
                _ends[(int)result.Outcome]++;
                _messages.Add(result.Messages);
                if (result.Violation is { } violation)
                {
                    _violated++;
                    _broken[(violation.Rule, violation.Property)] = _broken.GetValueOrDefault((violation.Rule, violation.Property)) + 1;
                    _violations.Add((result.Seed, violation));
                    if (_violations.Count >= 2 * MostViolations)
                    {
                        KeepTheFirst();
                    }
                }
            }

            progress?.Invoke(new(_messages.Count, _messages.Sum, _violated));
        }
    }

    private void KeepTheFirst()
    {
        _violations.Sort((x, y) => x.Seed.CompareTo(y.Seed));
        _violations.RemoveRange(Math.Min(_violations.Count, MostViolations), Math.Max(0, _violations.Count - MostViolations));
    }
}
