using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// Runs that are over. Where no agent may propose or vote in a run any more, now or later, proposals and votes of it move
/// nobody: whoever still hears of the run joins it as a learner, and does so as well by its sender's answer that it is
/// in that run (<see cref="CatalogMessageKind.Joined"/>), which stays said, as decisions do. So the proposals and votes are dropped,
/// and states that differ in nothing else count once. Draws are dropped with them: they tell whether a decision is
/// valid, and in such a run only what somebody decided before can be learned.
/// </summary>
internal sealed partial class TransitionTable
{
    /// <summary>Drops what moves nobody any more.</summary>
    public void EliminateDeadRuns(AgentState[] state)
    {
        for (var i = 0; i < state.Length; i++)
        {
            foreach (var run in state[i].Runs)
            {
                if (IsOver(state, run))
                {
                    state[i] = WithoutDeadRuns(state[i], ForgetRun - run);
                }
            }
        }
    }

    /// <summary>The state without the facts that such a code drops.</summary>
    public AgentState WithoutDeadRuns(AgentState state, int code)
    {
        var found = state.Find(code);
        return this[state.Agent, found == AgentState.Unknown ? Successors(state, code) : found];
    }

    private static bool OfTakingPart(CatalogMessage fact) => fact.Kind is CatalogMessageKind.Drew or CatalogMessageKind.NewRound or CatalogMessageKind.Proposal or CatalogMessageKind.Vote;

    private static bool IsStale(CatalogMessage fact, int code) =>
        code <= ForgetRun ? fact.Run == ForgetRun - code && OfTakingPart(fact) : fact.Kind == CatalogMessageKind.Introduced && fact.To == code - Forget;

    private bool IsOver(AgentState[] state, int run)
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

    // The machine itself is asked, as it is and after a reset or a restart: one that takes part where it must not is not
    // trusted to keep away.
    private bool MayTakePart(AgentStateMachine machine, RunDescriptor run)
    {
        Random.Begin();
        var reset = machine.Clone();
        reset.Step(new MessageReceived(new Reset()));
        foreach (var asked in new[] { machine.Clone(), reset, Restart(machine, 1), Restart(machine, -1) })
        {
            if (TakesPart(asked, run))
            {
                return true;
            }

            asked.Step(new MessageReceived(new NewRound(run.StartRound, run)));
            if (TakesPart(asked, run))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TakesPart(AgentStateMachine machine, RunDescriptor run) =>
        machine.CurrentRun?.Id == run.Id && machine.CurrentDecision is null && !machine.Snapshot().Learner;
}
