using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Tests.Protocol;

/// <summary>An agent of a transcript: a machine, or an original one; neither while it is down.</summary>
internal sealed class TranscriptNode(int index, int agents, string? original) : SimulatedAgent(index, AgentIds.Others(index, agents))
{
    public ScriptedDraws Draws { get; } = new(AgentIds.IdOf(index));

    public OriginalAgent? Original { get; } = original == AgentIds.IdOf(index) ? new OriginalAgent(original) : null;

    /// <summary>The boot of its next process: agent2's boots are a2, b2, c2 and so on.</summary>
    public string NextBoot => $"{(char)('a' + Processes)}{Index + 1}";
}

/// <summary>The draws of one agent, scripted by the transcript, from 1.</summary>
internal sealed class ScriptedDraws(string agent) : IRandomSource
{
    private readonly Queue<int> _script = new();

    public int Left => _script.Count;

    public void Add(IEnumerable<int> rolls) => rolls.ToList().ForEach(_script.Enqueue);

    public int Next(int bound)
    {
        var roll = _script.TryDequeue(out var next)
            ? next : throw new InvalidDataException($"{agent} draws, and its script is empty: 'draws {agent} …'.");
        return roll >= 1 && roll <= bound
            ? roll - 1 : throw new InvalidDataException($"{agent}'s die has {bound} sides and cannot show {roll}.");
    }
}
