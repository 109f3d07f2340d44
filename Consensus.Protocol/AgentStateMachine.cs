namespace Consensus.Protocol;

/// <summary>
/// One agent: a state machine that is told inputs and says what it wants done. It does no I/O, knows no clock and no
/// thread, and draws only from the source it is given, so the same class runs over HTTP, in the simulator and in the
/// exhaustive explorer. Not thread safe: one step at a time. The protected virtual members are the single rules that
/// make it safe; the proof's tests break them one by one and watch the checker notice.
/// </summary>
public partial class AgentStateMachine
{
    /// <summary>How long stragglers are waited for unless a run says otherwise, in ms.</summary>
    public const int DefaultWindowMs = 200;

    /// <summary>The longest pause between two attempts to get through to a peer, in ms.</summary>
    public const int MaxBackOffMs = 2000;

    /// <summary>The largest cluster.</summary>
    public const int MaxAgents = 101;

    /// <summary>The last round a message may name: far beyond any run, and far from overflow.</summary>
    public const int MaxRound = 2_000_000_000;

    /// <summary>
    /// How long a classic round lasts at least, in ms, once <see cref="UnpacedClassicRounds"/> were drawn in vain: it ends
    /// without anybody's answer, so nothing else keeps a run that cannot be decided from opening rounds faster than agents
    /// can take them.
    /// </summary>
    public const int MinClassicWindowMs = 10;

    /// <summary>How many rounds of a classic run last no longer than its window.</summary>
    public const int UnpacedClassicRounds = 100;

    private const int MinBackOffMs = 50;

    private readonly int _n;
    private readonly string[] _peerNames;
    private readonly IRandomSource _random;
    private List<Effect> _effects = [];
    private PeerProgress[] _peers;
    private RunState? _run;
    private RunId _floor;
    private int _disseminationMs;

    // From the start of the process to its first poll. What its last process said may still be under way, to peers that
    // then believe it knows what this one never heard: so it asks all of them once more.
    private bool _beforeFirstPoll;

    // The number of the last run that this agent named and left because nobody answered.
    private long _abandonedNumber;

    // The peer that gets its news by the reply of this step; -1 for none.
    private int _replyTo = -1;

