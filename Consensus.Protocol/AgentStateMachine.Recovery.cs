namespace Consensus.Protocol;

/// <summary>Restarts: what a process keeps for the next one, and how that goes on.</summary>
public partial class AgentStateMachine
{
    /// <summary>
    /// What the next process of this agent must be given (<see cref="Restored"/>) to know what this one announced. Whoever
    /// keeps it must have kept it before any effect of the step that changed it is seen. Proposals and votes are not
    /// among it: a process that cannot repeat them takes no part, which is safe and costs the others one voice.
    /// </summary>
    public Restored ToPersist() => new(_floor, CurrentRun, CurrentDecision, _run?.Attempts ?? 0);

    private void Restore(Restored kept)
    {
        if (_run is not null || !_floor.IsNone || _starting is not null)
        {
            throw new InvalidOperationException("Restored is the first input or none.");
        }

        _floor = kept.Run is { } current && current.Id > kept.Floor ? current.Id : kept.Floor.IsNone ? RunId.None : kept.Floor;
        if (kept.Run is null && kept.Decision is null)
        {
            return;
        }

        _run = kept.Run is { } run ? new RunState(run, Id, TakesPart(run)) : new RunState(Id);
        _run.Attempts = kept.Attempts;
        if (DecisionAfterRestart(kept.Decision) is { } decision)
        {
            (_run.Decision, _run.Round, _run.Phase, _run.SendsFinalAtOnce) = (decision, decision.Round, Phase.Decided, true);
        }
    }

    /// <summary>Broken versions forget it.</summary>
    protected virtual Decision? DecisionAfterRestart(Decision? kept) => kept;

    /// <summary>Broken versions keep a run to themselves.</summary>
    protected virtual bool LearnersIntroduceRuns => true;

    /// <summary>Whoever was decided may have been the only one, and died before it told anyone.</summary>
    private void Resume()
    {
        if (_run is not { } run)
        {
            return;
        }

        _effects.Add(new ProtocolEvent(ProtocolEventKind.Restored, run.Id, run.Decision?.Round ?? 0, run.Decision?.Value ?? 0, run.Attempts));
        if (run is { Decision: not null, Descriptor: not null })
        {
            _disseminationMs = FirstBackOffMs(run);
            SendFinals(run, repeated: false);
        }
    }

    /// <summary>
    /// A learner says nothing that counts, yet it may be the only one left that knows of the run, such as an initiator
    /// that restarted before its first call got through: so it introduces the run to peers that never saw it.
    /// </summary>
    private void IntroduceRunToPeers()
    {
        if (!LearnersIntroduceRuns || _run is not { Learner: true, Decision: null, Descriptor: { } run })
        {
            return;
        }

        var message = new NewRound(run.StartRound, run);
        for (var i = 0; i < _peers.Length; i++)
        {
            if (_peers[i].Floor < run.Id)
            {
                _effects.Add(new Protocol.Send(i, message));
            }
        }
    }
}
