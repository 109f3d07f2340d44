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
        process.Now = new(machine.CurrentRun is { Rule: Rule.Ratified } run ? RunOf(run) : null, default, machine.HighestSeenRun);
        if (process.Now.Run is { } current)
        {
            LeaveOut(current.Id);
        }
    }

    /// <summary>
    /// The run of a step that receives, or restores, what no observed step has sent before; null: observed steps sent all of it.
    /// </summary>
    /// <param name="machine">The machine after the step.</param>
    /// <param name="input">The step's input.</param>
    /// <param name="effects">What the step returned.</param>
    public RunId? FindUnsent(AgentStateMachine machine, Input input, IReadOnlyList<Effect> effects)
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
                IsSent(machine, run.Id, message.Sender, message.Content)
                && (message.Relayed?.All.All(copy => IsSent(machine, run.Id, copy.Sender, copy.Content)) ?? true) ? null : run.Id,
            ResponseReceived { Response: { Run: { } run } response } =>
                IsSent(machine, run, response.AgentId, response.Carried) ? null : run,
            _ => null,
        };
    }

    private bool IsSent(AgentStateMachine machine, RunId run, string? agentId, MessageContent content)
    {
        if (content.Value == 0 && content.Proposal == 0)
        {
            return true;
        }

        // No observed agent has joined the run: it is new, or older than the recordings. This process ignores its messages.
        return _partial.Contains(run) || (_runs.TryGetValue(run, out var sent)
            ? agentId is null || sent.Has(agentId, content)
            : machine.CurrentRun is not { Rule: Rule.Ratified } now || now.Id != run);
    }
}
