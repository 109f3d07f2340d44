using Consensus.Protocol;

namespace Consensus.Simulation.Exploring;

/// <summary>What agents say, and what their words alone tell.</summary>
internal sealed partial class AgentStates
{
    /// <summary>What a step said: what it sent, and what every answer of the machine will say from now on.</summary>
    private int[] FactsOf(int agent, Machine machine, IReadOnlyList<Effect> effects)
    {
        var facts = new SortedSet<int>();
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Send { Message: Handshake }:
                    facts.Add(Facts.Code(new(FactKind.Handshake, agent, Boot: machine.Boot)));
                    break;
                case Send { Message: { Run: { } run } message }:
                    facts.Add(Facts.CodeOf(agent, message, Facts.CodeOf(run)));
                    break;
                case Happened { Kind: Happening.Drew } drew when machine.CurrentRun is { } run:
                    facts.Add(Facts.Code(new(FactKind.Drew, agent, Facts.CodeOf(run), Value: drew.Value)));
                    break;
                case Introduction { Answer: var answer } introduction:
                    facts.Add(Facts.Code(new(FactKind.Introduced, agent, To: introduction.To, Boot: answer.Boot ?? "", Floor: answer.Floor ?? RunId.None, Agents: answer.Agents ?? 0)));
                    break;
            }
        }

        if (machine.CurrentRun is { } current)
        {
            var run = Facts.CodeOf(current);
            facts.Add(Facts.Code(new(FactKind.Joined, agent, run)));
            var view = machine.View();
            if (view.Decision is { } decision)
            {
                facts.Add(Facts.CodeOf(agent, new Final(decision.Value, decision.Round), run));
            }
            else if (view.Learner)
            {
                // Whom it tells, and when, depends on whom it asked; a fact may reach everyone at any time.
                facts.Add(Facts.CodeOf(agent, new NewRound(current.StartRound), run));
            }
            else if (view is { Phase: Phase.Proposing or Phase.Voting, MyValue: { } mine })
            {
                facts.Add(Facts.CodeOf(agent, view.Phase == Phase.Proposing ? new Proposal(machine.Id, mine, view.Round)
                    : new Vote(machine.Id, view.Votes[machine.Id], mine, view.Round), run));
            }
        }

        return [.. facts];
    }

    private Said Union(Said? before, int[] added)
    {
        if (before is not null && added.All(code => Array.BinarySearch(before.Codes, code) >= 0))
        {
            return before;
        }

        var all = (before?.Codes ?? []).Union(added).Order().ToArray();
        var key = KeyOf(all);
        if (!_said.TryGetValue(key, out var said))
        {
            var facts = all.Select(code => Facts[code]).ToList();
            _said.Add(key, said = new Said(all, RunValues(facts, FactKind.Final), RunValues(facts, FactKind.Drew), BrokenBy(facts) ?? (facts.Exists(IsOfAnotherSize) ? Properties.ClusterSize : null)));
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

    private Words WordsTo(int receiver, LocalState local, Said said)
    {
        int[] codes = [.. said.Codes.Select(code => SpokenBy(local, code)).Where(code => code >= 0 && Facts.InputFor(code, receiver) is not null)];
        var key = KeyOf(codes);
        if (!_words.TryGetValue(key, out var words))
        {
            _words.Add(key, words = new Words(_words.Count, codes));
        }

        return words;
    }

    private int[] RunValues(List<Fact> facts, FactKind kind) =>
        [.. facts.Where(fact => fact.Kind == kind).Select(fact => (Facts.NumberOf(fact.Run) << 8) | fact.Value).Distinct().Order()];

    private string? BrokenBy(List<Fact> facts)
    {
        var proposals = facts.Where(fact => fact.Kind is FactKind.Proposal or FactKind.NewRound or FactKind.Vote)
            .Select(fact => (Run: Facts.NumberOf(fact.Run), fact.Round, Value: fact.Kind == FactKind.Vote ? fact.Proposed : fact.Value))
            .Where(said => said.Value != 0).Distinct();
        var votes = facts.Where(fact => fact.Kind == FactKind.Vote).Select(fact => (Run: Facts.NumberOf(fact.Run), fact.Round, fact.Value)).Distinct();
        return proposals.GroupBy(said => (said.Run, said.Round)).Any(said => said.Count() > 1) ? Properties.OneProposal
            : votes.GroupBy(said => (said.Run, said.Round)).Any(said => said.Count() > 1) ? Properties.OneVote : null;
    }

    /// <summary>A run with a member that counts another number of agents, or a proposal or vote of such an agent in it.</summary>
    private bool IsOfAnotherSize(Fact fact) => fact.Run >= 0 && Facts.Run(fact.Run) is var run
        && ((OfTakingPart(fact) && fact.Value + fact.Proposed > 0 && _bounds.CountedBy(fact.Sender) != run.N)
            || run.Members.Keys.Any(id => _bounds.CountedBy(Facts.AgentOf(id)) != run.N));

    // An answer to a handshake that is over is read by nobody, but whoever is asked late is still asked.
    private int SpokenBy(LocalState local, int code) => Facts[code] switch
    {
        { Kind: FactKind.Drew } => -1,
        { Kind: FactKind.Handshake } fact when !local.Shaking || fact.Boot != local.Machine.Boot => Facts.Code(fact with { Kind = FactKind.LateHandshake }),
        _ => code,
    };
}