    /// <param name="id">This agent's id.</param>
    /// <param name="boot">Random, made at process start; holds no dot.</param>
    /// <param name="peerNames">How to call the peers before their ids are known: their addresses.</param>
    /// <param name="random">Free draws.</param>
    public AgentStateMachine(string id, string boot, IReadOnlyList<string> peerNames, IRandomSource random)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(peerNames.Count, MaxAgents - 1);
        Id = id;
        Boot = boot;
        _peerNames = [.. peerNames];
        _n = _peerNames.Length + 1;
        _random = random;
        _peers = new PeerProgress[_peerNames.Length];
        _floor = RunId.None;
    }

    private struct PeerProgress
    {
        public string? Id;
        public string? Boot;
        public RunId Floor;

        // How many agents it counts, itself included; 0: it has not said.
        public int ClusterSize;
        public bool Unreachable;
        public bool StateKnown;
        public bool DecisionAcknowledged;

        // Answered since the last poll, and was not found silent after that.
        public bool RecentActive;

        // Messages of the current run that it has not answered yet.
        public int InFlight;
    }

    /// <summary>This agent's id.</summary>
    public string Id { get; }

    /// <summary>This process' boot.</summary>
    public string Boot { get; }

    /// <summary>How many agents this one counts: its peers and itself.</summary>
    public int ClusterSize => _n;

    /// <summary>floor(n/2) + 1, of the whole cluster, whoever answers.</summary>
    public int Quorum => (_n / 2) + 1;

    /// <summary>Proposals needed for a vote.</summary>
    protected virtual int ProposalQuorum => Quorum;

    /// <summary>Votes needed to leave a round.</summary>
    protected virtual int VoteQuorum => Quorum;

    /// <summary>Votes for one value needed to decide it.</summary>
    protected virtual int DecisionQuorum => Quorum;

    /// <summary>Takes one input. The effects are valid until the next step.</summary>
    public IReadOnlyList<Effect> Step(Input input)
    {
        _effects.Clear();
        _replyTo = -1;
        switch (input)
        {
            case MessageReceived received:
                _effects.Add(new Reply(Receive(received.Message)));
                break;
            case ResponseReceived answered:
                OnResponse(answered.Peer, answered.Sent, answered.Response);
                break;
            case RequestFailed unanswered:
                OnRequestFailed(unanswered.Peer, unanswered.Sent);
                break;
            case TimerFired elapsed:
                OnTimer(elapsed.Timer);
                break;
            case StartRun start:
                OnStart(start);
                break;
            case Restored restored:
                Restore(restored);
                break;
            case Started:
                _beforeFirstPoll = true;
                Resume();
                Poll();
                break;
            default:
                throw new ArgumentException($"Unknown input {input.GetType().Name}.", nameof(input));
        }

        Flush();
        CountInFlight();
        return _effects;
    }

    /// <summary>A machine in the same state that shares nothing that changes. It shares the source of free draws.</summary>
    public AgentStateMachine Clone()
    {
        var clone = (AgentStateMachine)MemberwiseClone();
        clone._effects = [];
        clone._peers = [.. _peers];
        clone._run = _run?.Clone();
        clone._starting = _starting?.Clone();
        clone._queuedStarts = new Queue<StartRun>(_queuedStarts);
        return clone;
    }

    private Response Receive(Message message)
    {
        switch (message)
        {
            case Handshake:
                if (HandshakeClears)
                {
                    Clear();
                }

                return Introduce(ResponseStatus.Reset);
            case Reset:
                Clear();
                return Introduce(ResponseStatus.Reset);
            case StateQuery:
                return StateOf(Id, Boot, _n, _floor, _run?.Descriptor, _run?.Learner ?? false, _run?.Decision);
        }

        if (message.Sender is { } sender)
        {
            var peer = PeerIndex(sender);
            if (peer >= 0)
            {
                _peers[peer].Unreachable = false;
                _replyTo = peer;
            }
        }

        return message.Run is null ? ReceiveBare(message) : ReceiveDescribed(message, message.Run);
    }

    private Response Introduce(string status) =>
        new(status) { AgentId = Id, Boot = Boot, Agents = _n, Floor = _floor.IsNone ? null : _floor };

    private RunId? CurrentRunId => _run?.Descriptor?.Id;

    private int PeerIndex(string agentId)
    {
        for (var i = 0; i < _peers.Length; i++)
        {
            if (string.Equals(_peers[i].Id, agentId, StringComparison.Ordinal))
            {
                return i;
            }
        }

        return -1;
    }

    private void OnTimer(Timer timer)
    {
        switch (timer)
        {
            case Timer.Window when _run is { WindowArmed: true, Entered: true } run:
                run.WindowElapsed = true;
                Progress(run);
                break;
            case Timer.Retransmit when _run is { Entered: true } run:
                Retransmit(run);
                break;
            case Timer.Poll:
                _beforeFirstPoll = false;
                Poll();
                break;
            case Timer.Dissemination when _run is { Decision: not null } run:
                RetransmitDecision(run);
                break;
            case Timer.Start:
                OnStartTimer();
                break;
        }
    }

    /// <summary>Drops the run, keeps the floor: an agent that was reset ignores every run up to now.</summary>
    private void Clear()
    {
        _run = null;
        _floor = FloorAfterReset(_floor);
        LeaveRun();
        _effects.Add(new ProtocolEvent(ProtocolEventKind.WasReset, _floor, 0));
    }

    /// <summary>Broken versions clear the state of whoever a handshake reaches, however late.</summary>
    protected virtual bool HandshakeClears => false;

    /// <summary>Broken versions forget it.</summary>
    protected virtual RunId FloorAfterReset(RunId floor) => floor;

    /// <summary>The first pause before a message of a run is sent again: its window, within the limits of pauses.</summary>
    private static int FirstBackOffMs(RunState run) => Math.Clamp(run.WindowMs, MinBackOffMs, MaxBackOffMs);

    private void CountInFlight()
    {
        foreach (var effect in _effects)
        {
            if (effect is Protocol.Send { Message.Run: { } run } send && run.Id == CurrentRunId)
            {
                _peers[send.Peer].InFlight++;
            }
        }
    }

    private void Broadcast(Message message, bool always = false)
    {
        for (var i = 0; i < _peers.Length; i++)
        {
            // A dead peer hears of the run by repetition, once a pause, not with every message.
            if (always || !_peers[i].Unreachable)
            {
                _effects.Add(new Protocol.Send(i, message));
            }
        }
    }
}
