using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>An agent of a transcript: a machine, or an original one; neither while it is down.</summary>
internal sealed class TranscriptNode(string id)
{
    private readonly ScriptedDraws _draws = new(id);
    private int _boots;
    private Restored? _kept;

    public string Id { get; } = id;

    /// <summary>The agents that it names as its peers; null: all others.</summary>
    public IReadOnlyList<string>? PeerIds { get; set; }

    public SortedDictionary<Timer, int> Timers { get; } = [];

    public AgentStateMachine? Machine { get; private set; }

    public OriginalAgent? Original { get; init; }

    /// <summary>What its die shows next, from 1.</summary>
    public void Roll(IEnumerable<int> rolls) => _draws.Add(rolls);

    public bool HasRollsLeft => _draws.Left > 0;

    /// <summary>A new process: agent2's boots are a2, b2, c2 and so on. It may be given back what the last one kept.</summary>
    public void Boot(IReadOnlyList<string> peers, bool keeps = false)
    {
        Timers.Clear();
        var kept = keeps ? (Machine?.ToPersist() ?? _kept) : null;
        Machine = new AgentStateMachine(Id, $"{(char)('a' + _boots++)}{Id["agent".Length..]}", peers, _draws);
        if (kept is not null)
        {
            Machine.Step(kept);
        }
    }

    public void Stop()
    {
        Timers.Clear();
        _kept = Machine?.ToPersist();
        Machine = null;
    }

    private sealed class ScriptedDraws(string agent) : IRandomSource
    {
        private readonly Queue<int> _script = new();

        public int Left => _script.Count;

        public void Add(IEnumerable<int> rolls) => rolls.ToList().ForEach(_script.Enqueue);

        public int Next(int bound)
        {
            var roll = _script.TryDequeue(out var next) ? next : throw new InvalidDataException($"{agent} draws, and its script is empty: 'draws {agent} …'.");
            return roll >= 1 && roll <= bound ? roll - 1 : throw new InvalidDataException($"{agent}'s die has {bound} sides and cannot show {roll}.");
        }
    }
}

/// <summary>A call in flight, or (with an answer) its answer on the way back. Its caller may have died since.</summary>
internal sealed record TranscriptCall(TranscriptNode From, AgentStateMachine? Caller, TranscriptNode To, Message Message, Response? Answer = null);
