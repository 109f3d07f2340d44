using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Consensus.Agent.Protocol;

namespace Consensus.Agent.Simulation.Exploring;

/// <summary>How far an exploration has come.</summary>
/// <param name="States">Distinct global states so far.</param>
/// <param name="Depth">Steps from the first state.</param>
/// <param name="Elapsed">Since the beginning.</param>
public readonly record struct ExplorerProgress(long States, int Depth, TimeSpan Elapsed);

/// <summary>
/// Visits every state that agents running the core can reach within the bounds, breadth first, so what it finds wrong it
/// finds on a shortest path. A state is, per agent, its machine and all it ever said: what was said may be delivered
/// any number of times, in any order or never, so the network needs no state of its own. Every local step is taken by
/// the core once and remembered (<see cref="AgentStates"/>); a global state is then a few numbers in one 64-bit key.
/// </summary>
public sealed class Explorer
{
    private const int Batch = 1 << 18;
    private const int Block = 1 << 10;

    private readonly ExplorerBounds _bounds;
    private readonly AgentStates _agents;
    private readonly Continuation _continuation;
    private readonly Symmetry _symmetry;
    private readonly StateKey _key;
    private readonly StateSet _seen = new();
    private readonly VisitLog _log = new();
    private readonly Lock _found = new();
    private long _transitions;
    private long _twins = 1;
    private (long From, ulong To, string Property, string? Complaint)? _violation;

    /// <param name="bounds">How far to look.</param>
    /// <param name="make">Makes an agent; null: the core as it is.</param>
    /// <param name="symmetry">False visits states that differ in names alone one by one.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bounds are out of range.</exception>
    public Explorer(ExplorerBounds bounds, MachineFactory? make = null, bool symmetry = true)
    {
        if (bounds.Complaint() is { } complaint)
        {
            throw new ArgumentOutOfRangeException(nameof(bounds), complaint);
        }

        _bounds = bounds;
        _key = new StateKey(bounds.Agents);
        _agents = new AgentStates(bounds, make ?? ((id, boot, peers, random) => new Machine(id, boot, peers, random)), _key.Most);
        _symmetry = new Symmetry(bounds, _agents, symmetry);
        _continuation = new Continuation(_agents, bounds.Agents);
    }

    /// <summary>Visits everything, or stops at the first promise broken.</summary>
    /// <param name="progress">Told about once a second.</param>
    /// <param name="cancellation">Stops the exploration.</param>
    /// <exception cref="BoundsTooLargeException">There are more states than there is room for.</exception>
    public ExplorerReport Run(Action<ExplorerProgress>? progress = null, CancellationToken cancellation = default)
    {
        var clock = Stopwatch.StartNew();
        var lastTold = TimeSpan.Zero;
        _seen.Add(0);
        _log.Add(0, 0);
        var depth = 0;
        var (from, to) = (0L, 1L);
        while (from < to && _violation is null)
        {
            for (var start = from; start < to && _violation is null; start += Batch)
            {
                cancellation.ThrowIfCancellationRequested();
                Visit(start, Math.Min(start + Batch, to));
                if (progress is not null && clock.Elapsed - lastTold > TimeSpan.FromSeconds(1))
                {
                    lastTold = clock.Elapsed;
                    progress(new(_log.Count, depth, clock.Elapsed));
                }
            }

            (from, to) = (to, _log.Count);
            depth += from < to ? 1 : 0;
        }

        var path = _violation is { } found ? ExplorerPath.Find(_agents, _symmetry, _key, [.. _log.PathTo(found.From), found.To]) : null;
        return new ExplorerReport(
            _bounds, _log.Count, Interlocked.Read(ref _transitions), path?.Count ?? depth, clock.Elapsed, _agents.Count, _agents.Locals,
            _symmetry.Size, [.. Sometimes.Of(_bounds, _agents.Exercised)], _violation?.Property, path, _violation?.Complaint, _continuation.Size, Interlocked.Read(ref _twins));
    }

    private void Visit(long from, long to)
    {
        var next = from;
        var workers = to - from < Block ? 1 : Environment.ProcessorCount;
        // A state has a few dozen successors at most; the rest waits for the next batch.
        _seen.Reserve(_log.Count + ((to - from) * 32));
        _continuation.Reserve((to - from) * 16);
        var found = new List<(ulong Key, uint Parent)>[workers];
        try
        {
            Parallel.For(0, workers, worker =>
            {
                var visitor = new Visitor(this);
                while (Interlocked.Add(ref next, Block) - Block is var start && start < to && Volatile.Read(ref next) > 0)
                {
                    for (var index = start; index < Math.Min(start + Block, to); index++)
                    {
                        visitor.Expand(index);
                    }
                }
    
                found[worker] = visitor.Found;
                Interlocked.Add(ref _transitions, visitor.Transitions);
                Interlocked.Add(ref _twins, visitor.Twins);
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

    private void Report(long from, ulong to, string property, string? complaint = null)
    {
        lock (_found)
        {
            _violation ??= (from, to, property, complaint);
        }
    }

    /// <summary>What one thread needs to visit states.</summary>
    private sealed class Visitor(Explorer explorer)
    {
        private readonly AgentStates _agents = explorer._agents;
        private readonly AgentState[] _now = new AgentState[explorer._bounds.Agents];
        private readonly AgentState[] _after = new AgentState[explorer._bounds.Agents];
        private readonly Continuation.Walker _walker = new(explorer._continuation);
        private long _from;

        public List<(ulong Key, uint Parent)> Found { get; } = [];

        public long Transitions { get; private set; }

        public long Twins { get; private set; }

        public void Expand(long index)
        {
            _from = index;
            explorer._key.Unpack(explorer._log.Key(index), _agents, _now);
            foreach (var move in Moves.From(explorer._bounds, _agents, _now))
            {
                Take(move.Agent, move.Next);
            }
        }

        private void Take(int agent, AgentState next)
        {
            Transitions++;
            Moves.Apply(_agents, _now, agent, next, _after);
            var key = explorer._symmetry.Canonical(explorer._key, _after, out var twins);
            if (!explorer._seen.Add(key))
            {
                return;
            }

            Found.Add((key, (uint)_from));
            Twins += twins;
            if (BrokenBy(agent, next) is { } property)
            {
                explorer.Report(_from, key, property);
            }
            else if (explorer._bounds.Rule == Rule.Ratified && _walker.ComplaintFrom(_after) is { } complaint)
            {
                explorer.Report(_from, key, Properties.Termination, complaint);
            }
        }

        private string? BrokenBy(int agent, AgentState next)
        {
            if (explorer._bounds.Durable && next.Forgot)
            {
                return Properties.Durability;
            }

            var (before, said) = (_now[agent].Said, next.Said);
            if (ReferenceEquals(before, said))
            {
                return null;
            }

            if (said.Broken is { } broken)
            {
                return broken;
            }

            foreach (var decision in said.Decisions)
            {
                if (Array.IndexOf(before.Decisions, decision) >= 0)
                {
                    continue;
                }

                var drawn = false;
                foreach (var other in _after)
                {
                    drawn |= Array.IndexOf(other.Said.Draws, decision) >= 0;
                    foreach (var theirs in other.Said.Decisions)
                    {
                        if (theirs >> 8 == decision >> 8 && theirs != decision)
                        {
                            return Properties.Agreement;
                        }
                    }
                }

                if (!drawn)
                {
                    return Properties.Validity;
                }
            }

            return null;
        }
    }
}
