using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>What agents say, and what their words alone tell.</summary>
internal sealed partial class TransitionTable
{
    /// <summary>What a step said: what it sent, and what every answer of the machine will say from now on.</summary>
    private int[] MessagesOf(int agent, AgentStateMachine machine, IReadOnlyList<Effect> effects)
    {
        var facts = new SortedSet<int>();
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Send { Message: Handshake }:
                    facts.Add(Messages.Code(new(CatalogMessageKind.Handshake, agent, Boot: machine.Boot)));
                    break;
                case Send { Message: { Run: { } run } message }:
                    facts.Add(Messages.CodeOf(agent, message, Messages.CodeOf(run)));
                    break;
                case ProtocolEvent { Kind: ProtocolEventKind.Drew } drew when machine.CurrentRun is { } run:
                    facts.Add(Messages.Code(new(CatalogMessageKind.Drew, agent, Messages.CodeOf(run), Value: drew.Value)));
                    break;
                case Introduction { Answer: var answer } introduction:
                    facts.Add(Messages.Code(new(CatalogMessageKind.Introduced, agent, To: introduction.To, Boot: answer.Boot ?? "", Floor: answer.Floor ?? RunId.None, Agents: answer.Agents ?? 0)));
                    break;
            }
        }

        if (machine.CurrentRun is { } current)
        {
            var run = Messages.CodeOf(current);
            facts.Add(Messages.Code(new(CatalogMessageKind.Joined, agent, run)));
            var view = machine.Snapshot();
            if (view.Decision is { } decision)
            {
                facts.Add(Messages.CodeOf(agent, new Final(decision.Value, decision.Round), run));
            }
            else if (view.Learner)
            {
                // Whom it tells, and when, depends on whom it asked; a fact may reach everyone at any time.
                facts.Add(Messages.CodeOf(agent, new NewRound(current.StartRound), run));
            }
            else if (view is { Phase: Phase.Proposing or Phase.Voting, MyValue: { } mine })
            {
                facts.Add(Messages.CodeOf(agent, view.Phase == Phase.Proposing ? new Proposal(machine.Id, mine, view.Round)
                    : new Vote(machine.Id, view.Votes[machine.Id], mine, view.Round), run));
            }
        }

        return [.. facts];
    }

    private SentMessages Union(SentMessages? before, int[] added)
    {
        if (before is not null && added.All(code => Array.BinarySearch(before.Codes, code) >= 0))
        {
            return before;
        }

        var all = (before?.Codes ?? []).Union(added).Order().ToArray();
        var key = KeyOf(all);
        if (!_sent.TryGetValue(key, out var said))
        {
            var facts = all.Select(code => Messages[code]).ToList();
            _sent.Add(key, said = new SentMessages(all, RunValues(facts, CatalogMessageKind.Final), RunValues(facts, CatalogMessageKind.Drew), ViolatedBy(facts) ?? (facts.Exists(IsOfAnotherSize) ? PropertyNames.ClusterSize : null)));
        }

        return said;
    }

    private static string KeyOf(int[] numbers) => string.Create(numbers.Length * 2, numbers, (text, codes) =>
    {
        for (var i = 0; i < codes.Length; i++)
        {
            (text[2 * i], text[(2 * i) + 1]) = ((char)(codes[i] >> 16), (char)codes[i]);
        }
    });

    private DeliverableMessages MessagesTo(int receiver, LocalState local, SentMessages said)
    {
        int[] codes = [.. said.Codes.Select(code => SentBy(local, code)).Where(code => code >= 0 && Messages.InputFor(code, receiver) is not null)];
        var key = KeyOf(codes);
        if (!_deliverable.TryGetValue(key, out var words))
        {
            _deliverable.Add(key, words = new DeliverableMessages(_deliverable.Count, codes));
        }

        return words;
    }

    private int[] RunValues(List<CatalogMessage> facts, CatalogMessageKind kind) =>
        [.. facts.Where(fact => fact.Kind == kind).Select(fact => (Messages.NumberOf(fact.Run) << 8) | fact.Value).Distinct().Order()];

    private string? ViolatedBy(List<CatalogMessage> facts)
    {
        var proposals = facts.Where(fact => fact.Kind is CatalogMessageKind.Proposal or CatalogMessageKind.NewRound or CatalogMessageKind.Vote)
            .Select(fact => (Run: Messages.NumberOf(fact.Run), fact.Round, Value: fact.Kind == CatalogMessageKind.Vote ? fact.Proposed : fact.Value))
            .Where(said => said.Value != 0).Distinct();
        var votes = facts.Where(fact => fact.Kind == CatalogMessageKind.Vote).Select(fact => (Run: Messages.NumberOf(fact.Run), fact.Round, fact.Value)).Distinct();
        return proposals.GroupBy(said => (said.Run, said.Round)).Any(said => said.Count() > 1) ? PropertyNames.OneProposal
            : votes.GroupBy(said => (said.Run, said.Round)).Any(said => said.Count() > 1) ? PropertyNames.OneVote : null;
    }

    /// <summary>A run with a member that counts another number of agents, or a proposal or vote of such an agent in it.</summary>
    private bool IsOfAnotherSize(CatalogMessage fact) => fact.Run >= 0 && Messages.Run(fact.Run) is var run
        && ((OfTakingPart(fact) && fact.Value + fact.Proposed > 0 && _bounds.CountedBy(fact.Sender) != run.N)
            || run.Members.Keys.Any(id => _bounds.CountedBy(AgentIds.IndexOf(id)) != run.N));

    // An answer to a handshake that is over is read by nobody, but whoever is asked late is still asked.
    private int SentBy(LocalState local, int code) => Messages[code] switch
    {
        { Kind: CatalogMessageKind.Drew } => -1,
        { Kind: CatalogMessageKind.Handshake } fact when !local.Shaking || fact.Boot != local.Machine.Boot => Messages.Code(fact with { Kind = CatalogMessageKind.LateHandshake }),
        _ => code,
    };
}
