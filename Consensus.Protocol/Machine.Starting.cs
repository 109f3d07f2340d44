namespace Consensus.Protocol;

/// <summary>Starting a run: shake hands, name it, describe it, begin.</summary>
public partial class Machine
{
    /// <summary>Starts that may wait for the one in hand.</summary>
    public const int MaxWaitingStarts = 64;

    /// <summary>
    /// How long a start waits for more answers once a quorum has answered, in ms: in the handshake, and in the first round.
    /// The run's window has no part in it.
    /// </summary>
    public const int StartWaitMs = 200;

    private const int MaxStartOvers = 8;

    private Starting? _starting;
    private Queue<Start> _waitingStarts = new();

    private enum Stage
    {
        Handshake,
        BareReset,
        FirstRound,
    }

    private sealed class Starting(Start start, int peers)
    {
        public readonly Start Start = start;
        public readonly bool[] Returned = new bool[peers];
        public readonly bool[] Answered = new bool[peers];
        public readonly bool[] Original = new bool[peers];
        public Stage Stage;
        public bool TimerArmed;
        public int StartOvers;
        public RunDescriptor? Run;

        /// <summary>Begun without a handshake.</summary>
        public bool AtOnce;

        /// <summary>What this agent held before it announced the run.</summary>
        public Run? Before;
        public RunId FloorBefore;

        private Starting(Starting other)
            : this(other.Start, 0)
        {
            Returned = [.. other.Returned];
            Answered = [.. other.Answered];
            Original = [.. other.Original];
            (Stage, TimerArmed, StartOvers, Run) = (other.Stage, other.TimerArmed, other.StartOvers, other.Run);
            (AtOnce, Before, FloorBefore) = (other.AtOnce, other.Before?.Clone(), other.FloorBefore);
        }

        public Starting Clone() => new(this);

        public void Enter(Stage stage)
        {
            Stage = stage;
            TimerArmed = false;
            Array.Clear(Returned);
        }
    }

    private void OnStart(Start start)
    {
        if (_starting is null)
        {
            _starting = new Starting(start, _peers.Length);
            if (KnowsAllPeers())
            {
                StartAtOnce(_starting);
            }
            else
            {
                ShakeHands(_starting);
            }
        }
        else if (_waitingStarts.Count < MaxWaitingStarts)
        {
            _waitingStarts.Enqueue(start);
        }
        else
        {
            _effects.Add(new StartEnded(start.Ticket, new TooManyStarts()));
        }
    }

    private void EndStart(Starting starting, StartOutcome outcome)
    {
        _effects.Add(new StartEnded(starting.Start.Ticket, outcome));
        _effects.Add(new Disarm(Timer.Start));
        _starting = null;
        if (_waitingStarts.TryDequeue(out var next))
        {
            OnStart(next);
        }
    }

    private void EndInVain(Starting starting, StartOutcome outcome)
    {
        StepBack(starting);
        EndStart(starting, outcome);
    }

    private void ShakeHands(Starting starting)
    {
        starting.Enter(Stage.Handshake);
        Array.Clear(starting.Answered);
        Broadcast(new Handshake(), always: true);
        Advance(starting, windowOver: false);
    }

