using Consensus.Protocol;

namespace Consensus.Tests.Protocol;

/// <summary>
/// An agent of the original demo as its peers see it. Its bare responses follow the contract, without boot, floor or run. It
/// sends no message by itself. A transcript sends its messages.
/// </summary>
internal sealed class OriginalAgent(string id)
{
    private int _round;
    private int? _decided;

    public Response Receive(Message message)
    {
        switch (message)
        {
            case Handshake or Reset:
                (_round, _decided) = (0, null);
                return new Response(ResponseStatus.Reset);
            case NewRound when _decided is not null:
                return new Response(ResponseStatus.Ignored) { Reason = ResponseReason.AlreadyDecided };
            case NewRound newRound when newRound.Round < _round:
                return new Response(ResponseStatus.Ignored) { Reason = ResponseReason.StaleRound, CurrentRound = _round };
            case NewRound newRound when newRound.Round == _round:
                return new Response(ResponseStatus.AlreadyStarted) { Round = _round };
            case NewRound newRound:
                _round = newRound.Round;
                return new Response(ResponseStatus.Started) { Round = _round };
            case Proposal proposal:
                return proposal.Round == _round
                    ? new Response(ResponseStatus.Ok)
                    : new Response(ResponseStatus.Ignored) { Reason = ResponseReason.RoundMismatch, CurrentRound = _round };
            case Final final:
                _decided ??= final.Value;
                return new Response(ResponseStatus.Ack);
            case StateQuery:
                return new Response(ResponseStatus.Ok) { AgentId = id };
            default:
                throw new InvalidOperationException($"An original agent was sent a {message.GetType().Name}.");
        }
    }

    public string Describe() =>
        _decided is { } value ? $"an original agent, round {_round}, told {value}" : $"an original agent, round {_round}";
}
