using Consensus.Protocol;

namespace Consensus.Simulation.Exploring;

/// <summary>
/// Runs that are over. Where no agent may propose or vote in a run any more, now or later, proposals and votes of it move
/// nobody: whoever still hears of the run joins it as a learner, and does so as well by its sender's answer that it is
/// in that run (<see cref="FactKind.Joined"/>), which stays said, as decisions do. So the proposals and votes are dropped,
/// and states that differ in nothing else count once. Draws are dropped with them: they tell whether a decision is
/// valid, and in such a run only what somebody decided before can be learned.
/// </summary>
internal sealed partial class AgentStates
{
    /// <summary>Drops what moves nobody any more.</summary>
    public void ForgetEndedRuns(AgentState[] state)
    {
        for (var i = 0; i < state.Length; i++)
        {
            foreach (var run in state[i].Runs)
            {
                if (IsOver(state, run))
                {
                    state[i] = Forgetting(state[i], ForgetRun - run);
                }
            }
        }
    }

    /// <summary>The state without the facts that such a code drops.</summary>
    public AgentState Forgetting(AgentState state, int code)
    {
        var found = state.Find(code);
        return this[state.Agent, found == AgentState.Unknown ? Successors(state, code) : found];
    }

    private static bool OfTakingPart(Fact fact) => fact.Kind is FactKind.Drew or FactKind.NewRound or FactKind.Proposal or FactKind.Vote;

    private static bool IsStale(Fact fact, int code) =>
        code <= ForgetRun ? fact.Run == ForgetRun - code && OfTakingPart(fact) : fact.Kind == FactKind.Introduced && fact.To == code - Forget;

    private bool IsOver(AgentState[] state, int run)
    {
        foreach (var one in state)
        {
            if (one.Local.MayTakePart(run) ?? FindOut(one.Local, run))
            {
                return false;
            }
        }

        return true;
    }

    private bool FindOut(LocalState local, int run)
    {
        lock (Gate)
        {
            var may = MayTakePart(local.Machine, Facts.Run(run));
            local.SetMayTakePart(run, may);
            return may;
        }
    }

    // The machine itself is asked, as it is and after a reset or a restart: one that takes part where it must not is not
    // trusted to keep away.
    private bool MayTakePart(Machine machine, RunDescriptor run)
    {
        Random.Begin();
        var reset = machine.Clone();
        reset.Step(new Received(new Reset()));
        foreach (var asked in new[] { machine.Clone(), reset, Restart(machine, 1), Restart(machine, -1) })
        {
            if (TakesPart(asked, run))
            {
                return true;
            }

            asked.Step(new Received(new NewRound(run.StartRound, run)));
            if (TakesPart(asked, run))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TakesPart(Machine machine, RunDescriptor run) =>
        machine.CurrentRun?.Id == run.Id && machine.CurrentDecision is null && !machine.View().Learner;
}
