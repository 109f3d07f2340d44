namespace Consensus.Protocol;

/// <summary>
/// Starts runs, one at a time: handshake, create the run, open its first round. A state machine beside the agent's.
/// Where every peer is known already, the run starts without a handshake and falls back to one if that was wrong.
/// </summary>
internal sealed partial class RunStart(AgentContext agent)
{
    private const int MaxRestarts = 8;

    private Attempt? _attempt;
    private Queue<StartRun> _queue = new();

    private enum Stage
    {
        Handshake,
        ResetForAnonymousRun,
        FirstRound,
    }

    /// <summary>A start is in progress.</summary>
    public bool InProgress => _attempt is not null;

    /// <summary>The handshake is in progress: the run has no id yet.</summary>
    public bool IsShakingHands => _attempt is { Stage: Stage.Handshake };

    public RunStart Clone(AgentContext clonedAgent) => new(clonedAgent)
    {
        _attempt = _attempt?.Clone(),
        _queue = new Queue<StartRun>(_queue),
    };

    /// <summary>Takes over what <see cref="Write(RecordWriter)"/> wrote.</summary>
    public void Read(RecordReader reader)
    {
        _attempt = reader.ReadBool() ? Attempt.Read(reader, agent.Id, agent.Peers.Count) : null;
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            _queue.Enqueue(reader.ReadStart());
        }
    }

    /// <summary>Writes the start in progress and those that wait.</summary>
    public void Write(RecordWriter writer)
    {
        writer.Write(_attempt is not null);
        _attempt?.Write(writer);
        writer.Write(_queue.Count);
        foreach (var start in _queue)
        {
            writer.Write(start);
        }
    }

    public void Begin(StartRun start)
    {
        if (_attempt is null)
        {
            _attempt = new Attempt(start, agent.Peers.Count);
            if (CanSkipHandshake())
            {
                _attempt.WithoutHandshake = true;
                StartDescribedRun(_attempt);
            }
            else
            {
                BeginHandshake(_attempt);
            }
        }
        else if (_queue.Count < ProtocolLimits.MaxQueuedStarts)
        {
            _queue.Enqueue(start);
        }
        else
        {
            agent.Effects.Add(new StartEnded(start.Ticket, new StartQueueFull()));
        }
    }

    /// <summary>A request of the start has a response, or has failed (null).</summary>
    public void OnResponse(int peer, Message sent, Response? response)
    {
        if (_attempt is not { } attempt || !attempt.Owns(sent))
        {
            return;
        }

        attempt.Completed[peer] = true;
        if (attempt.Stage == Stage.Handshake && response is not null)
        {
            attempt.Responded[peer] = true;
            attempt.IsOriginal[peer] = response.Boot is null;
        }
        else if (attempt is { Stage: Stage.FirstRound, WithoutHandshake: true })
        {
            RecordFirstResponse(attempt, peer, response);
        }

        // A peer has seen a newer run, or has left this one already: start over above its floor. Unless a newer run has
        // reached this agent meanwhile.
        if (attempt.Stage == Stage.FirstRound && response is { Reason: ResponseReason.StaleRun } && attempt.IsCurrentIn(agent)
            && agent.Peers[peer].HighestSeenRun >= attempt.Run!.Id && attempt.Restarts++ < MaxRestarts)
        {
            FallBackToHandshake(attempt);
            return;
        }

        Advance(attempt, waitIsOver: false);
    }

    public void OnTimer()
    {
        if (_attempt is { TimerArmed: true } attempt)
        {
            Advance(attempt, waitIsOver: true);
        }
    }

    /// <summary>Writes which peers the start in progress still waits for.</summary>
    public void Write(Fingerprint fingerprint) => _attempt?.Write(fingerprint);

    /// <summary>Goes on when all requests of the stage have ended, or a quorum has responded and the wait is over.</summary>
    private void Advance(Attempt attempt, bool waitIsOver)
    {
        var completed = attempt.Completed.AsSpan().Count(true);
        var responded = attempt.Stage == Stage.Handshake || attempt.WithoutHandshake ? attempt.Responded.AsSpan().Count(true) : completed;
        if (completed < agent.Peers.Count && !waitIsOver)
        {
            if (responded + 1 >= agent.Quorum && !attempt.TimerArmed)
            {
                attempt.TimerArmed = true;
                agent.SetTimer(Timer.Start, ProtocolTiming.StartWaitMs);
            }

            return;
        }

        switch (attempt.Stage)
        {
            case Stage.Handshake:
                EndHandshake(attempt);
                break;
            case Stage.ResetForAnonymousRun:
                StartAnonymousRun(attempt);
                break;
            case Stage.FirstRound when NeedsHandshake(attempt):
                FallBackToHandshake(attempt);
                break;
            case Stage.FirstRound:
                End(attempt, new RunStarted(attempt.Run, Missing(attempt)));
                break;
        }
    }

    private void End(Attempt attempt, StartOutcome outcome)
    {
        agent.Effects.Add(new StartEnded(attempt.Start.Ticket, outcome));
        agent.CancelTimer(Timer.Start);
        _attempt = null;
        if (_queue.TryDequeue(out var next))
        {
            Begin(next);
        }
    }

    private List<string> Missing(Attempt attempt)
    {
        var missing = new List<string>();
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            if (!attempt.Responded[i])
            {
                missing.Add(agent.Peers.NameOf(i));
            }
        }

        return missing;
    }

    private void BeginHandshake(Attempt attempt)
    {
        attempt.Enter(Stage.Handshake);
        Array.Clear(attempt.Responded);
        agent.Broadcast(new Handshake());
        Advance(attempt, waitIsOver: false);
    }

    private void EndHandshake(Attempt attempt)
    {
        if (FindObstacle(attempt) is { } obstacle)
        {
            RollBack(attempt);
            End(attempt, obstacle);
        }
        else if (attempt.IsOriginal.AsSpan().Contains(true))
        {
            ResetDescribedPeers(attempt);
        }
        else
        {
            StartDescribedRun(attempt);
        }
    }

    /// <summary>Why no run can start, or null. A wrong configuration comes first: it may be why no quorum responded.</summary>
    private StartOutcome? FindObstacle(Attempt attempt)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal) { agent.Id };
        var sizes = new SortedDictionary<string, int>(StringComparer.Ordinal) { [agent.Id] = agent.ClusterSize };
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            if (!attempt.Responded[i] || attempt.IsOriginal[i] || agent.Peers[i] is not { Id: { } id } peer)
            {
                continue;
            }

            if (!ids.Add(id))
            {
                return new DuplicateAgentId(id);
            }

            if (peer.ClusterSize != 0)
            {
                sizes.Add(id, peer.ClusterSize);
            }
        }

        return sizes.Values.Any(HasOtherClusterSize) ? new ClusterSizeMismatch(sizes)
            : attempt.Responded.AsSpan().Count(true) + 1 < agent.Quorum ? new QuorumUnreachable(Missing(attempt))
            : attempt.Start.Request.Rule == Rule.Ratified && Array.IndexOf(attempt.IsOriginal, true) is >= 0 and var original
                ? new OriginalPeer(agent.Peers.NameOf(original))
            : null;
    }

    private bool HasOtherClusterSize(int peers) => agent.Rules.HasOtherClusterSize(peers, agent.ClusterSize);

    /// <summary>Reading the floor, creating the run, raising the floor to it and joining are one atomic step.</summary>
    private void StartDescribedRun(Attempt attempt)
    {
        var run = DescribeRun(attempt.Start.Request);

        // A restart leaves the run of the try before; any other run that this agent has joined meanwhile is the one to roll back to.
        if (!attempt.IsCurrentIn(agent))
        {
            (attempt.PreviousRun, attempt.PreviousHighestSeenRun) = (agent.Run, agent.HighestSeenRun);
        }

        attempt.Run = run;
        attempt.Enter(Stage.FirstRound);
        var before = agent.HighestSeenRun;
        var state = RunMembership.Join(agent, run);
        agent.HighestSeenRun = agent.Rules.HighestSeenRunAfterCreatingRun(before, run.Id);
        if (run.Rule == Rule.Classic)
        {
            ClassicRule.Enter(agent, state, run.StartRound, opensRound: true);
        }
        else
        {
            // The first message carries the proposal.
            RatifiedRule.EnterByDraw(agent, state, run.StartRound);
            state.ProposalUnsent = false;
            agent.Broadcast(new NewRound(run.StartRound, run, agent.Id, state.MyProposal));
        }

        Advance(attempt, waitIsOver: false);
    }

    private RunDescriptor DescribeRun(RunRequest request)
    {
        var highest = Math.Max(agent.HighestSeenRun.Number, agent.AbandonedNumber);
        var members = new Dictionary<string, string>(StringComparer.Ordinal) { [agent.Id] = agent.Boot };
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            // A peer that did not respond is a member with its last known boot: if it still has that boot, it has forgotten
            // nothing. A peer that counts another number of agents cannot take part, so the run must not wait for it.
            if (agent.Peers[i] is { Id: { } id, Boot: { } boot } peer)
            {
                highest = Math.Max(highest, peer.HighestSeenRun.Number);
                if (!HasOtherClusterSize(peer.ClusterSize))
                {
                    members.TryAdd(id, boot);
                }
            }
        }

        var rule = request.Rule ?? Rule.Ratified;
        return new RunDescriptor(
            agent.Rules.CreateRunId(highest + 1, agent.Id, agent.Boot), agent.ClusterSize, request.Round ?? RunRequest.DefaultRound, rule,
            request.Values ?? RunRequest.DefaultValues, request.Draw ?? DrawStrategy.Fresh,
            request.WindowMs ?? ProtocolTiming.DefaultWindowMs, members, request.Seed, SpreadOf(rule, request.Spread, agent.ClusterSize));
    }

    private static Spread SpreadOf(Rule rule, Spread? requested, int agents) =>
        rule == Rule.Classic ? Spread.Direct
        : requested ?? (agents > ProtocolLimits.MaxDirectAgents ? Spread.Relay : Spread.Direct);

    /// <summary>Resets the described peers for a bare run. The handshake has reset the original agents.</summary>
    private void ResetDescribedPeers(Attempt attempt)
    {
        attempt.Enter(Stage.ResetForAnonymousRun);
        attempt.Run = null;
        for (var i = 0; i < agent.Peers.Count; i++)
        {
            attempt.Completed[i] = attempt.IsOriginal[i] || !attempt.Responded[i];
            if (!attempt.Completed[i])
            {
                agent.Send(i, new Reset());
            }
        }

        Advance(attempt, waitIsOver: false);
    }

    private void StartAnonymousRun(Attempt attempt)
    {
        RunMembership.Clear(agent);
        attempt.Enter(Stage.FirstRound);
        agent.Run = new RunState(agent.Id);
        ClassicRule.Enter(agent, agent.Run, attempt.Start.Request.Round ?? RunRequest.DefaultRound, opensRound: true);
        Advance(attempt, waitIsOver: false);
    }
}
