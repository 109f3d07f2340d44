namespace Consensus.Agent.Peers;

/// <summary>Numbers the messages that one process of an agent sends. Not thread safe.</summary>
/// <param name="agentId">The agent.</param>
/// <param name="boot">The agent's boot.</param>
public sealed class MessageIdSequence(string agentId, string boot)
{
    private long _last;

    /// <summary>The number of the next message, from 1 on.</summary>
    public long Next() => ++_last;

    /// <summary>The id on the wire of the message with this number (<see cref="MessageId"/>).</summary>
    public string IdOf(long number) => MessageId.Format(agentId, boot, number);
}
