using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>
/// The same properties, of agents that are observed from outside: their messages and decisions are known, their state is not.
/// </summary>
public sealed partial class SafetyChecker
{
    /// <summary>The process that sent a message.</summary>
    private readonly record struct Sender(string Id, string Boot, int ClusterSize)
    {
        public static Sender Of(AgentStateMachine machine) => new(machine.Id, machine.Boot, machine.ClusterSize);
    }

    /// <summary>Checks one message, or what a response repeats, of a run that describes itself.</summary>
    /// <param name="agent">The sender's index, from 0; the same over restarts.</param>
    /// <param name="id">The sender's agent id.</param>
    /// <param name="boot">The boot of the process that sent it.</param>
    /// <param name="clusterSize">How many agents the sender counts, itself included.</param>
    /// <param name="message">The message.</param>
    /// <param name="run">The run it belongs to.</param>
    /// <returns>The property that the message violates, or null.</returns>
    public Violation? ObserveMessage(int agent, string id, string boot, int clusterSize, Message message, RunDescriptor run)
    {
        var seen = RecordOf(agent);
        _sizes.TryAdd(id, clusterSize);
        var history = HistoryOf(seen, run.Id);
        if (message.Content.Proposal is not 0 and var proposed)
        {
            // From outside a draw shows as the proposal of its value.
            history.Drawn.Add(proposed);
        }

        return CheckMessage(seen, new Sender(id, boot, clusterSize), message, run);
    }

    /// <summary>Adds a value that some agent proposed in a run, for runs whose messages do not name them.</summary>
    public void ObserveProposedValue(int agent, RunId run, int value) => HistoryOf(RecordOf(agent), run).Drawn.Add(value);

    /// <summary>Checks one decision that an agent announced.</summary>
    /// <param name="agent">The agent's index, from 0.</param>
    /// <param name="observation">The decision.</param>
    /// <returns>The property that the decision violates, or null.</returns>
    public Violation? ObserveDecision(int agent, Observation observation)
    {
        var history = HistoryOf(RecordOf(agent), observation.Run);
        return CheckDecision(history, observation) ?? (history.Drawn.Contains(observation.Value) ? null
            : new(PropertyNames.Validity, observation.Rule, observation.Run,
                $"{observation.AgentId} decided {observation.Value}, which no agent proposed in run {observation.Run}."));
    }

    private AgentRecord RecordOf(int agent)
    {
        while (_agents.Count <= agent)
        {
            _agents.Add(new AgentRecord());
        }

        return _agents[agent];
    }
}
