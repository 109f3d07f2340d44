using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>The steps of the proof's model that transitions take.</summary>
internal sealed partial class TransitionTable
{
    /// <summary>
    /// What an agent itself sent, by the number of a run. Copies that a relay forged in another agent's name do not count.
    /// </summary>
    private ulong[] SentByRun(int agent, SentMessages sent)
    {
        var masks = Array.Empty<ulong>();
        foreach (var message in sent.Codes.Select(code => Messages[code]))
        {
            if (message.Run >= 0 && message.Sender == agent && SentMask.Of(message) is not 0 and var mask)
            {
                var run = Messages.NumberOf(message.Run);
                Array.Resize(ref masks, Math.Max(masks.Length, run + 1));
                masks[run] |= mask;
            }
        }

        return masks;
    }

    /// <summary>The steps of one outcome. Those whose guard holds in any history are left out.</summary>
    private IEnumerable<GuardedStep> StepsOf(AgentState state, Outcome outcome) =>
        outcome.OtherEvents.Prepend(outcome.Events).SelectMany(events => StepsOf(state, outcome, events));

    private IEnumerable<GuardedStep> StepsOf(AgentState state, Outcome outcome, ProtocolEvent[] events)
    {
        var (before, after) = (state.Local.Machine, outcome.Next.Machine);
        var run = before.Boot == after.Boot ? before.CurrentRun : null;
        var own = run is null ? 0 : state.SentIn(Messages.NumberOf(Messages.CodeOf(run)));
        foreach (var taken in events)
        {
            if (taken.Kind == ProtocolEventKind.WasReset)
            {
                run = null;
                if (taken.Run < before.HighestSeenRun)
                {
                    yield return new(null, 0, 0, 0, 0, 0, taken);
                }
            }
            else if (taken.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner or ProtocolEventKind.Restored)
            {
                run = after.CurrentRun?.Id == taken.Run ? after.CurrentRun : before.CurrentRun;
                own = run is null ? 0 : state.SentIn(Messages.NumberOf(Messages.CodeOf(run)));
                if (!MayEnter(before, after, taken, run, own))
                {
                    yield return new(null, 0, 0, 0, 0, 0, taken);
                }
            }
            else if (run is { Rule: Rule.Ratified } && run.Id == taken.Run)
            {
                var memory = MemoryOf(after, run, own);
                var step = ModelGuards.StepOf(taken, memory);
                var allowed = step is { } known && ModelGuards.AllowsMemory(known, memory, taken.Round, run.StartRound);
                if (step != ModelStep.Propose || !allowed)
                {
                    yield return new(allowed ? step : null, Messages.NumberOf(Messages.CodeOf(run)),
                        taken.Round, taken.Value, run.N, own, taken);
                }

                own |= taken.Kind switch
                {
                    ProtocolEventKind.Voted => SentMask.Vote(taken.Round, taken.Value),
                    ProtocolEventKind.Decided or ProtocolEventKind.Learned => SentMask.Decision(taken.Value),
                    _ => SentMask.Proposal(taken.Round, taken.Value),
                };
            }
        }
    }

    /// <summary>The proof's <c>Create</c>, <c>Join</c> and <c>NewProcess</c>.</summary>
    private static bool MayEnter(AgentStateMachine before, AgentStateMachine after, ProtocolEvent entered, RunDescriptor? run, ulong own) =>
        run is not { Rule: Rule.Ratified } || (entered.Kind == ProtocolEventKind.Restored
            ? entered.Value == 0 || (own & SentMask.Decision(entered.Value)) != 0
            : (run.Id > before.HighestSeenRun || run.Id == before.CurrentRun?.Id)
                && (entered.Kind == ProtocolEventKind.JoinedAsLearner
                    || (IsListed(after, run) && (run.Id.Initiator != after.Id || run.Id.Boot == after.Boot))));

    private static bool IsListed(AgentStateMachine machine, RunDescriptor run) =>
        run.N == machine.ClusterSize && run.Members.TryGetValue(machine.Id, out var boot) && boot == machine.Boot;

    // The last round in which it sent a proposal: the proof's invariant Remembers. A machine that forgot it is no witness.
    private ModelMemory MemoryOf(AgentStateMachine machine, RunDescriptor run, ulong own)
    {
        var round = _bounds.Rounds;
        while (round > 0 && (own & SentMask.Proposals(round)) == 0)
        {
            round--;
        }

        return new(IsListed(machine, run), round, round > 0 && (own & SentMask.Votes(round)) != 0);
    }
}
