namespace Consensus.Protocol;

/// <summary>
/// One agent: a state machine. <see cref="Step"/> takes an input and returns effects. It does no I/O, has no clock and no
/// thread, and draws only from the source that it is given. So one class runs over HTTP, in the simulator and in the model
/// checker. Not thread safe: one step at a time.
/// </summary>
public sealed class AgentStateMachine
{
    private readonly AgentContext _agent;
    private readonly RunStart _start;

    /// <param name="id">This agent's id.</param>
    /// <param name="boot">Random, made at process start; holds no dot.</param>
    /// <param name="peers">The peers' addresses, which name a peer until it has named its id.</param>
    /// <param name="random">Draws of runs without a seed.</param>
    /// <param name="rules">Null: <see cref="SafetyRules.Default"/>. Others are for proofs only.</param>
    public AgentStateMachine(string id, string boot, IReadOnlyList<string> peers, IRandomSource random, SafetyRules? rules = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(peers.Count, ProtocolLimits.MaxAgents - 1);
        _agent = new AgentContext
        {
            Id = id, Boot = boot, Random = random, Rules = rules ?? SafetyRules.Default, Peers = new PeerTable(peers),
        };
        _start = new RunStart(_agent);
    }

    private AgentStateMachine(AgentStateMachine other)
    {
        _agent = other._agent.Clone();
        _start = other._start.Clone(_agent);
    }

    /// <summary>This agent's id.</summary>
    public string Id => _agent.Id;

    /// <summary>This process' boot.</summary>
    public string Boot => _agent.Boot;

    /// <summary>How many agents this one counts: its peers and itself.</summary>
    public int ClusterSize => _agent.ClusterSize;

    /// <summary>The size of a quorum of the whole cluster, reachable or not.</summary>
    public int Quorum => _agent.Quorum;

    /// <summary>The current described run, or null.</summary>
    public RunDescriptor? CurrentRun => _agent.Run?.Descriptor;

    /// <summary>The current decision, or null.</summary>
    public Decision? CurrentDecision => _agent.Run?.Decision;

    /// <summary>The current round; 0 before the first.</summary>
    public int CurrentRound => _agent.Run?.Round ?? 0;

    /// <summary>The highest run that this agent has ever seen.</summary>
    public RunId HighestSeenRun => _agent.HighestSeenRun;

    /// <summary>True between a <see cref="StartRun"/> and the creation of the run.</summary>
    public bool IsShakingHands => _start.IsShakingHands;

    /// <summary>Takes one input. The effects are valid until the next step.</summary>
    public IReadOnlyList<Effect> Step(Input input)
    {
        _agent.BeginStep();
        switch (input)
        {
            case MessageReceived received:
                _agent.Effects.Add(new Reply(OnMessage(received.Message)));
                break;
            case ResponseReceived response:
                OnResponse(response.Peer, response.Sent, response.Response);
                break;
            case RequestFailed failed:
                OnRequestFailed(failed.Peer, failed.Sent);
                break;
            case TimerFired fired:
                OnTimer(fired.Timer);
                break;
            case StartRun start:
                _start.Begin(start);
                break;
            case Restored restored:
                Restore(restored);
                break;
            case Started:
                _agent.BeforeFirstPoll = true;
                Recovery.Resume(_agent);
                StateExchange.Poll(_agent);
                break;
            default:
                throw new ArgumentException($"Unknown input {input.GetType().Name}.", nameof(input));
        }

        RoundOutbox.Flush(_agent);
        _agent.EndStep();
        return _agent.Effects;
    }

    /// <summary>What this agent knows now.</summary>
    public AgentSnapshot Snapshot() => AgentSnapshot.Of(_agent);

    /// <summary>Why the current run cannot decide any more, or null.</summary>
    public string? Stalled() => StallReport.Of(_agent);

    /// <summary>
    /// What the next process of this agent must be given (<see cref="Restored"/>). Persist it before any effect of the step
    /// that changed it becomes visible.
    /// </summary>
    public Restored ToPersist() => new(HighestSeenRun, CurrentRun, CurrentDecision, _agent.Run?.Attempts ?? 0);

    /// <summary>A machine in the same state that shares nothing that changes, but for the source of draws.</summary>
    public AgentStateMachine Clone() => new(this);

    /// <summary>Writes the whole state between two steps, for <see cref="Load"/>.</summary>
    public void Save(RecordWriter writer)
    {
        _agent.Write(writer);
        _start.Write(writer);
    }

    /// <summary>Takes over the state that a machine of the same id, boot and peers has saved. This machine is new.</summary>
    /// <exception cref="FormatException">The record holds no such state.</exception>
    public void Load(RecordReader reader)
    {
        _agent.Read(reader);
        _start.Read(reader);
    }

