using System.Collections.Concurrent;
using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// Checks termination: from each state one walk is taken on which nothing fails any more. Calls in flight are lost. The agents
/// do what their timers make them do. Each in turn polls the others, retransmits what it proposes, votes or has decided, and
/// receives the responses. Then its windows end. Free draws return the first value, so agents draw alike. The walk must end in
/// a state where every agent holds the decision or rightly reports that the run is stalled. A walk is taken from every distinct
/// combination of machines. It stops where an earlier walk passed. These walks step machines one by one and remember each
/// result, so they do not use <see cref="SimulatedCluster"/>, which changes its machines in place.
/// </summary>
internal sealed class TerminationCheck(TransitionTable agents, ModelCheckerOptions bounds)
{
    private const int MaxPasses = 100;

    private readonly Dictionary<string, WalkState> _walkStates = new(StringComparer.Ordinal);
    private readonly int[] _counts = new int[bounds.Agents];
    private readonly ConcurrentDictionary<(WalkState, WalkState), (WalkState, WalkState)> _exchanges = new();
    private readonly Dictionary<(WalkState, int), int[]> _calls = [];
    private readonly Dictionary<(WalkState, int), (WalkState, int)> _delivered = [];
    private readonly Dictionary<(WalkState, int, int, int), WalkState> _received = [];
    private readonly (Dictionary<string, int> Codes, List<Message> Items) _messages = (new(StringComparer.Ordinal), []);
    private readonly (Dictionary<string, int> Codes, List<Response> Items) _responses = (new(StringComparer.Ordinal), []);
    private readonly PackedState _key = new(bounds.Agents);
    private readonly VisitedSet _walked = new();
    private long _size;

    /// <summary>A machine with its progress with each peer.</summary>
    private sealed record WalkState(int Agent, int Index, AgentStateMachine Machine, bool WasReset)
    {
        public WalkState? AfterTimers;

        public bool Equals(WalkState? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => (Agent << 28) ^ (Index * 0x2545F49);
    }

    /// <summary>Distinct combinations of machines walked from or through.</summary>
    public long Size => Interlocked.Read(ref _size);

    /// <summary>A number that is equal for states of one agent whose walks are equal.</summary>
    public int NumberOf(AgentState state) => ((WalkState)(state.WalkStart ?? Begin(state))).Index;

    /// <summary>Takes walks on one thread.</summary>
    public sealed class FaultFreeWalk(TerminationCheck check)
    {
        private readonly WalkState[] _now = new WalkState[check._counts.Length];
        private readonly WalkState[] _before = new WalkState[check._counts.Length];

        /// <summary>The violation at the end of the walk; null where there is none or an earlier walk passed.</summary>
        public string? FindViolationFrom(AgentState[] state)
        {
            for (var i = 0; i < state.Length; i++)
            {
                _now[i] = (WalkState)(state[i].WalkStart ?? check.Begin(state[i]));
            }

            for (var pass = 0; pass < MaxPasses; pass++)
            {
                if (!check.Enter(_now))
                {
                    return null;
                }

                _now.CopyTo(_before, 0);
                check.Pass(_now);
                if (_now.AsSpan().SequenceEqual(_before))
                {
                    return FindViolation(_now);
                }
            }

            return $"the agents still make no progress after {MaxPasses} passes without a fault";
        }
    }

    private bool Enter(WalkState[] state)
    {
        var key = 0UL;
        foreach (var walkState in state)
        {
            key |= _key.At(walkState.Agent, walkState.Index);
        }

        if (!_walked.Add(key))
        {
            return false;
        }

        Interlocked.Increment(ref _size);
        return true;
    }

    private void Pass(WalkState[] state)
    {
        for (var i = 0; i < state.Length; i++)
        {
            for (var j = 0; j < state.Length; j++)
            {
                if (bounds.Peers.Names(i, j))
                {
                    (state[i], state[j]) = _exchanges.TryGetValue((state[i], state[j]), out var after)
                        ? after : Exchange(state[i], state[j]);
                }
            }
        }

        for (var i = 0; i < state.Length; i++)
        {
            state[i] = Volatile.Read(ref state[i].AfterTimers) ?? FireTimers(state[i]);
        }
    }

    private WalkState Begin(AgentState state)
    {
        lock (agents.Gate)
        {
            var walkState = WalkStateOf(state.Agent, state.Local.Machine, state.FaultBudget.Resets > 0);
            state.WalkStart = walkState;
            return walkState;
        }
    }

