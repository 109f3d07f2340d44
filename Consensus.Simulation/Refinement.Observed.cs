using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>Agents that are observed from outside: only what they send is known, and a message is known before it arrives.</summary>
public sealed partial class Refinement
{
    /// <summary>
    /// Checks that the model has a step after which an agent may send this. What it has sent before is not checked again.
    /// </summary>
    /// <param name="agentId">The sender.</param>
    /// <param name="message">The message, or what a response repeats.</param>
    /// <param name="run">The run that it belongs to.</param>
    /// <returns>A violation where there is none, or null.</returns>
    public Violation? ObserveMessage(string agentId, Message message, RunDescriptor run)
    {
        if (FindObserved(run, message) is not { } sent || !run.Members.ContainsKey(agentId)
            || message.Content is not { Proposal: not 0 } content)
        {
            return null;
        }

        var seen = new ObservedBy(sent, agentId);
        if (sent.ProposalOf(agentId, content.Round) == 0)
        {
            if (content.Round > run.StartRound && !seen.Allows(ModelStep.CatchUp, content.Round, content.Proposal)
                && !seen.Allows(ModelStep.Adopt, content.Round, content.Proposal)
                && !seen.Allows(ModelStep.Draw, content.Round, content.Proposal))
            {
                return Refused(agentId, run, message, "it neither caught up nor had a quorum of votes that allows it");
            }

            sent.Take(ModelStep.Propose, agentId, content.Round, content.Proposal, default);
        }

        if (message is Vote && !sent.HasVoteOf(agentId, content.Round))
        {
            var step = content.Value == ModelGuards.None ? ModelStep.VoteNone : ModelStep.VoteFor;
            if (!seen.Allows(step, content.Round, content.Value))
            {
                return Refused(agentId, run, message, "no quorum of proposals allows it");
            }

            sent.Take(step, agentId, content.Round, content.Value, default);
        }

        return null;
    }

    /// <summary>Checks that a quorum of votes, or another agent's decision, allows a decision that an agent announced.</summary>
    /// <param name="agentId">The agent.</param>
    /// <param name="decision">What it announced.</param>
    /// <param name="run">The run.</param>
    /// <returns>A violation where nothing does, or null.</returns>
    public Violation? ObserveDecision(string agentId, Decision decision, RunDescriptor run)
    {
        if (FindObserved(run, null) is not { } sent)
        {
            return null;
        }

        var seen = new ObservedBy(sent, agentId);
        if (!seen.Allows(ModelStep.Learn, decision.Round, decision.Value) && !seen.Allows(ModelStep.Decide, decision.Round, decision.Value))
        {
            return Refused(
                agentId, run, new Final(decision.Value, decision.Round), "no quorum of votes allows it, and nobody has decided it");
        }

        sent.Take(ModelStep.Learn, agentId, decision.Round, decision.Value, default);
        return null;
    }

    // A run is observed whole where the first message of it is the one that opens it. Else it began before.
    private SentInRun? FindObserved(RunDescriptor run, Message? message)
    {
        if (run.Rule != Rule.Ratified || _partial.Contains(run.Id))
        {
            return null;
        }

        if (_runs.TryGetValue(run.Id, out var sent))
        {
            return sent;
        }

        if (message is NewRound { Value: not null } opens && opens.AgentId == run.Id.Initiator)
        {
            return RunOf(run);
        }

        LeaveOut(run.Id);
        return null;
    }

    private static Violation Refused(string agentId, RunDescriptor run, Message message, string why) => new(
        PropertyNames.Refinement, run.Rule, run.Id,
        $"{agentId} sends a {EventFormatter.Of(message with { Run = run })} in run {run.Id}, "
        + $"for which the proof's model has no step: {why}.");

    /// <summary>What was observed, and the votes that the agent itself may have cast and not sent yet.</summary>
    private readonly struct ObservedBy(SentInRun sent, string agentId) : ISentInRun
    {
        public bool Allows(ModelStep step, int round, int value) => ModelGuards.AllowsHistory(step, round, value, sent.Agents, this);

        int ISentInRun.CountProposals(int round, int value) => sent.CountProposals(round, value);

        (int Count, bool Several) ISentInRun.Proposals(int round) => sent.Proposals(round);

        int ISentInRun.CountVotes(int round, int vote) => sent.CountVotes(round, vote) + Unsent(round);

        int ISentInRun.CountVotes(int round) => sent.CountVotes(round) + Unsent(round);

        bool ISentInRun.IsDecided(int value) => sent.IsDecided(value);

        private int Unsent(int round) => sent.HasVoteOf(agentId, round) ? 0 : 1;
    }
}