    /// <summary>The addresses of its peers.</summary>
    public IReadOnlyList<string> Peers => _agent.Peers.Addresses;

    /// <summary>The id of a peer, or its address until it has named its id.</summary>
    public string NameOf(int peer) => _agent.Peers.NameOf(peer);

    /// <inheritdoc cref="Fingerprint.Write(AgentContext, RunStart, bool, bool)"/>
    public void EncodeFingerprint(BinaryWriter writer, bool mayStart, bool peerKnowledge) =>
        new Fingerprint(writer).Write(_agent, _start, mayStart, peerKnowledge);

    /// <summary>
    /// Drops the peers' proposals of a round in which this agent has voted, where only votes or a free draw lead out. Nothing
    /// reads them any more but a relay and the check for equivocation, and the model checker makes that check where they are sent.
    /// </summary>
    public void DropUnreadProposals() => _agent.Run?.DropUnreadProposals();

    private Response OnMessage(Message message)
    {
        switch (message)
        {
            case Handshake:
                if (_agent.Rules.HandshakeClears)
                {
                    RunMembership.Clear(_agent);
                }

                return RunMembership.Introduce(_agent, ResponseStatus.Reset);
            case Reset:
                RunMembership.Clear(_agent);
                return RunMembership.Introduce(_agent, ResponseStatus.Reset);
            case StateQuery:
                return AgentSnapshot.StateOf(_agent);
        }

        if (message.Sender is { } sender && _agent.Peers.IndexOf(sender) is >= 0 and var peer)
        {
            _agent.Peers[peer].Unreachable = false;
            _agent.ReplyTo = peer;
        }

        return message.Run is { } run ? DescribedRun.Receive(_agent, message, run) : AnonymousRun.Receive(_agent, message);
    }

    private void OnResponse(int peer, Message sent, Response response)
    {
        _agent.Peers.OnResponse(peer, response);
        switch (sent)
        {
            case StateQuery:
                _agent.Peers[peer].StateKnown |= !_agent.BeforeFirstPoll;
                StateExchange.ApplyPeerState(_agent, response);
                break;
            case Final:
                _agent.Peers[peer].DecisionAcknowledged |= _agent.IsOfCurrentRun(sent) && response.Status != ResponseStatus.Refused;
                break;
            case NewRound { Run: null } newRound:
                AnonymousRun.ProposeAfterNewRound(_agent, peer, newRound);
                break;
        }

        if (_agent.IsOfCurrentRun(sent))
        {
            var run = _agent.Run!;
            var wasDecided = run.Decision is not null;
            _agent.Peers.EndRequest(peer);
            DescribedRun.ApplyPiggybackedState(_agent, run, peer, response);
            if (wasDecided && sent is not Final)
            {
                // A peer that was sent the decision and refuses it gets it again after a back-off, not at once and for ever.
                DecisionDissemination.SendFinalIfUnacknowledged(_agent, peer);
            }
        }

        _start.OnResponse(peer, sent, response);
    }

    private void OnRequestFailed(int peer, Message sent)
    {
        if (sent is NewRound { Run: null } newRound)
        {
            AnonymousRun.ProposeAfterNewRound(_agent, peer, newRound);
        }

        if (_agent.IsOfCurrentRun(sent))
        {
            _agent.Peers.EndRequest(peer);
        }

        ref var failed = ref _agent.Peers[peer];
        failed.RecentActive = false;
        if (!failed.Unreachable)
        {
            failed.Unreachable = true;
            DecisionRule.ProgressWithoutAgent(_agent);
        }

        _start.OnResponse(peer, sent, null);
    }

    private void OnTimer(Timer timer)
    {
        switch (timer)
        {
            case Timer.Window when _agent.Run is { WindowArmed: true, Entered: true } run:
                run.WindowElapsed = true;
                DecisionRule.Of(run).Progress(_agent, run);
                break;
            case Timer.Retransmit when _agent.Run is { Entered: true } run:
                RoundOutbox.Retransmit(_agent, run);
                break;
            case Timer.Poll:
                _agent.BeforeFirstPoll = false;
                StateExchange.Poll(_agent);
                break;
            case Timer.Dissemination when _agent.Run is { Decision: not null } run:
                DecisionDissemination.Retransmit(_agent, run);
                break;
            case Timer.Start:
                _start.OnTimer();
                break;
        }
    }

    private void Restore(Restored persisted)
    {
        if (_agent.Run is not null || !_agent.HighestSeenRun.IsNone || _start.InProgress)
        {
            throw new InvalidOperationException("Restored is the first input or none.");
        }

        Recovery.Restore(_agent, persisted);
    }
}
