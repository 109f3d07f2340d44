namespace Consensus.Protocol;

/// <summary>
/// The classic rule, the original's: a majority of equal proposals decides, and when the window closes undecided the
/// next round is opened everywhere. Bare messages follow it in the anonymous run.
/// </summary>
public partial class AgentStateMachine
{
    private Response ReceiveBare(Message message)
    {
        if (_run?.Descriptor is not null || message is Vote)
        {
            return Ignored(_run, ResponseReason.RoundMismatch);
        }

        var run = _run ??= new RunState(Id);
        switch (message)
        {
            case NewRound newRound:
                return run.Decision is not null
                    ? new Response(ResponseStatus.Ignored) { Reason = ResponseReason.AlreadyDecided }
                    : OnClassicNewRound(run, newRound);
            case Proposal proposal:
                var sender = run.IndexOf(proposal.AgentId);
                if (sender == run.Me)
                {
                    return Ignored(run, ResponseReason.NotAMember);
                }

                if (sender < 0 && (sender = run.AddMember(proposal.AgentId, _n)) < 0)
                {
                    return Ignored(run, ResponseReason.NotAMember, ResponseStatus.Refused);
                }

                return OnClassicProposal(run, sender, proposal.AgentId, proposal.Value, proposal.Round);
            case Final final:
                if (run.Decision is null)
                {
                    run.Round = Math.Max(run.Round, final.Round);
                    AcceptDecision(run, final.Value, final.Round, final.AgentId);
                }

                return new Response(ResponseStatus.Ack);
            default:
                throw new ArgumentException($"No bare message: {message.GetType().Name}.", nameof(message));
        }
    }

    private Response OnClassicNewRound(RunState run, NewRound message)
    {
        if (run.Entered && message.Round == run.Round)
        {
            RecordPiggybackedProposal(run, message);
            return new Response(ResponseStatus.AlreadyStarted) { Round = message.Round };
        }

        if (message.Round < run.Round)
        {
            return Ignored(run, ResponseReason.StaleRound);
        }

        EnterClassic(run, message.Round, opensIt: false);
        RecordPiggybackedProposal(run, message);
        return new Response(ResponseStatus.Started) { Round = message.Round };
    }

    private void RecordPiggybackedProposal(RunState run, NewRound message)
    {
        // In a bare message, which the original never sent with one, it is nothing but more fields.
        if (message is { AgentId: { } sender, Value: { } value } && run is { Decision: null, Descriptor: not null })
        {
            OnProposal(run, sender, value, message.Round);
        }
    }

    private Response OnClassicProposal(RunState run, int sender, string agentId, int value, int round)
    {
        if (run.Phase == Phase.Waiting && run.Descriptor is not null && round == run.Descriptor.StartRound)
        {
            EnterClassic(run, round, opensIt: false);
        }

        if (round != run.Round || run.Phase == Phase.Waiting)
        {
            return Ignored(run, ResponseReason.RoundMismatch);
        }

        // The original keeps the last word of an agent; a described run keeps the first.
        if (run.Descriptor is null)
        {
            run.Proposals[sender] = value;
        }
        else if (!TryRecord(run.Proposals, sender, value))
        {
            return RefuseEquivocation(run, agentId, round, value);
        }

        if (run.Decision is null)
        {
            ProgressClassic(run);
        }

        return new Response(ResponseStatus.Ok);
    }

    private void EnterClassic(RunState run, int round, bool opensIt)
    {
        // An original agent that has not entered the round ignores its proposals, so whoever opens a bare round
        // proposes to each peer once that peer has answered (OnAnswer).
        var value = ValueDraw.Next(run, _n, Id, round, _random);
        run.Attempts++;
        run.BeginRound(round);
        run.Proposals[run.Me] = value;
        run.ProposalUnsent = !opensIt;
        _effects.Add(new ProtocolEvent(ProtocolEventKind.Drew, run.Id, round, value, run.Attempts));
        if (opensIt)
        {
            Broadcast(run.Descriptor is null ? new NewRound(round) : new NewRound(round, run.Descriptor, Id, value), always: true);
        }

        run.WindowArmed = true;
        _effects.Add(new SetTimer(Timer.Window, run.Attempts <= UnpacedClassicRounds ? run.WindowMs : Math.Max(run.WindowMs, MinClassicWindowMs)));
        ProgressClassic(run);
    }

    private void ProgressClassic(RunState run)
    {
        var (value, count) = run.MostProposed();
        if (count >= Quorum)
        {
            _effects.Add(new ProtocolEvent(ProtocolEventKind.Decided, run.Id, run.Round, value, run.Attempts));
            run.SendsFinalAtOnce = true;
            SetDecision(run, value, run.Round);
        }
        else if (run.WindowElapsed && run.Round < MaxRound)
        {
            EnterClassic(run, run.Round + 1, opensIt: true);
        }
    }

    /// <summary>Whoever opened a bare round proposes in it to a peer once that peer has entered it too.</summary>
    private void ProposeAfterNewRound(int peer, NewRound sent)
    {
        if (_run is { Descriptor: null, Entered: true } run && run.Round == sent.Round)
        {
            _effects.Add(new Protocol.Send(peer, MyProposal(run, null)));
        }
    }
}
