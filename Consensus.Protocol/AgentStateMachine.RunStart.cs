namespace Consensus.Protocol;

/// <summary>Starting a run: shake hands, name it, describe it, begin.</summary>
public partial class AgentStateMachine
{
    /// <summary>Starts that may wait for the one in hand.</summary>
    public const int MaxQueuedStarts = 64;

    /// <summary>
    /// How long a start waits for more answers once a quorum has answered, in ms: in the handshake, and in the first round.
    /// The run's window has no part in it.
    /// </summary>
    public const int StartWaitMs = 200;

    private const int MaxStartOvers = 8;

    private RunStart? _starting;
    private Queue<StartRun> _queuedStarts = new();

    private enum RunStartStage
    {
        Handshake,
        BareReset,
        FirstRound,
    }

    private sealed class RunStart(StartRun start, int peers)
    {
        public readonly StartRun Start = start;
        public readonly bool[] Completed = new bool[peers];
        public readonly bool[] Responded = new bool[peers];
        public readonly bool[] Legacy = new bool[peers];
        public RunStartStage Stage;
        public bool TimerArmed;
        public int Restarts;
        public RunDescriptor? Run;

        /// <summary>Begun without a handshake.</summary>
        public bool WithoutHandshake;

        /// <summary>What this agent held before it announced the run.</summary>
        public RunState? PreviousRun;
        public RunId PreviousFloor;

        private RunStart(RunStart other)
            : this(other.Start, 0)
        {
            Completed = [.. other.Completed];
            Responded = [.. other.Responded];
            Legacy = [.. other.Legacy];
            (Stage, TimerArmed, Restarts, Run) = (other.Stage, other.TimerArmed, other.Restarts, other.Run);
            (WithoutHandshake, PreviousRun, PreviousFloor) = (other.WithoutHandshake, other.PreviousRun?.Clone(), other.PreviousFloor);
        }

        public RunStart Clone() => new(this);

        public void Enter(RunStartStage stage)
        {
            Stage = stage;
            TimerArmed = false;
            Array.Clear(Completed);
        }
    }

    private void OnStart(StartRun start)
    {
        if (_starting is null)
        {
            _starting = new RunStart(start, _peers.Length);
            if (CanSkipHandshake())
            {
                StartWithoutHandshake(_starting);
            }
            else
            {
                BeginHandshake(_starting);
            }
        }
        else if (_queuedStarts.Count < MaxQueuedStarts)
        {
            _queuedStarts.Enqueue(start);
        }
        else
        {
            _effects.Add(new StartEnded(start.Ticket, new StartQueueFull()));
        }
    }

    private void EndStart(RunStart starting, StartOutcome outcome)
    {
        _effects.Add(new StartEnded(starting.Start.Ticket, outcome));
        _effects.Add(new CancelTimer(Timer.Start));
        _starting = null;
        if (_queuedStarts.TryDequeue(out var next))
        {
            OnStart(next);
        }
    }

    private void EndWithoutRun(RunStart starting, StartOutcome outcome)
    {
        RollBack(starting);
        EndStart(starting, outcome);
    }

    private void BeginHandshake(RunStart starting)
    {
        starting.Enter(RunStartStage.Handshake);
        Array.Clear(starting.Responded);
        Broadcast(new Handshake(), always: true);
        Advance(starting, windowOver: false);
    }

    private void OnStartResponse(int peer, Message sent, Response? answer)
    {
        var belongs = _starting is { } starting && (starting.Stage, sent) switch
        {
            (RunStartStage.Handshake, Handshake) => true,
            (RunStartStage.BareReset, Reset) => true,
            (RunStartStage.FirstRound, NewRound newRound) => newRound.Run?.Id == starting.Run?.Id,
            _ => false,
        };
        if (!belongs)
        {
            return;
        }

        starting = _starting!;
        starting.Completed[peer] = true;
        if (starting.Stage == RunStartStage.Handshake && answer is not null)
        {
            starting.Responded[peer] = true;
            starting.Legacy[peer] = answer.Boot is null;
        }
        else if (starting is { Stage: RunStartStage.FirstRound, WithoutHandshake: true })
        {
            RecordFirstResponse(starting, peer, answer);
        }

        // Someone saw a newer run, or has left this one already: start over above it, unless a newer one has reached this
        // agent meanwhile. A peer that was reset, or was told of the run in this agent's name beforehand, has left it.
        if (starting.Stage == RunStartStage.FirstRound && answer is { Reason: ResponseReason.StaleRun } && _run?.Id == starting.Run?.Id
            && starting.Run is { } mine && _peers[peer].Floor >= mine.Id && starting.Restarts++ < MaxStartOvers)
        {
            FallBackToHandshake(starting);
            return;
        }

        Advance(starting, windowOver: false);
    }

