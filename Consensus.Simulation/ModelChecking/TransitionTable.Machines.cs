using System.Text;
using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>How machines begin, restart, and when two are the same.</summary>
internal sealed partial class TransitionTable
{
    // All were up before, and have asked each other in vain: nobody goes on asking without a reason.
    private AgentStateMachine First(int agent)
    {
        var machine = New(agent, FirstBoot);
        for (var peer = 0; peer < machine.ClusterSize - 1; peer++)
        {
            machine.Step(new ResponseReceived(peer, new StateQuery(), new Response(ResponseStatus.Ok)));
        }

        return machine;
    }

    // What is kept is kept before anything is said, so whoever dies between the two is one that died before the step.
    private AgentStateMachine Restart(AgentStateMachine before, int bootStep)
    {
        // A new boot is random, so it may sort before or after the old one.
        var machine = New(AgentIds.IndexOf(before.Id), (char)(before.Boot[^1] + bootStep));
        if (_bounds.Durable)
        {
            machine.Step(before.ToPersist());
        }

        return machine;
    }

    private sealed record Introduction(int To, Response Answer) : Effect;

    private AgentStateMachine New(int agent, char boot) =>
        _make(AgentIds.IdOf(agent), $"{(char)('a' + agent)}{boot}", [.. Enumerable.Range(0, _bounds.Agents).Where(peer => _bounds.Names(agent, peer)).Select(AgentIds.IdOf)], Random);

    private LocalState LocalOf(AgentStateMachine machine, bool mayStart, IReadOnlyList<Effect>? effects = null)
    {
        EndFirstCalls(machine, effects ?? []);
        machine.DropUnreadProposals();
        var key = KeyOf(machine, mayStart, contacts: false);
        if (!_locals.TryGetValue(key, out var local))
        {
            _locals.Add(key, local = new LocalState(machine));
            local.Standing = MessagesOf(AgentIds.IndexOf(machine.Id), machine, []);
        }

        return local;
    }

    /// <summary>The first calls of a start return; what their answers say is among the facts, and a start over is a start.</summary>
    public static void EndFirstCalls(AgentStateMachine machine, IReadOnlyList<Effect> effects)
    {
        if (effects.OfType<Send>().Select(send => send.Message).OfType<NewRound>().FirstOrDefault() is { Run: not null } first)
        {
            for (var peer = 0; peer < machine.ClusterSize - 1; peer++)
            {
                machine.Step(new ResponseReceived(peer, first, new Response(ResponseStatus.Ok) { AgentId = AgentIds.IdOf(peer < AgentIds.IndexOf(machine.Id) ? peer : peer + 1) }));
            }
        }
    }

    /// <summary>Equal for machines of one agent that are the same as far as it matters.</summary>
    public static string KeyOf(AgentStateMachine machine, bool mayStart, bool contacts)
    {
        using var buffer = new MemoryStream(256);
        using var writer = new BinaryWriter(buffer);
        writer.Write(machine.Id);
        machine.EncodeFingerprint(writer, mayStart, contacts);
        return Encoding.Latin1.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }
}