    private WalkState WalkStateOf(int agent, AgentStateMachine machine, bool wasReset)
    {
        var key = TransitionTable.KeyOf(machine, mayStart: false, peerKnowledge: true) + (wasReset ? '!' : ' ');
        if (!_walkStates.TryGetValue(key, out var walkState))
        {
            if (_counts[agent] == _key.MaxStates)
            {
                throw new BoundsTooLargeException(
                    $"Walks without faults take one agent through more than {_key.MaxStates} states; choose smaller bounds.");
            }

            _walkStates.Add(key, walkState = new WalkState(agent, _counts[agent]++, machine, wasReset));
        }

        return walkState;
    }

    // Each step is taken once for all combinations that it is part of.
    private (WalkState, WalkState) Exchange(WalkState caller, WalkState other)
    {
        lock (agents.Gate)
        {
            var peer = bounds.Peers.PeerIndex(other.Agent, caller.Agent);
            var (mine, theirs) = (caller, other);
            foreach (var call in Calls(caller, peer))
            {
                (theirs, var response) = Deliver(theirs, call);
                mine = Receive(mine, peer, call, response);
            }

            _exchanges.TryAdd((caller, other), (mine, theirs));
            return (mine, theirs);
        }
    }

    private int[] Calls(WalkState caller, int peer)
    {
        if (!_calls.TryGetValue((caller, peer), out var calls))
        {
            var machine = caller.Machine.Clone();
            var messages = new List<Message>();
            if (machine.IsShakingHands)
            {
                messages.Add(new Handshake());
            }

            foreach (var timer in new[] { Protocol.Timer.Retransmit, Protocol.Timer.Dissemination, Protocol.Timer.Poll })
            {
                messages.AddRange(
                    Step(machine, new TimerFired(timer)).OfType<Send>().Where(send => send.Peer == peer).Select(send => send.Message));
            }

            _calls.Add((caller, peer), calls = [.. messages.Select(message => CodeOf(_messages, message,
                $"{message with { Run = null }}{(message.Run is null ? -1 : agents.Messages.CodeOf(message.Run))}"))]);
        }

        return calls;
    }

    private (WalkState After, int Response) Deliver(WalkState receiver, int call)
    {
        if (!_delivered.TryGetValue((receiver, call), out var delivered))
        {
            var machine = receiver.Machine.Clone();
            var response = Step(machine, new MessageReceived(_messages.Items[call])).OfType<Reply>().Single().Response;
            var text =
                $"{response with { Descriptor = null }}{(response.Descriptor is null ? -1 : agents.Messages.CodeOf(response.Descriptor))}";
            _delivered.Add((receiver, call),
                delivered = (WalkStateOf(receiver.Agent, machine, receiver.WasReset), CodeOf(_responses, response, text)));
        }

        return delivered;
    }

    private WalkState Receive(WalkState caller, int peer, int call, int response)
    {
        if (!_received.TryGetValue((caller, peer, call, response), out var after))
        {
            var machine = caller.Machine.Clone();
            Step(machine, new ResponseReceived(peer, _messages.Items[call], _responses.Items[response]));
            _received.Add((caller, peer, call, response), after = WalkStateOf(caller.Agent, machine, caller.WasReset));
        }

        return after;
    }

    private static int CodeOf<T>((Dictionary<string, int> Codes, List<T> Items) known, T item, string text)
    {
        if (!known.Codes.TryGetValue(text, out var code))
        {
            known.Codes.Add(text, code = known.Items.Count);
            known.Items.Add(item);
        }

        return code;
    }

    private WalkState FireTimers(WalkState walkState)
    {
        lock (agents.Gate)
        {
            var machine = walkState.Machine.Clone();
            Step(machine, new TimerFired(Protocol.Timer.Window));
            Step(machine, new TimerFired(Protocol.Timer.Start));
            Step(machine, new TimerFired(Protocol.Timer.Poll));
            var after = WalkStateOf(walkState.Agent, machine, walkState.WasReset);
            Volatile.Write(ref walkState.AfterTimers, after);
            return after;
        }
    }

    private List<Effect> Step(AgentStateMachine machine, Input input)
    {
        agents.Random.Begin();
        var effects = machine.Step(input).ToList();
        agents.EndFirstCalls(machine, effects);
        return effects;
    }

    private static string? FindViolation(WalkState[] all) =>
        TerminationProperty.FindViolation([.. all.Select(walkState => (walkState.Machine, walkState.WasReset))]);
}
