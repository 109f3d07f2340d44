using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>The progress of a batch so far.</summary>
public readonly record struct BatchProgress(long Runs, long Messages, long Violations);

/// <summary>The result of many simulated runs, the same on every machine.</summary>
/// <param name="Options">What was simulated.</param>
/// <param name="FirstSeed">The first seed; the others follow it.</param>
/// <param name="Runs">How many were simulated.</param>
/// <param name="Outcomes">How many ended with each <see cref="SimulationOutcome"/>.</param>
/// <param name="Rounds">Rounds to the first decision of every decided run.</param>
/// <param name="Messages">Messages and responses that arrived, by simulated run.</param>
/// <param name="Requests">Requests of runs that were sent (<see cref="SimulationResult.Requests"/>), by simulated run.</param>
/// <param name="VirtualUs">How long each simulated run lasted, in virtual µs.</param>
/// <param name="Violations">
/// The first violation of each seed, in the order of seeds; at most <see cref="SimulationBatch.MaxViolations"/>.
/// </param>
/// <param name="Broken">How many simulated runs broke each property of each rule.</param>
public sealed record BatchReport(
    SimulationOptions Options, long FirstSeed, long Runs, IReadOnlyList<long> Outcomes,
    Histogram Rounds, Histogram Messages, Histogram Requests, Histogram VirtualUs,
    IReadOnlyList<(long Seed, Violation Violation)> Violations, IReadOnlyDictionary<(Rule Rule, string Property), long> Broken)
{
    /// <summary>True where the ratified rule broke nothing. The classic rule claims no safety.</summary>
    public bool Holds => !Broken.Keys.Any(broken => broken.Rule == Rule.Ratified);
}

/// <summary>Simulates many runs with the same options, on all cores.</summary>
/// <param name="options">What is simulated.</param>
/// <param name="firstSeed">The first seed; the others follow it.</param>
/// <param name="runs">How many, at least 1.</param>
/// <param name="make">Makes a machine; null: one with the default rules.</param>
public sealed class SimulationBatch(SimulationOptions options, long firstSeed, long runs, StateMachineFactory? make = null)
{
    /// <summary>How many violations are listed. All are counted.</summary>
    public const int MaxViolations = 10_000;

    private readonly Lock _gate = new();
    private readonly long[] _outcomes = new long[Enum.GetValues<SimulationOutcome>().Length];
    private readonly Histogram _rounds = new();
    private readonly Histogram _messages = new();
    private readonly Histogram _requests = new();
    private readonly Histogram _virtualUs = new();
    private readonly List<(long Seed, Violation Violation)> _violations = [];
    private readonly Dictionary<(Rule Rule, string Property), long> _broken = [];
    private long _next;
    private long _violatedRuns;

    /// <summary>Simulates all of them.</summary>
    /// <param name="progress">Called after each block of runs, on the working threads, one call at a time.</param>
    /// <param name="workers">Threads; 0: one a core.</param>
    /// <param name="cancellation">Ends the batch early; the report then has fewer runs.</param>
    public BatchReport Run(Action<BatchProgress>? progress = null, int workers = 0, CancellationToken cancellation = default)
    {
        workers = workers > 0 ? workers : Environment.ProcessorCount;
        var block = Math.Clamp(runs / (workers * 64L), 1, 200);
        var tasks = Enumerable.Range(0, workers)
            .Select(_ => Task.Factory.StartNew(() => Work(block, progress, cancellation),
                cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Wait(tasks);
        TrimViolations();
        return new BatchReport(options, firstSeed, _messages.Count, _outcomes,
            _rounds, _messages, _requests, _virtualUs, _violations, _broken);
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
        var simulator = new Simulator(options, make);
        var results = new List<SimulationResult>((int)block);
        var rounds = new Histogram();
        while (!cancellation.IsCancellationRequested && Interlocked.Add(ref _next, block) - block is var from && from < runs)
        {
            for (var i = from; i < Math.Min(from + block, runs) && !cancellation.IsCancellationRequested; i++)
            {
                results.Add(simulator.Run(firstSeed + i));
                foreach (var (_, count) in simulator.Decided)
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
                _outcomes[(int)result.Outcome]++;
                _messages.Add(result.Messages);
                _requests.Add(result.Requests);
                _virtualUs.Add((int)Math.Min(int.MaxValue, result.VirtualUs));
                if (result.Violation is { } violation)
                {
                    _violatedRuns++;
                    _broken[(violation.Rule, violation.Property)] = _broken.GetValueOrDefault((violation.Rule, violation.Property)) + 1;
                    _violations.Add((result.Seed, violation));
                    if (_violations.Count >= 2 * MaxViolations)
                    {
                        TrimViolations();
                    }
                }
            }

            progress?.Invoke(new(_messages.Count, _messages.Sum, _violatedRuns));
        }
    }

    private void TrimViolations()
    {
        _violations.Sort((x, y) => x.Seed.CompareTo(y.Seed));
        _violations.RemoveRange(Math.Min(_violations.Count, MaxViolations), Math.Max(0, _violations.Count - MaxViolations));
    }
}
