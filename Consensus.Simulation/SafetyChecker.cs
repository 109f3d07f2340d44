using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>
/// Checks the safety properties of one cluster, step by step. It trusts no machine's own state: it reads the sent messages, and
/// the run's descriptor says which process may send them. It also checks the decisions of real clusters (<see cref="Check"/>).
/// Bare messages belong to no run and are not checked.
/// </summary>
/// <param name="refinement">Whether each event must be a step of the proof's model too (<see cref="Refinement"/>).</param>
public sealed partial class SafetyChecker(bool refinement = false)
{
    private readonly Refinement? _refinement = refinement ? new() : null;
    private readonly Dictionary<RunId, RunHistory> _runs = [];
    private readonly List<AgentRecord> _agents = [];
    private readonly Dictionary<string, int> _sizes = new(StringComparer.Ordinal);

    private sealed class RunHistory
    {
        public readonly HashSet<int> Drawn = [];
        public readonly Dictionary<(int Round, string AgentId), (int Proposal, int? Vote, bool Voted)> Messages = [];
        public readonly Dictionary<(string AgentId, string Boot), int> Decisions = [];
        public bool SizesCompared;

        // Some of its steps came before the first that is checked.
        public bool IsPartial;
        public Observation? First;
    }

    // The last lookup for an agent, so that most steps need no dictionary.
    private sealed class AgentRecord
    {
        public Decision? Decision;
        public string Boot = "";
        public RunId Run;
        public RunHistory? History;
        public int Round;
        public int Proposal;
        public int? Vote;
        public bool Voted;
    }

    /// <summary>Forgets everything, for another cluster.</summary>
    public void Clear()
    {
        _runs.Clear();
        _agents.Clear();
        _sizes.Clear();
        _refinement?.Clear();
    }

    /// <summary>
    /// Begins to check a machine in the middle of its process. The earlier draws of its run are unknown, so validity is not judged in
    /// that run.
    /// </summary>
    /// <param name="agent">The agent's index, from 0.</param>
    /// <param name="machine">The machine before its next step.</param>
    public void Resume(int agent, AgentStateMachine machine)
    {
        var seen = RecordOf(agent);
        seen.Decision = machine.CurrentDecision;
        if (machine.CurrentRun is { } run)
        {
            HistoryOf(seen, run.Id).IsPartial = true;
        }
    }

    /// <summary>Checks one step. The machine is in the state after it.</summary>
    /// <param name="agent">The agent's index, from 0.</param>
    /// <param name="machine">The machine that took the step.</param>
    /// <param name="effects">What the step returned.</param>
    /// <returns>The first violation in this step, or null.</returns>
    public Violation? Observe(int agent, AgentStateMachine machine, IReadOnlyList<Effect> effects)
    {
        var seen = RecordOf(agent);
        if (_sizes.Count <= agent)
        {
            _sizes.TryAdd(machine.Id, machine.ClusterSize);
        }

        Violation? violation = null;
        var refused = _refinement?.Observe(machine, effects);
        Message? last = null;
        for (var i = 0; i < effects.Count; i++)
        {
            switch (effects[i])
            {
                case ProtocolEvent { Kind: ProtocolEventKind.Drew, Run.IsNone: false } drew:
                    HistoryOf(seen, drew.Run).Drawn.Add(drew.Value);
                    break;
                // A broadcast is one message to many peers.
                case Send { Message: { Run: not null } message } when !ReferenceEquals(message, last):
                    last = message;
                    violation ??= CheckMessage(seen, Sender.Of(machine), message, message.Run)
                        ?? CheckRelayed(seen, Sender.Of(machine), message, message.Run);
                    break;
                case Reply { Response: { Run: not null } response } when machine.CurrentRun is { } run && response.Run == run.Id:
                    violation ??= (Message?)response.Vote is { } vote ? CheckMessage(seen, Sender.Of(machine), vote, run)
                        : response.Proposal is { } proposal ? CheckMessage(seen, Sender.Of(machine), proposal, run) : null;
                    break;
            }
        }

        if (machine.CurrentDecision is { Run: { } decided } decision && !ReferenceEquals(decision, seen.Decision))
        {
            seen.Decision = decision;
            var history = HistoryOf(seen, decided);
            var observation = new Observation(machine.Id, machine.Boot, decided, decision.Value, decision.Round, machine.CurrentRun!.Rule);
            violation ??= CheckDecision(history, observation);
            violation ??= history.IsPartial || history.Drawn.Contains(decision.Value) ? null
                : new(PropertyNames.Validity, observation.Rule, decided,
                    $"{machine.Id} decided {decision.Value}, which no agent drew in run {decided}.");
        }

        // A violation that users see comes before one of the model.
        return violation ?? refused;
    }

    /// <summary>Checks agreement and integrity of a cluster's decisions, in the order in which they were observed.</summary>
    /// <returns>The first violation, or null.</returns>
    public static Violation? Check(IEnumerable<Observation> history)
    {
        var runs = new Dictionary<RunId, RunHistory>();
        foreach (var observation in history)
        {
            if (!runs.TryGetValue(observation.Run, out var run))
            {
                runs.Add(observation.Run, run = new RunHistory());
            }

            if (CheckDecision(run, observation) is { } violation)
            {
                return violation;
            }
        }

        return null;
    }

