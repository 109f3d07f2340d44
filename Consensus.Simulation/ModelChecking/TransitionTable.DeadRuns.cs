using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// Dead-run elimination. A run is dead where no agent may propose or vote in it, now or later. Its proposals and votes then
/// change no agent. An agent that receives one joins the run as a learner, and it also does so by the sender's response that
/// it is in that run (<see cref="CatalogMessageKind.Joined"/>), which remains, as decisions do. So proposals and votes of dead
/// runs are dropped, and states that differ in nothing else count once. Draws are dropped with them: a draw shows that a
/// decision is valid, and in a dead run an agent can only learn a value that another agent decided before.
/// </summary>
internal sealed partial class TransitionTable
{
    /// <summary>Drops the proposals, votes and draws of dead runs.</summary>
    public void EliminateDeadRuns(AgentState[] state)
    {
        for (var i = 0; i < state.Length; i++)
        {
            foreach (var run in state[i].Runs)
            {
                if (IsDead(state, run))
                {
                    state[i] = WithoutMessages(state[i], TransitionCode.DropDeadRun(run));
                }
            }
        }
    }

    /// <summary>The state without the messages that a code drops.</summary>
    public AgentState WithoutMessages(AgentState state, TransitionCode code)
    {
        var found = state.Find(code);
        return this[state.Agent, found == AgentState.Unknown ? Successors(state, code) : found];
    }

    private static bool IsOfMember(CatalogMessage message) =>
        message.Kind is CatalogMessageKind.Drew or CatalogMessageKind.NewRound or CatalogMessageKind.Proposal or CatalogMessageKind.Vote;

    private static bool IsStale(CatalogMessage message, TransitionCode code) =>
        code.Kind == TransitionKind.DropDeadRun
            ? message.Run == code.Run && IsOfMember(message)
            : message.Kind == CatalogMessageKind.Introduced && message.To == code.Agent;

    private bool IsDead(AgentState[] state, int run)
    {
        foreach (var one in state)
        {
            if (one.Local.MayTakePart(run) ?? Determine(one.Local, run))
            {
                return false;
            }
        }

        return true;
    }

    private bool Determine(LocalState local, int run)
    {
        lock (Gate)
        {
            var may = MayTakePart(local.Machine, Messages.Run(run));
            local.SetMayTakePart(run, may);
            return may;
        }
    }

    // The machine itself takes these steps: now, after a reset and after a restart. So a mutant that wrongly takes part is found.
    private bool MayTakePart(AgentStateMachine machine, RunDescriptor run)
    {
        Random.Begin();
        var reset = machine.Clone();
        reset.Step(new MessageReceived(new Reset()));
        List<AgentStateMachine> copies = [machine.Clone(), reset, Restart(machine, 1, loses: false), Restart(machine, -1, loses: false)];
        if (MayLose(machine))
        {
            copies.AddRange([Restart(machine, 1, loses: true), Restart(machine, -1, loses: true)]);
        }

        foreach (var copy in copies)
        {
            if (TakesPart(copy, run))
            {
                return true;
            }

            copy.Step(new MessageReceived(new NewRound(run.StartRound, run)));
            if (TakesPart(copy, run))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TakesPart(AgentStateMachine machine, RunDescriptor run) =>
        machine.CurrentRun?.Id == run.Id && machine.CurrentDecision is null && !machine.Snapshot().Learner;
}
