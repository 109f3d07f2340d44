using System.Text;
using Consensus.Protocol;

namespace Consensus.Simulation.Exploring;

/// <summary>How machines begin, restart, and when two are the same.</summary>
internal sealed partial class AgentStates
{
    // All were up before, and have asked each other in vain: nobody goes on asking without a reason.
    private Machine First(int agent)
    {
        var machine = New(agent, FirstBoot);
        for (var peer = 0; peer < machine.ClusterSize - 1; peer++)
        {
            machine.Step(new Answered(peer, new StateQuery(), new Answer(Status.Ok)));
        }

        return machine;
    }

    // What is kept is kept before anything is said, so whoever dies between the two is one that died before the step.
    private Machine Restart(Machine before, int bootStep)
    {
        // A new boot is random, so it may sort before or after the old one.
        var machine = New(Facts.AgentOf(before.Id), (char)(before.Boot[^1] + bootStep));
        if (_bounds.Durable)
        {
            machine.Step(before.ToKeep());
        }

        return machine;
    }

    private sealed record Introduction(int To, Answer Answer) : Effect;

    private Machine New(int agent, char boot) =>
        _make(Facts.IdOf(agent), $"{(char)('a' + agent)}{boot}", [.. Enumerable.Range(0, _bounds.Agents).Where(peer => _bounds.Names(agent, peer)).Select(Facts.IdOf)], Random);

    private LocalState LocalOf(Machine machine, bool mayStart, IReadOnlyList<Effect>? effects = null)
    {
        EndFirstCalls(machine, effects ?? []);
        machine.DropUnread();
        var key = KeyOf(machine, mayStart, contacts: false);
        if (!_locals.TryGetValue(key, out var local))
        {
            _locals.Add(key, local = new LocalState(machine));
            local.Standing = FactsOf(Facts.AgentOf(machine.Id), machine, []);
        }

        return local;
    }

    /// <summary>The first calls of a start return; what their answers say is among the facts, and a start over is a start.</summary>
    public static void EndFirstCalls(Machine machine, IReadOnlyList<Effect> effects)
    {
        if (effects.OfType<Send>().Select(send => send.Message).OfType<NewRound>().FirstOrDefault() is { Run: not null } first)
        {
            for (var peer = 0; peer < machine.ClusterSize - 1; peer++)
            {
                machine.Step(new Answered(peer, first, new Answer(Status.Ok) { AgentId = Facts.IdOf(peer < Facts.AgentOf(machine.Id) ? peer : peer + 1) }));
            }
        }
    }

    /// <summary>Equal for machines of one agent that are the same as far as it matters.</summary>
    public static string KeyOf(Machine machine, bool mayStart, bool contacts)
    {
        using var buffer = new MemoryStream(256);
        using var writer = new BinaryWriter(buffer);
        writer.Write(machine.Id);
        machine.EncodeEssence(writer, mayStart, contacts);
        return Encoding.Latin1.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }
}
