namespace Consensus.Protocol;

/// <summary>A hash of the effects of one step: the same in every process, for equal effects (FNV-1a over their parts).</summary>
internal struct EffectHash
{
    private uint _hash;

    /// <summary>The hash of these effects.</summary>
    public static uint Of(IReadOnlyList<Effect> effects)
    {
        var hash = new EffectHash { _hash = 2166136261 };
        Message? last = null;
        for (var i = 0; i < effects.Count; i++)
        {
            switch (effects[i])
            {
                case Send send:
                    hash.Add(1);
                    hash.Add(send.Peer);

                    // A broadcast sends one message to each peer.
                    hash.Add(ReferenceEquals(send.Message, last) ? null : send.Message);
                    last = send.Message;
                    break;
                case Reply reply:
                    hash.Add(2);
                    hash.Add(reply.Response);
                    break;
                case SetTimer timer:
                    hash.Add(3);
                    hash.Add((int)timer.Timer);
                    hash.Add(timer.DelayMs);
                    break;
                case CancelTimer timer:
                    hash.Add(4);
                    hash.Add((int)timer.Timer);
                    break;
                case ProtocolEvent e:
                    hash.Add(5);
                    hash.Add((int)e.Kind);
                    hash.Add(e.Run);
                    hash.Add(e.Round);
                    hash.Add(e.Value);
                    hash.Add(e.Attempt);
                    hash.Add(e.Other);
                    break;
                case StartEnded ended:
                    hash.Add(6);
                    hash.Add(ended.Ticket);
                    hash.Add(EventFormatter.Of(ended.Outcome));
                    break;
            }
        }

        return hash._hash;
    }

    private void Add(long value)
    {
        _hash = (_hash ^ (uint)value) * 16777619;
        _hash = (_hash ^ (uint)(value >> 32)) * 16777619;
    }

    private void Add(string? text)
    {
        _hash = (_hash ^ (uint)(text?.Length ?? -1)) * 16777619;
        foreach (var character in text ?? "")
        {
            _hash = (_hash ^ character) * 16777619;
        }
    }

    private void Add(RunId? id)
    {
        Add(id?.Number ?? 0);
        Add(id?.Initiator);
        Add(id?.Boot);
    }

    private void Add(MessageContent content)
    {
        Add((int)content.Kind);
        Add(content.Round);
        Add(content.Value);
        Add(content.Proposed);
    }

    private void Add(Message? message)
    {
        if (message is null)
        {
            return;
        }

        Add(message.Content);
        Add(message.Sender);
        Add(message.Run?.Id);
        foreach (var vote in message.Relayed?.Votes ?? [])
        {
            Add(vote.Content);
            Add(vote.AgentId);
        }

        foreach (var proposal in message.Relayed?.Proposals ?? [])
        {
            Add(proposal.Content);
            Add(proposal.AgentId);
        }
    }

    private void Add(Response response)
    {
        Add((int)RecordReader.PartsOf(response));
        Add((int)response.Status);
        Add((int)(response.Reason ?? 0));
        Add(response.Round ?? 0);
        Add(response.CurrentRound ?? 0);
        Add(response.Agents ?? 0);
        Add(response.AgentId);
        Add(response.Boot);
        Add(response.HighestSeenRun);
        Add(response.Run);
        Add(response.Proposal);
        Add(response.Vote);
        Add(response.Decision?.Value ?? 0);
        Add(response.Decision?.Round ?? 0);
        Add(response.Descriptor?.Id);
    }
}