    private void OnStartTimer()
    {
        if (_starting is { TimerArmed: true } starting)
        {
            Advance(starting, windowOver: true);
        }
    }

    /// <summary>Goes on when all calls of the stage returned, or a quorum did and the window is over.</summary>
    private void Advance(RunStart starting, bool windowOver)
    {
        var returned = starting.Completed.AsSpan().Count(true);
        var answered = starting.Stage == RunStartStage.Handshake || starting.WithoutHandshake ? starting.Responded.AsSpan().Count(true) : returned;
        if (returned < _peers.Length && !windowOver)
        {
            if (answered + 1 >= Quorum && !starting.TimerArmed)
            {
                starting.TimerArmed = true;
                _effects.Add(new SetTimer(Timer.Start, StartWaitMs));
            }

            return;
        }

        switch (starting.Stage)
        {
            case RunStartStage.Handshake:
                EndHandshake(starting);
                break;
            case RunStartStage.BareReset:
                StartBareRun(starting);
                break;
            case RunStartStage.FirstRound when NeedsHandshake(starting):
                FallBackToHandshake(starting);
                break;
            case RunStartStage.FirstRound:
                EndStart(starting, new RunStarted(starting.Run, Missing(starting)));
                break;
        }
    }

    private List<string> Missing(RunStart starting)
    {
        var missing = new List<string>();
        for (var i = 0; i < _peers.Length; i++)
        {
            if (!starting.Responded[i])
            {
                missing.Add(NameOf(i));
            }
        }

        return missing;
    }

    private string NameOf(int peer) => _peers[peer].Id ?? _peerNames[peer];

    /// <summary>Reading the floor, naming the run, raising the floor to it and joining are one atomic step.</summary>
    private void StartDescribedRun(RunStart starting)
    {
        var highest = Math.Max(_floor.Number, _abandonedNumber);
        var members = new Dictionary<string, string>(StringComparer.Ordinal) { [Id] = Boot };
        for (var i = 0; i < _peers.Length; i++)
        {
            // The last boot known of one that did not answer will do: whoever still has that boot remembers. One that counts
            // another number of agents cannot take part, and would only be waited for.
            if (_peers[i] is { Id: { } id, Boot: { } boot } peer)
            {
                highest = Math.Max(highest, peer.Floor.Number);
                if (!HasOtherClusterSize(peer.ClusterSize))
                {
                    members.TryAdd(id, boot);
                }
            }
        }

        var request = starting.Start.Request;
        var run = new RunDescriptor(
            CreateRunId(highest + 1), _n, request.Round, request.Rule ?? Rule.Ratified, request.Values, request.Draw, request.WindowMs, members, request.Seed);
        // A start over leaves the run of the first try; whatever this agent joined since then is its own again.
        if (starting.Run is null || _run?.Id != starting.Run.Id)
        {
            (starting.PreviousRun, starting.PreviousFloor) = (_run, _floor);
        }

        starting.Run = run;
        starting.Enter(RunStartStage.FirstRound);
        var before = _floor;
        Join(run);
        _floor = FloorAfterNaming(before, run.Id);
        if (run.Rule == Rule.Classic)
        {
            EnterClassic(_run!, run.StartRound, opensIt: true);
        }
        else
        {
            // The proposal rides in the first message.
            EnterByDraw(_run!, run.StartRound);
            _run!.ProposalUnsent = false;
            Broadcast(new NewRound(run.StartRound, run, Id, _run.MyProposal), always: true);
        }

        Advance(starting, windowOver: false);
    }

    /// <summary>Broken versions leave the boot out.</summary>
    protected virtual RunId CreateRunId(long number) => new(number, Id, Boot);

    /// <summary>Broken versions leave their own floor where it was.</summary>
    protected virtual RunId FloorAfterNaming(RunId before, RunId named) => named;

    private void ResetDescribedPeers(RunStart starting)
    {
        starting.Enter(RunStartStage.BareReset);
        starting.Run = null;
        for (var i = 0; i < _peers.Length; i++)
        {
            // The handshake has reset the original agents, and there is no use in asking the silent ones.
            starting.Completed[i] = starting.Legacy[i] || !starting.Responded[i];
            if (!starting.Completed[i])
            {
                _effects.Add(new Protocol.Send(i, new Reset()));
            }
        }

        Advance(starting, windowOver: false);
    }

    private void StartBareRun(RunStart starting)
    {
        Clear();
        starting.Enter(RunStartStage.FirstRound);
        _run = new RunState(Id);
        EnterClassic(_run, starting.Start.Request.Round, opensIt: true);
        Advance(starting, windowOver: false);
    }
}
