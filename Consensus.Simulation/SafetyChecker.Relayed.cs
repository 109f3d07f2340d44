using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>What a relay passes on.</summary>
public sealed partial class SafetyChecker
{
    private Violation? CheckRelayed(AgentRecord seen, Sender sender, Message message, RunDescriptor run)
    {
        if (message.Relayed is not { } relayed)
        {
            return null;
        }

        var history = HistoryOf(seen, run.Id);
        foreach (var copy in relayed.All)
        {
            var (round, proposed, vote) = copy is Vote one ? (one.Round, one.Proposed, one) : (((Proposal)copy).Round, ((Proposal)copy).Value, null);
            if (copy.Sender == sender.Id)
            {
                if (CheckMessage(seen, sender, copy, run) is { } violation)
                {
                    return violation;
                }
            }
            else if (!history.Messages.TryGetValue((round, copy.Sender!), out var sent) || sent.Proposal != proposed
                || (vote is not null && !(sent.Voted && sent.Vote == vote.Value)))
            {
                return new(PropertyNames.RelayedAsSent, run.Rule, run.Id, $"{sender.Id} relays a {EventFormatter.Of(copy with { Run = run })} of {copy.Sender}, which never sent it in run {run.Id}.");
            }
        }

        return null;
    }
}
