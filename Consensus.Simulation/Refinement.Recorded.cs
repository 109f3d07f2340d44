using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>Steps whose order is not known, and processes whose first steps are not.</summary>
public sealed partial class Refinement
{
    private readonly HashSet<RunId> _partial = [];

    /// <summary>The runs by the ratified rule that were joined: how many were observed whole, and how many were left out.</summary>
    public (int Whole, int Partial) CountRuns() => (_runs.Keys.Count(run => !_partial.Contains(run)), _partial.Count);

    /// <summary>Checks nothing of a run from here on, because some steps in it are not known.</summary>
    public void LeaveOut(RunId run) => _partial.Add(run);

    /// <summary>Goes on with a process in the middle. Nothing of its present run is checked.</summary>
    /// <param name="machine">The machine after the first step that is known.</param>
    public void Resume(AgentStateMachine machine)
    {
        var process = ProcessOf(machine);
        (process.IsPartial, process.Before) = (true, null);
        process.Now = new(machine.CurrentRun is { Rule: Rule.Ratified } run ? RunOf(run) : null, default, machine.Floor);
        if (process.Now.Run is { } current)
        {
            LeaveOut(current.Id);
        }
    }

    /// <summary>
    /// The run of a step that was told, or restores, what no agent is known to have said before; null: all of it was said.
    /// </summary>
    /// <param name="machine">The machine after the step.</param>
    /// <param name="input">The step's input.</param>
    /// <param name="effects">What the step returned.</param>
    public RunId? FindUntold(AgentStateMachine machine, Input input, IReadOnlyList<Effect> effects)
    {
        foreach (var effect in effects)
        {
            // Perhaps an earlier process is not recorded.
            if (effect is ProtocolEvent { Kind: ProtocolEventKind.Restored, Value: not 0 } restored
                && machine.CurrentRun is { Rule: Rule.Ratified } && !_partial.Contains(restored.Run)
                && !(_runs.TryGetValue(restored.Run, out var sent) && sent.Announced(machine.Id, restored.Value)))
            {
                return restored.Run;
            }
        }

        return input switch
        {
            MessageReceived { Message: { Run: { } run } message } =>
                IsSaid(machine, run.Id, message.Sender, message.Content)
                && (message.Relayed?.All.All(copy => IsSaid(machine, run.Id, copy.Sender, copy.Content)) ?? true) ? null : run.Id,
            ResponseReceived { Response: { Run: { } run } response } =>
                IsSaid(machine, run, response.AgentId, response.Carried) ? null : run,
            _ => null,
        };
    }

    private bool IsSaid(AgentStateMachine machine, RunId run, string? agentId, MessageContent content)
    {
        if (content.Value == 0 && content.Proposal == 0)
        {
            return true;
        }

        // A run that nobody has joined is new, or older than what is known: then this process ignores the message.
        return _partial.Contains(run) || (_runs.TryGetValue(run, out var sent)
            ? agentId is null || sent.Has(agentId, content)
            : machine.CurrentRun is not { Rule: Rule.Ratified } now || now.Id != run);
    }
}
