using System.Runtime.ExceptionServices;
using Consensus.Protocol;
using Consensus.Simulation.Explanations;

namespace Consensus.Simulation.ModelChecking;

/// <summary>The progress of a model check so far.</summary>
/// <param name="States">Distinct global states so far.</param>
/// <param name="Depth">Steps from the first state.</param>
public readonly record struct ModelCheckerProgress(long States, int Depth);

/// <summary>
/// Visits every state that agents running the core can reach within the bounds, breadth first, so a violation is found on a
/// shortest path. A state is each agent's machine and all messages it ever sent. A sent message may be delivered any number of
/// times, in any order, or never, so the network needs no state of its own. The core takes every local step once, and
/// <see cref="TransitionTable"/> remembers it. A global state is then a few numbers in one 64-bit key.
/// </summary>
public sealed partial class ModelChecker
{
    private const int Batch = 1 << 18;
    private const int Block = 1 << 10;

    private readonly ModelCheckerOptions _bounds;
    private readonly StateMachineFactory? _make;
    private readonly TransitionTable _agents;
    private readonly TerminationCheck _termination;
    private readonly SymmetryReduction _symmetry;
    private readonly PackedState _key;
    private readonly VisitedSet _seen = new();
    private readonly PredecessorLog _log;
    private readonly TerminationStartStates _terminationStartStates;
    private readonly bool _reduced;
    private readonly Func<ModelChecker> _unreduced;
    private readonly Lock _found = new();
    private long _transitions;
    private long _orbitStates = 1;
    private (long From, ulong To, string Property, string? Reason)? _violation;

    /// <param name="bounds">The bounds.</param>
    /// <param name="make">Makes a machine; null: one with the default rules.</param>
    /// <param name="symmetry">Whether to count permuted states once (<see cref="SymmetryReduction"/>).</param>
    /// <param name="partialOrderReduction">
    /// Whether to visit only states after visible steps (<see cref="PartialOrderReduction"/>): far fewer, with the same verdict.
    /// </param>
    /// <param name="refinement">
    /// Whether each transition must be steps of the proof's model (<see cref="PropertyNames.Refinement"/>); null: with the default
    /// rules. A mutant is searched for what users would see.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The bounds are out of range.</exception>
    public ModelChecker(ModelCheckerOptions bounds, StateMachineFactory? make = null,
        bool symmetry = true, bool partialOrderReduction = false, bool? refinement = null)
    {
        if (bounds.Error() is { } error)
        {
            throw new ArgumentOutOfRangeException(nameof(bounds), error);
        }

        (_bounds, _make) = (bounds, make);
        var refines = bounds.Rule == Rule.Ratified && (refinement ?? make is null);
        _key = new PackedState(bounds.Agents);
        _agents = new TransitionTable(bounds, make ?? SimulatedCluster.Core, _key.MaxStates, refines);
        _symmetry = new SymmetryReduction(bounds, _agents, symmetry);
        _termination = new TerminationCheck(_agents, bounds);
        _terminationStartStates = new TerminationStartStates(bounds, _termination);
        _reduced = partialOrderReduction;
        _unreduced = () => new ModelChecker(bounds, make, symmetry, refinement: refinement);
        _log = new PredecessorLog(paths: !partialOrderReduction);
    }

    /// <summary>The states of single agents that were reached.</summary>
    internal TransitionTable Transitions => _agents;

    /// <summary>Visits every state, or stops at the first violation.</summary>
    /// <param name="progress">Called after each batch of states, on the calling thread.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <exception cref="BoundsTooLargeException">There are more states than there is room for.</exception>
    public ModelCheckerReport Run(Action<ModelCheckerProgress>? progress = null, CancellationToken cancellation = default)
    {
        _seen.Add(0);
        _log.Add(0, 0);
        new StateExpander(this).Begin();
        var depth = 0;
        var (from, to) = (0L, 1L);
        while (from < to && _violation is null)
        {
            for (var start = from; start < to && _violation is null; start += Batch)
            {
                cancellation.ThrowIfCancellationRequested();
                Visit(start, Math.Min(start + Batch, to));
                progress?.Invoke(new(_log.Count, depth));
            }

            (from, to) = (to, _log.Count);
            _log.DropBefore(from);
            depth += from < to ? 1 : 0;
        }

        if (_violation is not null && _reduced)
        {
            // A path is shortest without the reduction.
            return _unreduced().Run(progress, cancellation);
        }

        var (path, trace) = _violation is not { } found ? ((List<PathStep>?)null, null)
            : CounterexamplePath.Find(
                _agents, _symmetry, _key, found.To == 0 ? _log.PathTo(found.From) : [.. _log.PathTo(found.From), found.To]);
        return new ModelCheckerReport(
            _bounds, _log.Count, Interlocked.Read(ref _transitions), path?.Count ?? depth, _agents.Count, _agents.Locals,
            _symmetry.Size, [.. ReachabilityProperty.Of(_bounds, _agents.Exercised, _agents.RefusedAStart)],
            _violation?.Property, path, _violation?.Reason, _termination.Size, Interlocked.Read(ref _orbitStates), _reduced)
        {
            Explanation = trace is null ? null : new Explainer(trace, _make).ExplainEnd(),
        };
    }

    private void Visit(long from, long to)
    {
        var next = from;
        var workers = to - from < Block ? 1 : Environment.ProcessorCount;
        var found = new List<(ulong Key, uint Parent)>[workers];
        try
        {
            Parallel.For(0, workers, worker =>
            {
                var expander = new StateExpander(this);
                while (Interlocked.Add(ref next, Block) - Block is var start && start < to && Volatile.Read(ref next) > 0)
                {
                    for (var index = start; index < Math.Min(start + Block, to); index++)
                    {
                        expander.Expand(index);
                    }
                }

                found[worker] = expander.Found;
                Interlocked.Add(ref _transitions, expander.Transitions);
                Interlocked.Add(ref _orbitStates, expander.OrbitStates);
            });
        }
        catch (AggregateException e) when (e.InnerException is not null)
        {
            ExceptionDispatchInfo.Throw(e.InnerException);
        }

        foreach (var (key, parent) in found.SelectMany(states => states))
        {
            _log.Add(key, parent);
        }
    }

    private void Report(long from, ulong to, string property, string? reason = null)
    {
        lock (_found)
        {
            _violation ??= (from, to, property, reason);
        }
    }
}
