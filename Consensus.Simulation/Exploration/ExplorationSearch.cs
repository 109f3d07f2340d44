using Consensus.Protocol;

namespace Consensus.Simulation.Exploration;

/// <summary>
/// Finds a shortest continuation of a path, breadth first. It delivers messages and responses in any order or never, and ends
/// windows at will. Faults, resets and a second start are tried only where the goal is likely to need them. Nothing is
/// retransmitted. Values are interchangeable, so a draw takes a value that was drawn before or the next one.
/// </summary>
public sealed class ExplorationSearch
{
    private readonly ExplorationOptions _options;
    private readonly ExplorationGoal _goal;
    private readonly List<(int Parent, ExplorationStep Step)> _nodes = [];
    private readonly HashSet<ulong> _seen = [];
    private readonly IReadOnlyList<ExplorationStep> _path;
    private readonly (int Crashes, int Resets, int Starts) _allowed;
    private string _reason = "";

    private ExplorationSearch(ExplorationOptions options, IReadOnlyList<ExplorationStep> path, ExplorationGoal goal)
    {
        (_options, _path, _goal) = (options, path, goal);
        _allowed = goal == ExplorationGoal.Stall ? (2, 0, 1)
            : goal == ExplorationGoal.Violation && options.Mutant is { Property: not PropertyNames.Agreement } ? (1, 1, 2) : (0, 0, 1);
    }

    /// <summary>Searches from the end of a path.</summary>
    /// <param name="options">What is explored.</param>
    /// <param name="path">The path so far.</param>
    /// <param name="goal">What to reach.</param>
    /// <param name="maxStates">How many states to visit at most.</param>
    /// <param name="onState">Receives the number of visited states after each state.</param>
    /// <param name="cancellation">Ends the search.</param>
    public static ExplorationResult Find(
        ExplorationOptions options, IReadOnlyList<ExplorationStep> path, ExplorationGoal goal, int maxStates,
        Action<int>? onState = null, CancellationToken cancellation = default) =>
        new ExplorationSearch(options, path, goal).Run(maxStates, onState, cancellation);

    private ExplorationResult Run(int maxStates, Action<int>? onState, CancellationToken cancellation)
    {
        for (var node = -1; node < _nodes.Count; node++)
        {
            var states = node + 1;
            if (states >= maxStates)
            {
                return new(null, states, IsComplete: false, "");
            }

            cancellation.ThrowIfCancellationRequested();
            onState?.Invoke(states);
            var path = PathTo(node);
            var cluster = new ExploredCluster(_options, path);
            var found = IsReached(cluster) ? path : path.Count < ExplorationOptions.MaxSteps ? Expand(cluster, node, path) : null;
            if (found is not null)
            {
                return new(found, states, IsComplete: false, _reason);
            }
        }

        return new(null, _nodes.Count + 1, IsComplete: true, "");
    }

    private List<ExplorationStep> PathTo(int node)
    {
        var steps = new List<ExplorationStep>();
        for (; node >= 0; node = _nodes[node].Parent)
        {
            steps.Add(_nodes[node].Step);
        }

        steps.Reverse();
        return [.. _path, .. steps];
    }

    private List<ExplorationStep>? Expand(ExploredCluster cluster, int node, List<ExplorationStep> path)
    {
        var hashes = cluster.Agents.Select(HashOf).ToArray();
        var others = hashes.Aggregate(HashOfCalls(cluster), (sum, hash) => sum + hash);
        var drawn = cluster.Trace!.Steps.SelectMany(step => step.Events)
            .Where(one => one.Kind == ProtocolEventKind.Drew).Select(one => one.Value).DefaultIfEmpty(0).Max();
        var crashes = cluster.Trace.Steps.Count(step => step.Kind == TraceStepKind.Crash);
        var resets = cluster.Trace.Steps.Count(step => step.Kind == TraceStepKind.Reset);

        // Values have no part in a stall.
        var highest = _goal == ExplorationGoal.Stall ? 0 : drawn;
        foreach (var next in cluster.NextSteps(kind => kind switch
        {
            ExplorationStepKind.Window => _goal != ExplorationGoal.Stall,
            ExplorationStepKind.StartWait => true,
            ExplorationStepKind.Start => cluster.Starts < _allowed.Starts,
            ExplorationStepKind.Crash => crashes < _allowed.Crashes,
            ExplorationStepKind.Reset => resets < _allowed.Resets,
            _ => false,
        }))
        {
            if (next.Step.Draws.Any(draw => draw > highest))
            {
                continue;
            }

            if (IsReached(cluster, next))
            {
                _reason = _goal == ExplorationGoal.Stall ? next.After!.Stalled()! : "";
                return [.. path, next.Step];
            }

            if (_seen.Add(HashAfter(cluster, next, others - hashes[next.Agent], path)))
            {
                _nodes.Add((node, next.Step));
            }
        }

        return null;
    }

