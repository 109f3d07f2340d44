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
            var content = copy.Content;
            if (copy.Sender == sender.Id)
            {
                if (CheckMessage(seen, sender, copy, run) is { } violation)
                {
                    return violation;
                }
            }
            else if (!history.Messages.TryGetValue((content.Round, copy.Sender!), out var sent) || sent.Proposal != content.Proposal
                || (copy is Vote vote && !(sent.Voted && sent.Vote == vote.Value)))
            {
                return new(PropertyNames.RelayedAsSent, run.Rule, run.Id,
                    $"{sender.Id} relays a {EventFormatter.Of(copy with { Run = run })} of {copy.Sender}, "
                    + $"which never sent it in run {run.Id}.");
            }
        }

        return null;
    }
}
