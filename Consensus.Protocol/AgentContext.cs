namespace Consensus.Protocol;

/// <summary>
/// All that an agent holds but its start in progress (<see cref="RunStart"/>), and the effects of the current step. The
/// types that implement the protocol are stateless functions over it.
/// </summary>
internal sealed class AgentContext
{
    public required string Id { get; init; }

    public required string Boot { get; init; }

    public required IRandomSource Random { get; init; }

    public required SafetyRules Rules { get; init; }

    public required PeerTable Peers { get; init; }

    /// <summary>The peers and this agent.</summary>
    public int ClusterSize => Peers.Count + 1;

    public int Quorum => Protocol.Quorum.Of(ClusterSize);

    /// <summary>The current run; null for none.</summary>
    public RunState? Run { get; set; }

    /// <summary>The highest run that this agent has ever seen: its floor (docs/glossary.md).</summary>
    public RunId HighestSeenRun { get; set; } = RunId.None;

    /// <summary>The current back-off of the decision's retransmission, in ms.</summary>
    public int DisseminationMs { get; set; }

    /// <summary>
    /// True from the start of the process to its first poll. A response to the process before may then still be in flight, so
    /// a peer may wrongly believe that this process knows something: all peers are queried once more.
    /// </summary>
    public bool BeforeFirstPoll { get; set; }

    /// <summary>The number of the last run that this agent created and left because no quorum responded.</summary>
    public long AbandonedNumber { get; set; }

    /// <summary>The peer that the response of this step informs; -1 for none.</summary>
    public int ReplyTo { get; set; } = -1;

    public List<Effect> Effects { get; init; } = [];

    public RunId? CurrentRunId => Run?.Descriptor?.Id;

    public AgentContext Clone() => new()
    {
        Id = Id, Boot = Boot, Random = Random, Rules = Rules, Peers = Peers.Clone(), Run = Run?.Clone(), HighestSeenRun = HighestSeenRun,
        DisseminationMs = DisseminationMs, BeforeFirstPoll = BeforeFirstPoll, AbandonedNumber = AbandonedNumber, ReplyTo = ReplyTo,
    };

    /// <summary>Takes over what <see cref="Write"/> wrote of the same agent between two steps.</summary>
    public void Read(RecordReader reader)
    {
        Peers.Read(reader);
        Run = reader.ReadBool() ? RunState.Read(reader, Id) : null;
        (HighestSeenRun, DisseminationMs, BeforeFirstPoll, AbandonedNumber) =
            (reader.ReadRunId(), reader.ReadInt(), reader.ReadBool(), reader.ReadLong());
    }

    /// <summary>Writes what the agent holds between two steps.</summary>
    public void Write(RecordWriter writer)
    {
        Peers.Write(writer);
        writer.Write(Run is not null);
        Run?.Write(writer);
        writer.Write(HighestSeenRun);
        writer.Write(DisseminationMs);
        writer.Write(BeforeFirstPoll);
        writer.Write(AbandonedNumber);
    }

    public void BeginStep()
    {
        Effects.Clear();
        ReplyTo = -1;
    }

    /// <summary>Counts the requests of this step as in flight.</summary>
    public void EndStep()
    {
        foreach (var effect in Effects)
        {
            if (effect is Send { Message.Run: { } run } send && run.Id == CurrentRunId)
            {
                Peers[send.Peer].InFlight++;
            }
        }
    }

    public void Send(int peer, Message message) => Effects.Add(new Send(peer, message));

    /// <summary>Sends to every peer, also to unreachable ones.</summary>
    public void Broadcast(Message message)
    {
        for (var i = 0; i < Peers.Count; i++)
        {
            Send(i, message);
        }
    }

    public void SetTimer(Timer timer, int milliseconds) => Effects.Add(new SetTimer(timer, milliseconds));

    public void CancelTimer(Timer timer) => Effects.Add(new CancelTimer(timer));

    public void Record(ProtocolEventKind kind, RunId run, int round, int value = 0, int attempt = 0, string? other = null) =>
        Effects.Add(new ProtocolEvent(kind, run, round, value, attempt, other));

    /// <summary>The same, of the current run.</summary>
    public void Record(ProtocolEventKind kind, RunState run, int round, int value, string? other = null) =>
        Record(kind, run.Id, round, value, run.Attempts, other);

    /// <summary>Whether a request belongs to the current described run.</summary>
    public bool IsOfCurrentRun(Message sent) => Run?.Descriptor is not null && sent.Run?.Id == Run.Id;
}