    /// <summary>Whether a state has the goal; goals of one step are found by the step.</summary>
    private bool IsReached(ExploredCluster cluster) => _goal == ExplorationGoal.Violation && cluster.Violations.Any();

    private bool IsReached(ExploredCluster cluster, NextStep next) => _goal switch
    {
        ExplorationGoal.Decision => next.Events.Any(one => one.Kind == ProtocolEventKind.Decided),
        ExplorationGoal.DecisionAfterRound1 => next.Events.Any(one => one is { Kind: ProtocolEventKind.Decided, Round: > 1 }),
        ExplorationGoal.Adoption => next.Events.Any(one => one.Kind == ProtocolEventKind.Adopted),
        ExplorationGoal.CatchUp => next.Events.Any(one => one.Kind == ProtocolEventKind.CaughtUp),
        ExplorationGoal.Stall => next.After?.Stalled() is not null,
        _ => next.After?.CurrentDecision is { } decision
            && next.Events.Any(one => one.Kind is ProtocolEventKind.Decided or ProtocolEventKind.Learned)
            && cluster.Agents.Any(
                agent => agent.Machine?.CurrentDecision is { } other && other.Run == decision.Run && other.Value != decision.Value),
    };

    private ulong HashAfter(ExploredCluster cluster, NextStep next, ulong others, List<ExplorationStep> path)
    {
        if (next.After is not { } machine)
        {
            var after = new ExploredCluster(_options, [.. path, next.Step]);
            return after.Agents.Select(HashOf).Aggregate(HashOfCalls(after), (sum, hash) => sum + hash);
        }

        if (next.Call is { } call)
        {
            others -= HashOf(call);
        }

        foreach (var effect in next.Effects)
        {
            others += effect switch
            {
                Send send => HashOf(cluster.Agents[next.Agent].AgentAt(send.Peer), next.Agent, send.Message, null),
                Reply reply when next is { Step.Kind: ExplorationStepKind.Deliver, Call: { CallerRuns: true } answered } =>
                    HashOf(answered.To.Index, answered.From.Index, answered.Message, reply.Response),
                _ => 0,
            };
        }

        return others + HashOf(next.Agent, machine);
    }

    private static ulong HashOfCalls(ExploredCluster cluster) => cluster.Calls.Aggregate(0UL, (sum, call) => sum + HashOf(call));

    private static ulong HashOf(SimulatedCall call) => HashOf(call.To.Index, call.From.Index, call.Message, call.Response);

    private static ulong HashOf(SimulatedAgent agent) =>
        agent.Machine is { } machine ? HashOf(agent.Index, machine) : Hash(writer => writer.Write(agent.Index + (agent.Processes << 8)));

    private static ulong HashOf(int agent, AgentStateMachine machine) => Hash(writer =>
    {
        writer.Write(agent);
        machine.EncodeFingerprint(writer, mayStart: false, peerKnowledge: false);
    });

    private static ulong HashOf(int to, int from, Message message, Response? response) => Hash(writer =>
    {
        writer.Write((byte)to);
        writer.Write((byte)from);
        if (response is null)
        {
            Write(writer, message);
            return;
        }

        writer.Write(response.Reason?.WireName() ?? response.Status.WireName());
        writer.Write(response.Run?.ToString() ?? "");
        writer.Write(response.HighestSeenRun?.ToString() ?? "");
        writer.Write(response.Learner == true);
        writer.Write(response.Decision?.Value ?? 0);
        Write(writer, (Message?)response.Vote ?? response.Proposal);
    });

    private static void Write(BinaryWriter writer, Message? message)
    {
        var (kind, round, value, proposed) = message?.Content ?? default;
        writer.Write((byte)kind);

        // No rule reads the round of a decision.
        writer.Write((byte)(kind == MessageKind.Final ? 0 : round));
        writer.Write((byte)value);
        writer.Write((byte)proposed);
        writer.Write(message?.Run?.Id.ToString() ?? "");
    }

    /// <summary>FNV-1a, with a last mix so that sums of hashes differ too.</summary>
    private static ulong Hash(Action<BinaryWriter> write)
    {
        using var buffer = new MemoryStream(512);
        using var writer = new BinaryWriter(buffer);
        write(writer);
        writer.Flush();
        var hash = 14695981039346656037UL;
        foreach (var one in buffer.GetBuffer().AsSpan(0, (int)buffer.Length))
        {
            hash = (hash ^ one) * 1099511628211UL;
        }

        return new SeededRandom(hash).NextUInt64();
    }
}