    /// <summary>Checks durability and integrity over restarts: an agent must have persisted each decision that it announced.</summary>
    /// <param name="announced">Decisions in the responses of any of an agent's processes.</param>
    /// <param name="persisted">Decisions in the agents' files.</param>
    /// <returns>The first violation, or null.</returns>
    public static Violation? CheckPersisted(IEnumerable<Observation> announced, IEnumerable<Observation> persisted)
    {
        var held = new Dictionary<(string AgentId, RunId Run), int>();
        foreach (var observation in persisted)
        {
            held[(observation.AgentId, observation.Run)] = observation.Value;
        }

        foreach (var seen in announced)
        {
            if (!held.TryGetValue((seen.AgentId, seen.Run), out var value))
            {
                return new(PropertyNames.Durability, seen.Rule, seen.Run,
                    $"{seen.AgentId} decided {seen.Value} in run {seen.Run} and has not persisted it.");
            }

            if (value != seen.Value)
            {
                return new(PropertyNames.Integrity, seen.Rule, seen.Run,
                    $"{seen.AgentId} decided {seen.Value} in run {seen.Run} and persisted {value}.");
            }
        }

        return null;
    }

    private static Violation? CheckDecision(RunHistory history, Observation seen)
    {
        if (!history.Decisions.TryAdd((seen.AgentId, seen.Boot), seen.Value)
            && history.Decisions[(seen.AgentId, seen.Boot)] is var before && before != seen.Value)
        {
            return new(PropertyNames.Integrity, seen.Rule, seen.Run,
                $"{seen.AgentId} decided {before} in run {seen.Run} and later {seen.Value}.");
        }

        history.First ??= seen;
        return history.First.Value is var first && first.Value == seen.Value ? null
            : new(PropertyNames.Agreement, seen.Rule, seen.Run,
                $"In run {seen.Run}, {first.AgentId} decided {first.Value} (round {first.Round}) "
                    + $"and {seen.AgentId} decided {seen.Value} (round {seen.Round}).");
    }

    private Violation? CheckMessage(AgentRecord seen, Sender sender, Message message, RunDescriptor run)
    {
        var (round, proposed, votedFor, voted) =
            (message.Content.Round, message.Content.Proposal, (message as Vote)?.Value, message is Vote);
        if (proposed == 0 || message.Sender is not { } agentId
            || (round == seen.Round && proposed == seen.Proposal && voted == seen.Voted
                && votedFor == seen.Vote && seen.Boot == sender.Boot && seen.Run == run.Id))
        {
            return null;
        }

        var history = HistoryOf(seen, run.Id);
        (seen.Boot, seen.Round, seen.Proposal, seen.Vote, seen.Voted) = (sender.Boot, round, proposed, votedFor, voted);
        if (!run.Members.TryGetValue(sender.Id, out var boot) || boot != sender.Boot)
        {
            return new(PropertyNames.LearnersSilent, run.Rule, run.Id,
                $"{sender.Id} (boot {sender.Boot}) proposed or voted in round {round} of run {run.Id}, "
                    + "of which that process is no member.");
        }

        if (FindOtherClusterSize(history, sender, run) is { } other)
        {
            return new(PropertyNames.ClusterSize, run.Rule, run.Id,
                $"{other} is a member, or proposes or votes, in run {run.Id} of {run.N} agents, and counts {_sizes[other]}.");
        }

        if (!history.Messages.TryGetValue((round, agentId), out var before))
        {
            history.Messages.Add((round, agentId), (proposed, votedFor, voted));
            return null;
        }

        if (before.Proposal != proposed)
        {
            return new(PropertyNames.OneProposal, run.Rule, run.Id,
                $"{agentId} proposed {before.Proposal} and {proposed} in round {round} of run {run.Id}.");
        }

        if (before.Voted && voted && before.Vote != votedFor)
        {
            return new(PropertyNames.OneVote, run.Rule, run.Id,
                $"{agentId} voted {EventFormatter.ValueOrNone(before.Vote ?? 0)} and "
                    + $"{EventFormatter.ValueOrNone(votedFor ?? 0)} in round {round} of run {run.Id}.");
        }

        if (voted)
        {
            history.Messages[(round, agentId)] = (proposed, votedFor, true);
        }

        return null;
    }

    /// <summary>A member, or the sender, that counts another number of agents than the run does; null: none.</summary>
    private string? FindOtherClusterSize(RunHistory history, Sender sender, RunDescriptor run)
    {
        if (sender.ClusterSize != run.N)
        {
            return sender.Id;
        }

        if (history.SizesCompared)
        {
            return null;
        }

        history.SizesCompared = true;
        return run.Members.Keys.FirstOrDefault(id => _sizes.TryGetValue(id, out var size) && size != run.N);
    }

    private RunHistory HistoryOf(AgentRecord seen, RunId run)
    {
        if (seen.History is not null && seen.Run == run)
        {
            return seen.History;
        }

        if (!_runs.TryGetValue(run, out var history))
        {
            _runs.Add(run, history = new RunHistory());
        }

        (seen.Run, seen.History, seen.Proposal) = (run, history, 0);
        return history;
    }
}
