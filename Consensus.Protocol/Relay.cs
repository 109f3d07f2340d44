namespace Consensus.Protocol;

/// <summary>
/// Relayed messages (<see cref="Spread.Relay"/>). The others send to the initiator, which passes on what it received with its
/// own proposal or vote. A copy counts as the message itself, which may arrive late, twice or never: so the rule stays as it
/// is. Nothing waits for the relay: after a hold (<see cref="ProtocolTiming.HoldMs"/>) agents send straight to each other.
/// </summary>
internal static class Relay
{
    /// <summary>The peer that relays to this agent; -1 where none does, or none can, so that every agent sends to every agent.</summary>
    public static int PeerOf(AgentContext agent, RunState run)
    {
        if (run.Relay < 0 || run.IsRelay || run.Absences[run.Relay] != Absence.None)
        {
            return -1;
        }

        var peer = agent.Peers.IndexOf(run.Members[run.Relay]);
        return peer >= 0 && agent.Peers[peer].Unreachable ? -1 : peer;
    }

    /// <summary>What the relay passes on with its own proposal or vote; null for nothing.</summary>
    public static RelayedMessages? MessagesOf(AgentContext agent, RunState run)
    {
        if (!run.IsRelay)
        {
            return null;
        }

        List<Vote> votes = [.. run.EndedVotes.Select(vote => vote.AgentId == agent.Id ? vote : agent.Rules.Relay(vote))];
        List<Proposal> proposals = [];
        for (var i = 0; i < run.Members.Length; i++)
        {
            if (i == run.Me)
            {
                continue;
            }

            if (run.Votes[i] != RunState.NoVote)
            {
                votes.Add(agent.Rules.Relay(run.VoteOf(i)));
            }
            else if (run.Proposals[i] != 0)
            {
                proposals.Add(new Proposal(run.Members[i], run.Proposals[i], run.Round));
            }
        }

        return votes.Count + proposals.Count == 0 ? null
            : new RelayedMessages(votes.Count == 0 ? null : votes, proposals.Count == 0 ? null : proposals);
    }

    /// <summary>
    /// Handles what the relay passes on, before its own proposal or vote: the votes that ended its last round first, so that
    /// the receiver ends that round too and draws for itself.
    /// </summary>
    public static void Receive(AgentContext agent, RunState run, Message message)
    {
        if (run.Relay < 0 || run.IsRelay || message.Sender != run.Id.Initiator
            || message.Content is not { Kind: MessageKind.Proposal or MessageKind.Vote, Round: var round })
        {
            return;
        }

        var votes = message.Relayed?.Votes ?? [];
        foreach (var vote in votes)
        {
            if (vote.Round < round)
            {
                DescribedRun.OnVote(agent, run, vote);
            }
        }

        EndRoundsBefore(agent, run, round);
        foreach (var vote in votes)
        {
            if (vote.Round >= round)
            {
                DescribedRun.OnVote(agent, run, vote);
            }
        }

        foreach (var proposal in message.Relayed?.Proposals ?? [])
        {
            DescribedRun.OnProposal(agent, run, proposal.AgentId, proposal.Value, proposal.Round);
        }
    }

    /// <summary>The relay has left these rounds. Its wait for stragglers is over, so its followers need not wait longer.</summary>
    private static void EndRoundsBefore(AgentContext agent, RunState run, int round)
    {
        var before = (0, Phase.Waiting);
        while (run.Entered && run.Round < round && before != (run.Round, run.Phase))
        {
            before = (run.Round, run.Phase);
            run.WindowElapsed = true;
            DecisionRule.Of(run).Progress(agent, run);
        }
    }
}
