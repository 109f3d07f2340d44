using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>Counts how often one unchanged message went to or came from one agent. Further repetitions hold nothing new.</summary>
internal sealed class Repetitions<TAgent>
    where TAgent : notnull
{
    private const int MaxSame = 3;

    private readonly Dictionary<TAgent, (RunId? Run, MessageContent Content, int Count)> _last = [];

    /// <summary>Whether the timeline has shown this message often enough.</summary>
    public bool Add(TAgent agent, Message message)
    {
        var (run, content) = (message.Run?.Id, message.Content);
        var count = _last.TryGetValue(agent, out var last) && last.Run == run && last.Content == content ? last.Count + 1 : 1;
        _last[agent] = (run, content, count);
        return count > MaxSame;
    }

    /// <summary>Forgets all messages: a run begins.</summary>
    public void Clear() => _last.Clear();
}
