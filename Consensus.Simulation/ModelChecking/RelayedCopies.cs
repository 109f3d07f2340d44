using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// What a relay passes on in one step. Every sent message may reach every agent at any time, so a true copy adds nothing to
/// them. A copy is true where the relay knows that message, before the step, by the step's input or after it.
/// </summary>
/// <param name="Before">The relay before the step.</param>
/// <param name="Input">The step's input.</param>
/// <param name="After">The relay after the step.</param>
internal sealed record RelayedCopies(AgentStateMachine Before, Input Input, AgentStateMachine After)
{
    /// <summary>The relayed messages that count as new: the relay's own, and those that their authors did not send to it.</summary>
    public IEnumerable<Message> FindAdded(Message message)
    {
        if (message.Relayed is not { } relayed)
        {
            return [];
        }

        var (before, after) = (Before.Snapshot(), After.Snapshot());

        // The step that ended a round sent copies of its votes already. Later ones repeat them.
        return (relayed.Votes ?? []).Where(vote => vote.Round >= before.Round)
            .Where(vote => vote.AgentId == After.Id || !(Knows(before, vote) || Knows(after, vote) || IsInput(vote)))
            .Concat<Message>(
                (relayed.Proposals ?? []).Where(proposal => !(Knows(before, proposal) || Knows(after, proposal) || IsInput(proposal))));
    }

    private static bool Knows(AgentSnapshot snapshot, Vote vote) =>
        snapshot.Round == vote.Round && snapshot.Votes.TryGetValue(vote.AgentId, out var value) && value == vote.Value
        && snapshot.Proposals[vote.AgentId] == vote.Proposed;

    private static bool Knows(AgentSnapshot snapshot, Proposal proposal) =>
        snapshot.Round == proposal.Round && snapshot.Proposals.TryGetValue(proposal.AgentId, out var value) && value == proposal.Value;

    private bool IsInput(Message copy) =>
        Input is MessageReceived { Message: var received } && received with { Run = null, Relayed = null } == copy;
}
