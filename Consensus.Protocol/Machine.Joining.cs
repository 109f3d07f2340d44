namespace Consensus.Protocol;

public partial class Machine
{
    private Answer ReceiveDescribed(Message message, RunDescriptor descriptor)
    {
        if (_run?.Descriptor is null || _run.Id != descriptor.Id)
        {
            if (descriptor.Id <= _floor)
            {
                if (message is Final old && AcceptsOldFinal && _run is { Decision: null })
                {
                    Learn(_run, old.Value, old.Round, old.AgentId);
                }

                return Introduce(Status.Ignored) with { Reason = Reason.StaleRun, Run = CurrentRunId, CurrentRound = _run?.Round ?? 0 };
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

        return WithStanding(run, answer);
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
        _run = new Run(descriptor, Id, TakesPart(descriptor) && !Abandoned(descriptor.Id));
        Leave();
        _effects.Add(new Arm(Timer.Poll, MaxPauseMs));
        AskStrangers();
        _effects.Add(new Happened(_run.Learner ? Happening.JoinedAsLearner : Happening.Joined, _run.Id, _run.Round));
    }

    /// <summary>Every answer of a run says what its sender currently proposes, votes or has decided.</summary>
    private Answer WithStanding(Run run, Answer answer)
    {
        answer = answer with { AgentId = Id, Run = run.Id };
        if (run.Decision is not null)
        {
            return answer with { Decision = run.Decision };
        }

        if (run.Learner)
        {
            var reason = answer.Reason ?? (run.Descriptor!.N == _n ? null : Reason.ClusterSize);
            return answer with { Learner = true, Boot = Boot, Agents = _n, Reason = reason };
        }

        return run.Phase switch
        {
            Phase.Voting => answer with { Vote = MyVote(run, null) },
            Phase.Proposing => answer with { Proposal = MyProposal(run, null) },
            _ => answer,
        };
    }

    private Proposal MyProposal(Run run, RunDescriptor? descriptor) => new(Id, run.MyProposal, run.Round, descriptor);

    private Vote MyVote(Run run, RunDescriptor? descriptor) =>
        new(Id, run.Votes[run.Me] == Run.VoteForNone ? null : run.Votes[run.Me], run.MyProposal, run.Round, descriptor);

    private Answer OnNewRound(Run run, NewRound message)
    {
        if (run.Decision is not null)
        {
            return new Answer(Status.Ignored) { Reason = Reason.AlreadyDecided };
        }

        if (run.Learner)
        {
            return new Answer(Status.Ok);
        }

        if (message.Round is < 1 or > MaxRound)
        {
            return Ignored(run, Reason.OutOfRange, Status.Refused);
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
            return new Answer(Status.Started) { Round = message.Round };
        }

        return message.Round < run.Round ? Ignored(run, Reason.StaleRound)
            : message.Round == run.Round && run.Phase != Phase.Waiting
                ? new Answer(Status.AlreadyStarted) { Round = message.Round }
                : Ignored(run, Reason.RoundMismatch);
    }

    private Answer OnFinal(Run run, Final message)
    {
        if (message.AgentId is { } sender && PeerIndex(sender) is >= 0 and var peer)
        {
            _peers[peer].KnowsDecision = true;
        }

        if (message.Value < 1 || message.Value > run.Values || message.Round < 1)
        {
            return Ignored(run, Reason.OutOfRange, Status.Refused);
        }

        if (run.Decision is null)
        {
            Learn(run, message.Value, message.Round, message.AgentId);
            return new Answer(Status.Ack);
        }

        if (run.Decision.Value != message.Value)
        {
            _effects.Add(new Happened(Happening.Disagreed, run.Id, message.Round, message.Value, run.Attempts, message.AgentId));
            return Ignored(run, Reason.Disagreement, Status.Refused);
        }

        return new Answer(Status.Ack);
    }

    private static Answer Ignored(Run? run, string reason, string status = Status.Ignored) =>
        new(status) { Reason = reason, CurrentRound = run?.Round ?? 0 };
}
