using Consensus.Protocol;

namespace Consensus.Tests.Protocol;

/// <summary>
/// An agent of the original demo as its peers see it: bare answers of the contract, without boot, floor or run. It says
/// nothing of its own accord; a transcript speaks for it.
/// </summary>
internal sealed class OriginalAgent(string id)
{
    private int _round;
    private int? _decided;

    public Answer Receive(Message message)
    {
        switch (message)
        {
            case Handshake or Reset:
                (_round, _decided) = (0, null);
                return new Answer(Status.Reset);
            case NewRound when _decided is not null:
                return new Answer(Status.Ignored) { Reason = Reason.AlreadyDecided };
            case NewRound newRound when newRound.Round < _round:
                return new Answer(Status.Ignored) { Reason = Reason.StaleRound, CurrentRound = _round };
            case NewRound newRound when newRound.Round == _round:
                return new Answer(Status.AlreadyStarted) { Round = _round };
            case NewRound newRound:
                _round = newRound.Round;
                return new Answer(Status.Started) { Round = _round };
            case Proposal proposal:
                return proposal.Round == _round
                    ? new Answer(Status.Ok)
                    : new Answer(Status.Ignored) { Reason = Reason.RoundMismatch, CurrentRound = _round };
            case Final final:
                _decided ??= final.Value;
                return new Answer(Status.Ack);
            case StateQuery:
                return new Answer(Status.Ok) { AgentId = id };
            default:
                throw new InvalidOperationException($"An original agent was sent a {message.GetType().Name}.");
        }
    }

    public string Describe() => _decided is { } value ? $"an original agent, round {_round}, told {value}" : $"an original agent, round {_round}";
}
