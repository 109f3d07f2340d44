using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>
/// Checks that each event of the core is one step of the model that is proved in proof/. The step's guard must hold in what the
/// agents of the run did before. A machine's own state counts for nothing here, only its events. Runs by the classic rule and
/// anonymous runs are not checked. Give it the steps of all agents in an order in which each message is sent before it arrives,
/// each agent's from the start of a process, or from its join of the run. Not thread safe.
/// </summary>
public sealed partial class Refinement
{
    private readonly Dictionary<RunId, SentInRun> _runs = [];
    private readonly Dictionary<string, Process> _processes = new(StringComparer.Ordinal);

    /// <summary>What a process knows of runs, <c>Current</c> in proof/runs.dfy.</summary>
    private readonly record struct Current(SentInRun? Run, ModelMemory Memory, RunId HighestSeenRun);

    /// <summary>One agent, <c>Process</c> in proof/runs.dfy. <c>Before</c> is what a start in progress rolls back to.</summary>
    private sealed class Process
    {
        public string Boot = "";
        public Current Now;
        public Current? Before;
        public long Abandoned;

        /// <summary>Whether its first steps are not known, so that nothing can be said of the runs that it enters.</summary>
        public bool IsPartial;
    }

    /// <summary>Forgets everything, for another cluster.</summary>
    public void Clear()
    {
        _runs.Clear();
        _processes.Clear();
        _partial.Clear();
    }

    /// <summary>Checks the events of one step. The machine is in the state after it.</summary>
    /// <param name="machine">The machine that took the step.</param>
    /// <param name="effects">What the step returned.</param>
    /// <returns>The first event that is no step of the model, or null.</returns>
    public Violation? Observe(AgentStateMachine machine, IReadOnlyList<Effect> effects)
    {
        Process? process = null;
        for (var i = 0; i < effects.Count; i++)
        {
            if (effects[i] is ProtocolEvent protocolEvent)
            {
                process ??= ProcessOf(machine);
                if (FindObstacle(process, machine, protocolEvent) is { } obstacle)
                {
                    return new(PropertyNames.Refinement, Rule.Ratified, protocolEvent.Run,
                        $"{machine.Id}: \"{EventFormatter.Of(protocolEvent)}\" in "
                            + $"run {protocolEvent.Run} is no step of the model: {obstacle}.");
                }
            }
            else if (effects[i] is StartEnded ended)
            {
                EndStart(ProcessOf(machine), machine, ended.Outcome);
            }
        }

        return null;
    }

    private Process ProcessOf(AgentStateMachine machine)
    {
        if (!_processes.TryGetValue(machine.Id, out var process))
        {
            _processes.Add(machine.Id, process = new Process());
        }

        if (!string.Equals(process.Boot, machine.Boot, StringComparison.Ordinal))
        {
            // NewProcess: what a disk returns shows in Restored.
            (process.Boot, process.Now, process.Before, process.Abandoned, process.IsPartial) = (machine.Boot, default, null, 0, false);
        }

        return process;
    }

    /// <summary>Takes the event's step, or says why the model has none.</summary>
    private string? FindObstacle(Process process, AgentStateMachine machine, ProtocolEvent protocolEvent)
    {
        switch (protocolEvent.Kind)
        {
            case ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner:
                return Join(process, machine, protocolEvent);
            case ProtocolEventKind.WasReset:
                var before = process.Now.HighestSeenRun;
                (process.Now, process.Before) = (new(null, default, protocolEvent.Run), null);
                return protocolEvent.Run < before ? $"a reset lowers the floor from {before}" : null;
            case ProtocolEventKind.Restored when machine.CurrentRun is { Rule: Rule.Ratified } run && run.Id == protocolEvent.Run:
                process.Now = new(RunOf(run), default, run.Id);
                return protocolEvent.Value == 0 || _partial.Contains(run.Id)
                    || process.Now.Run!.Announced(machine.Id, protocolEvent.Value) ? null : "this agent never held that decision";
        }

        // A run by the classic rule, an anonymous one, or one of which some steps are not known.
        if (protocolEvent.Run.IsNone || process.Now.Run is not { } current || _partial.Contains(current.Id))
        {
            return null;
        }

        if (current.Id != protocolEvent.Run)
        {
            return $"the agent is in run {current.Id}";
        }

        if (ModelGuards.StepOf(protocolEvent, process.Now.Memory) is not { } step)
        {
            return protocolEvent.Kind is ProtocolEventKind.Equivocated or ProtocolEventKind.AgreementViolated
                ? "agents that follow the rule give no cause for it" : null;
        }

        var memory = process.Now.Memory;
        if (!ModelGuards.AllowsMemory(step, memory, protocolEvent.Round, current.StartRound))
        {
            return $"{step} needs another memory than {memory}";
        }

        if (!ModelGuards.AllowsHistory(step, protocolEvent.Round, protocolEvent.Value, current.Agents, current))
        {
            return $"{step} needs other messages than those that were sent";
        }

        process.Now = process.Now with { Memory = current.Take(step, machine.Id, protocolEvent.Round, protocolEvent.Value, memory) };
        return null;
    }

    /// <summary>The model's <c>Create</c>, <c>Join</c>, or <c>RollBack</c> to the run before.</summary>
    private string? Join(Process process, AgentStateMachine machine, ProtocolEvent joined)
    {
        // Of a run by the classic rule, the floor alone is known.
        if (process.Before is { } before
            && (before.Run?.Id == joined.Run
                || (machine.CurrentRun?.Rule == Rule.Classic && before is { Run: null } && before.HighestSeenRun == joined.Run)))
        {
            RollBack(process);
            return null;
        }

        var highestSeenRun = process.Now.HighestSeenRun;
        if (machine.CurrentRun is not { } run || run.Id != joined.Run)
        {
            return "no descriptor of that run is known";
        }

        var (member, created) = (joined.Kind == ProtocolEventKind.Joined, run.Id.Initiator == machine.Id && run.Id.Boot == machine.Boot);
        var startsOver = process.Before is not null && highestSeenRun.Initiator == machine.Id && highestSeenRun.Boot == machine.Boot;
        process.Before = !(member && created) ? null : startsOver ? process.Before : process.Now;
        process.Now = run.Rule == Rule.Classic ? new(null, default, run.Id) : new(RunOf(run), new(member), run.Id);
        var isListed = run.N == machine.ClusterSize && run.Members.TryGetValue(machine.Id, out var boot) && boot == machine.Boot;
        return process.IsPartial ? null
            : run.Id <= highestSeenRun ? $"the floor is {highestSeenRun}"
            : member && !isListed ? "the run does not name this process as a member, or counts other agents"
            : member && created && run.Id.Number <= process.Abandoned ? "this process abandoned the run"
            : member && !created && run.Id.Initiator == machine.Id ? "an earlier process created the run"
            : run.Members.Count > run.N ? "the run lists more members than agents"
            : null;
    }

    private static void EndStart(Process process, AgentStateMachine machine, StartOutcome outcome)
    {
        // A rollback to no run records no event.
        if (outcome is not RunStarted && process.Before is not null && machine.CurrentRun?.Id != process.Now.HighestSeenRun)
        {
            RollBack(process);
        }

        process.Before = null;
    }

    private static void RollBack(Process process)
    {
        process.Abandoned = process.Now.HighestSeenRun.Number;
        (process.Now, process.Before) = (process.Before!.Value, null);
    }

    private SentInRun RunOf(RunDescriptor run)
    {
        if (!_runs.TryGetValue(run.Id, out var sent))
        {
            _runs.Add(run.Id, sent = new SentInRun(run));
        }

        return sent;
    }
}
