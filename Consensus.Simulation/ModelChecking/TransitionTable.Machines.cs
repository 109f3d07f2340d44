using System.Text;
using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>How machines begin and restart, and when two count as the same.</summary>
internal sealed partial class TransitionTable
{
    // Every agent ran before and queried its peers, who had no run. So no agent polls again without a reason.
    private AgentStateMachine FirstMachine(int agent)
    {
        var machine = New(agent, FirstBoot);
        for (var peer = 0; peer < machine.ClusterSize - 1; peer++)
        {
            machine.Step(new ResponseReceived(peer, new StateQuery(), new Response(ResponseStatus.Ok)));
        }

        return machine;
    }

    /// <summary>The boot after a restart. It is random, so it may sort before or after all earlier ones, and none is used twice.</summary>
    /// <param name="boot">The boot before.</param>
    /// <param name="direction">-1: before all earlier ones; 1: after them.</param>
    public static char NextBoot(char boot, int direction) => (char)(FirstBoot + (direction * (Math.Abs(boot - FirstBoot) + 1)));

    // State is persisted before messages are sent. A crash between the two is a crash before the step.
    /// <summary>A step on a path as a trace holds it, so that it can be explained.</summary>
    /// <param name="state">The agent before it.</param>
    /// <param name="code">The step.</param>
    /// <param name="events">Its events. The values that it drew are in them.</param>
    /// <param name="at">Its number on the path.</param>
    public TraceStep TraceOf(AgentState state, TransitionCode code, IReadOnlyList<ProtocolEvent> events, int at)
    {
        lock (Gate)
        {
            var (input, machine) = (InputOf(state, code)!, MachineBefore(state, code));
            var step = new TraceStep(at, state.Agent, TraceStepKind.Send)
            {
                Input = input, Process = code.IsCrash ? Beginning(machine) : null,
            };
            Random.Begin();
            do
            {
                step.Draws = MachineBefore(state, code).Step(input).OfType<ProtocolEvent>().SequenceEqual(events)
                    ? [.. Random.Choices] : step.Draws;
            }
            while (Random.Advance());
            foreach (var one in events)
            {
                step.Events.Add(one);
            }

            return step;
        }
    }

    /// <summary>How a process begins that goes on from this state of a machine.</summary>
    public static TracedProcess Beginning(AgentStateMachine machine)
    {
        var saved = new RecordWriter();
        machine.Save(saved);
        return new(machine.Id, machine.Boot, machine.Peers, State: saved.Written);
    }

    private Input? InputOf(AgentState state, TransitionCode code) => code.Kind switch
    {
        TransitionKind.Window => new TimerFired(Protocol.Timer.Window),
        TransitionKind.StartTimer => new TimerFired(Protocol.Timer.Start),
        TransitionKind.Reset => new MessageReceived(new Reset()),
        TransitionKind.Poll => new TimerFired(Protocol.Timer.Poll),
        _ when code.IsCrash => new Started(),
        TransitionKind.Start => state.Local.IsShakingHands ? null
            : new StartRun(1, new RunRequest(Rule: _bounds.Rule, Values: _bounds.Values, Draw: _bounds.Draw, Spread: _bounds.Spread)),
        _ => Messages.InputFor(code.Message, state.Agent),
    };

    private AgentStateMachine MachineBefore(AgentState state, TransitionCode code) =>
        !code.IsCrash ? state.Local.Machine.Clone()
        : Restart(state.Local.Machine, code.LowersBoot ? -1 : 1, code.IsLosing);

    private bool MayLose(AgentStateMachine machine) => _bounds.Durable && machine.ToPersist().MayBeLost;

    private AgentStateMachine Restart(AgentStateMachine before, int direction, bool loses)
    {
        var machine = New(_bounds.Peers.IndexOf(before.Id), NextBoot(before.Boot[^1], direction));
        if (_bounds.Durable && !loses)
        {
            machine.Step(before.ToPersist());
        }

        return machine;
    }

    private sealed record Introduction(int To, Response Response) : Effect;

    private AgentStateMachine New(int agent, char boot) =>
        _make(
            _bounds.Peers.IdOf(agent), $"{(char)('a' + agent)}{boot}",
            [.. _bounds.Peers.PeersOf(agent).Select(_bounds.Peers.IdOf)], Random);

    private LocalState LocalOf(AgentStateMachine machine, bool mayStart, IReadOnlyList<Effect>? effects = null)
    {
        EndFirstCalls(machine, effects ?? []);
        machine.DropUnreadProposals();
        var key = KeyOf(machine, mayStart, peerKnowledge: false);
        if (!_locals.TryGetValue(key, out var local))
        {
            _locals.Add(key, local = new LocalState(machine));
            local.RepeatedMessages = MessagesOf(_bounds.Peers.IndexOf(machine.Id), machine, []);
        }

        return local;
    }

    /// <summary>Completes the first calls of a start. What their responses carry is among the messages.</summary>
    public void EndFirstCalls(AgentStateMachine machine, IReadOnlyList<Effect> effects)
    {
        if (effects.OfType<Send>().Select(send => send.Message).OfType<NewRound>().FirstOrDefault() is { Run: not null } first)
        {
            for (var peer = 0; peer < machine.ClusterSize - 1; peer++)
            {
                machine.Step(new ResponseReceived(peer, first, new Response(ResponseStatus.Ok)
                {
                    AgentId = _bounds.Peers.IdOf(_bounds.Peers.PeersOf(_bounds.Peers.IndexOf(machine.Id))[peer]),
                }));
            }
        }
    }

    /// <summary>A key that is equal for machines of one agent that differ only in what no rule reads.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="mayStart">Whether it may still start a run.</param>
    /// <param name="peerKnowledge">Whether its progress with each peer counts too.</param>
    public static string KeyOf(AgentStateMachine machine, bool mayStart, bool peerKnowledge)
    {
        using var buffer = new MemoryStream(256);
        using var writer = new BinaryWriter(buffer);
        writer.Write(machine.Id);
        machine.EncodeFingerprint(writer, mayStart, peerKnowledge);
        return Encoding.Latin1.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }
}