    private void OnStartAnswer(int peer, Message sent, Answer? answer)
    {
        var belongs = _starting is { } starting && (starting.Stage, sent) switch
        {
            (Stage.Handshake, Handshake) => true,
            (Stage.BareReset, Reset) => true,
            (Stage.FirstRound, NewRound newRound) => newRound.Run?.Id == starting.Run?.Id,
            _ => false,
        };
        if (!belongs)
        {
            return;
        }

        starting = _starting!;
        starting.Returned[peer] = true;
        if (starting.Stage == Stage.Handshake && answer is not null)
        {
            starting.Answered[peer] = true;
            starting.Original[peer] = answer.Boot is null;
        }
        else if (starting is { Stage: Stage.FirstRound, AtOnce: true })
        {
            NoteFirstAnswer(starting, peer, answer);
        }

        // Someone saw a newer run, or has left this one already: start over above it, unless a newer one has reached this
        // agent meanwhile. A peer that was reset, or was told of the run in this agent's name beforehand, has left it.
        if (starting.Stage == Stage.FirstRound && answer is { Reason: Reason.StaleRun } && _run?.Id == starting.Run?.Id
            && starting.Run is { } mine && _peers[peer].Floor >= mine.Id && starting.StartOvers++ < MaxStartOvers)
        {
            ShakeHandsAfterAll(starting);
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
    private void Advance(Starting starting, bool windowOver)
    {
        var returned = starting.Returned.AsSpan().Count(true);
        var answered = starting.Stage == Stage.Handshake || starting.AtOnce ? starting.Answered.AsSpan().Count(true) : returned;
        if (returned < _peers.Length && !windowOver)
        {
            if (answered + 1 >= Quorum && !starting.TimerArmed)
            {
                starting.TimerArmed = true;
                _effects.Add(new Arm(Timer.Start, StartWaitMs));
            }

            return;
        }

        switch (starting.Stage)
        {
            case Stage.Handshake:
                EndHandshake(starting);
                break;
            case Stage.BareReset:
                StartBare(starting);
                break;
            case Stage.FirstRound when WasTooEarly(starting):
                ShakeHandsAfterAll(starting);
                break;
            case Stage.FirstRound:
                EndStart(starting, new RunStarted(starting.Run, Missing(starting)));
                break;
        }
    }

    private List<string> Missing(Starting starting)
    {
        var missing = new List<string>();
        for (var i = 0; i < _peers.Length; i++)
        {
            if (!starting.Answered[i])
            {
                missing.Add(NameOf(i));
            }
        }

        return missing;
    }

    private string NameOf(int peer) => _peers[peer].Id ?? _peerNames[peer];

    /// <summary>Reading the floor, naming the run, raising the floor to it and joining are one atomic step.</summary>
    private void StartDescribed(Starting starting)
    {
        var highest = Math.Max(_floor.Number, _abandoned);
        var members = new Dictionary<string, string>(StringComparer.Ordinal) { [Id] = Boot };
        for (var i = 0; i < _peers.Length; i++)
        {
            // The last boot known of one that did not answer will do: whoever still has that boot remembers. One that counts
            // another number of agents cannot take part, and would only be waited for.
            if (_peers[i] is { Id: { } id, Boot: { } boot } peer)
            {
                highest = Math.Max(highest, peer.Floor.Number);
                if (!CountsOtherwise(peer.Agents))
                {
                    members.TryAdd(id, boot);
                }
            }
        }

        var request = starting.Start.Request;
        var run = new RunDescriptor(
            NameRun(highest + 1), _n, request.Round, request.Rule ?? Rule.Ratified, request.Values, request.Draw, request.WindowMs, members, request.Seed);
        // A start over leaves the run of the first try; whatever this agent joined since then is its own again.
        if (starting.Run is null || _run?.Id != starting.Run.Id)
        {
            (starting.Before, starting.FloorBefore) = (_run, _floor);
        }

        starting.Run = run;
        starting.Enter(Stage.FirstRound);
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
    protected virtual RunId NameRun(long number) => new(number, Id, Boot);

    /// <summary>Broken versions leave their own floor where it was.</summary>
    protected virtual RunId FloorAfterNaming(RunId before, RunId named) => named;

    private void ResetOurs(Starting starting)
    {
        starting.Enter(Stage.BareReset);
        starting.Run = null;
        for (var i = 0; i < _peers.Length; i++)
        {
            // The handshake has reset the original agents, and there is no use in asking the silent ones.
            starting.Returned[i] = starting.Original[i] || !starting.Answered[i];
            if (!starting.Returned[i])
            {
                _effects.Add(new Protocol.Send(i, new Reset()));
            }
        }

        Advance(starting, windowOver: false);
    }

    private void StartBare(Starting starting)
    {
        Clear();
        starting.Enter(Stage.FirstRound);
        _run = new Run(Id);
        EnterClassic(_run, starting.Start.Request.Round, opensIt: true);
        Advance(starting, windowOver: false);
    }
}
