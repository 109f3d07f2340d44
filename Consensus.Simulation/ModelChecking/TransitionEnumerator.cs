namespace Consensus.Simulation.ModelChecking;

/// <summary>One step of one agent in a global state.</summary>
/// <param name="Agent">The agent that takes the step.</param>
/// <param name="Code">The input.</param>
/// <param name="Next">The agent's state after it.</param>
/// <param name="Steps">The steps of the proof's model that it takes and whose guards read the history.</param>
internal readonly record struct Transition(int Agent, TransitionCode Code, AgentState Next, GuardedStep[] Steps)
{
    /// <summary>The first step of the proof's model whose guard does not hold here, or null.</summary>
    public GuardedStep? FindRefused(AgentState[] now)
    {
        foreach (var step in Steps)
        {
            if (!step.Holds(now, Agent))
            {
                return step;
            }
        }

        return null;
    }
}

/// <summary>Enumerates the steps that agents can take in a global state.</summary>
internal static class TransitionEnumerator
{
    /// <summary>Every step of every agent: timers, starts, faults, and the delivery of any message that another agent sent.</summary>
    public static Enumerator From(ModelCheckerOptions bounds, TransitionTable agents, AgentState[] now) =>
        new(bounds, agents, now, 0, now.Length);

    /// <summary>Every step of one agent.</summary>
    public static Enumerator Of(ModelCheckerOptions bounds, TransitionTable agents, AgentState[] now, int agent) =>
        new(bounds, agents, now, agent, agent + 1);

    /// <summary>The global state after a step.</summary>
    public static void Apply(TransitionTable agents, AgentState[] now, int agent, AgentState next, AgentState[] after)
    {
        var dropsReplies = now[agent].Local.IsShakingHands && !next.Local.IsShakingHands;
        for (var i = 0; i < now.Length; i++)
        {
            after[i] = i == agent ? next
                : dropsReplies ? agents.WithoutMessages(now[i], TransitionCode.DropHandshakeReplies(agent)) : now[i];
        }
    }

    public struct Enumerator(ModelCheckerOptions bounds, TransitionTable agents, AgentState[] now, int first, int end)
    {
        private readonly (bool Crashes, bool Resets) _allowed = FaultBudget.Allows(bounds, now);
        private int _agent = first;
        private int _sender = -1;
        private int _position = -1;
        private TransitionCode _code;
        private int[] _branch = [];
        private int _branchAt;

        public Transition Current { get; private set; }

        public readonly Enumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            while (true)
            {
                if (_branchAt < _branch.Length)
                {
                    return Yield(_branch[_branchAt++]);
                }

                if (!NextCode())
                {
                    return false;
                }

                var state = now[_agent];
                if (state.Local.IgnoresFor(_code) || (_code.IsOwnStep && !Allowed(_code)))
                {
                    continue;
                }

                var found = state.Find(_code);
                if (found == AgentState.Unknown)
                {
                    found = agents.Successors(state, _code);
                }

                if (found < 0)
                {
                    (_branch, _branchAt) = (state.Branch(found), 0);
                }
                else if (found != state.Index)
                {
                    return Yield(found);
                }
            }
        }

        private bool Yield(int next)
        {
            Current = new Transition(_agent, _code, agents[_agent, next], now[_agent].StepsTo(_code, next));
            return true;
        }

        private readonly bool Allowed(TransitionCode code) => code.Kind switch
        {
            TransitionKind.Reset => _allowed.Resets,
            _ when code.IsCrash => _allowed.Crashes,
            _ => true,
        };

        // First the own steps of an agent, then the messages that each other agent sent it.
        private bool NextCode()
        {
            while (_agent < end)
            {
                _position++;
                if (_sender < 0)
                {
                    if (_position < TransitionCode.OwnSteps)
                    {
                        _code = new(_position);
                        return true;
                    }
                }
                else if (_sender != _agent && _position < now[_sender].MessagesTo[_agent].Codes.Length)
                {
                    _code = TransitionCode.Deliver(now[_sender].MessagesTo[_agent].Codes[_position]);
                    return true;
                }

                _position = -1;
                if (++_sender == now.Length)
                {
                    (_sender, _agent) = (-1, _agent + 1);
                }
            }

            return false;
        }
    }
}
