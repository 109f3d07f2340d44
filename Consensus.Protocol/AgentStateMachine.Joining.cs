namespace Consensus.Protocol;

public partial class AgentStateMachine
{
    private Response ReceiveDescribed(Message message, RunDescriptor descriptor)
    {
        if (_run?.Descriptor is null || _run.Id != descriptor.Id)
        {
            if (descriptor.Id <= _floor)
            {
                if (message is Final old && AcceptsOldFinal && _run is { Decision: null })
                {
                    AcceptDecision(_run, old.Value, old.Round, old.AgentId);
                }

                return Introduce(ResponseStatus.Ignored) with { Reason = ResponseReason.StaleRun, Run = CurrentRunId, CurrentRound = _run?.Round ?? 0 };
            }

            Join(descriptor);
        }

        var run = _run!;
        var answer = message switch
        {
            NewRound newRound => OnNewRound(run, newRound),
            Proposal proposal => OnProposal(run, proposal.AgentId, proposal.Value, proposal.Round),
            Vote vote => OnVote(run, vote),
            Final final => OnFinal(run, final),
            _ => throw new ArgumentException($"No message of a run: {message.GetType().Name}.", nameof(message)),
        };

        return WithPiggybackedState(run, answer);
    }

    /// <summary>Broken versions let the decision of an old run decide this one.</summary>
    protected virtual bool AcceptsOldFinal => false;

    /// <summary>
    /// An agent that restarted has another boot than the run knows, and may have said things that it forgot: it learns.
    /// </summary>
    protected virtual bool TakesPart(RunDescriptor run) =>
        run.N == _n && run.Members.TryGetValue(Id, out var boot) && string.Equals(boot, Boot, StringComparison.Ordinal);

    private void Join(RunDescriptor descriptor)
    {
        _floor = descriptor.Id;
        _run = new RunState(descriptor, Id, TakesPart(descriptor) && !WasAbandoned(descriptor.Id));
        LeaveRun();
        _effects.Add(new SetTimer(Timer.Poll, MaxBackOffMs));
        QueryUnknownPeers();
        _effects.Add(new ProtocolEvent(_run.Learner ? ProtocolEventKind.JoinedAsLearner : ProtocolEventKind.Joined, _run.Id, _run.Round));
    }

    /// <summary>Every answer of a run says what its sender currently proposes, votes or has decided.</summary>
    private Response WithPiggybackedState(RunState run, Response answer)
    {
        answer = answer with { AgentId = Id, Run = run.Id };
        if (run.Decision is not null)
        {
            return answer with { Decision = run.Decision };
        }

        if (run.Learner)
        {
            var reason = answer.Reason ?? (run.Descriptor!.N == _n ? null : ResponseReason.ClusterSize);
            return answer with { Learner = true, Boot = Boot, Agents = _n, Reason = reason };
        }

        return run.Phase switch
        {
            Phase.Voting => answer with { Vote = MyVote(run, null) },
            Phase.Proposing => answer with { Proposal = MyProposal(run, null) },
            _ => answer,
        };
    }

    private Proposal MyProposal(RunState run, RunDescriptor? descriptor) => new(Id, run.MyProposal, run.Round, descriptor);

    private Vote MyVote(RunState run, RunDescriptor? descriptor) =>
        new(Id, run.Votes[run.Me] == RunState.VoteForNone ? null : run.Votes[run.Me], run.MyProposal, run.Round, descriptor);

    private Response OnNewRound(RunState run, NewRound message)
    {
        if (run.Decision is not null)
        {
            return new Response(ResponseStatus.Ignored) { Reason = ResponseReason.AlreadyDecided };
        }

        if (run.Learner)
        {
            return new Response(ResponseStatus.Ok);
        }

        if (message.Round is < 1 or > MaxRound)
        {
            return Ignored(run, ResponseReason.OutOfRange, ResponseStatus.Refused);
        }

        if (run.Rule == Rule.Classic)
        {
            return OnClassicNewRound(run, message);
        }

        var before = run.Phase;
        if (before == Phase.Waiting && message.Round == run.Descriptor!.StartRound)
        {
            EnterByDraw(run, message.Round);
        }

        if (message is { AgentId: { } sender, Value: { } value })
        {
            OnProposal(run, sender, value, message.Round);
        }

        if (before == Phase.Waiting && run.Phase != Phase.Waiting)
        {
            return new Response(ResponseStatus.Started) { Round = message.Round };
        }

        return message.Round < run.Round ? Ignored(run, ResponseReason.StaleRound)
            : message.Round == run.Round && run.Phase != Phase.Waiting
                ? new Response(ResponseStatus.AlreadyStarted) { Round = message.Round }
                : Ignored(run, ResponseReason.RoundMismatch);
    }

    private Response OnFinal(RunState run, Final message)
    {
        if (message.AgentId is { } sender && PeerIndex(sender) is >= 0 and var peer)
        {
            _peers[peer].DecisionAcknowledged = true;
        }

        if (message.Value < 1 || message.Value > run.Values || message.Round < 1)
        {
            return Ignored(run, ResponseReason.OutOfRange, ResponseStatus.Refused);
        }

        if (run.Decision is null)
        {
            AcceptDecision(run, message.Value, message.Round, message.AgentId);
            return new Response(ResponseStatus.Ack);
        }

        if (run.Decision.Value != message.Value)
        {
            _effects.Add(new ProtocolEvent(ProtocolEventKind.AgreementViolated, run.Id, message.Round, message.Value, run.Attempts, message.AgentId));
            return Ignored(run, ResponseReason.Disagreement, ResponseStatus.Refused);
        }

        return new Response(ResponseStatus.Ack);
    }

    private static Response Ignored(RunState? run, string reason, string status = ResponseStatus.Ignored) =>
        new(status) { Reason = reason, CurrentRound = run?.Round ?? 0 };
}
