using System.Globalization;
using System.Text;
using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>One step on the way to a violation.</summary>
/// <param name="Agent">Who moves, from 0.</param>
/// <param name="From">The number of the step in which the delivered message was first said; 0 where none is delivered.</param>
/// <param name="Text">What reaches it and what it does.</param>
public sealed record PathStep(int Agent, int From, string Text);

/// <summary>Finds and draws the path to a violation.</summary>
internal static class CounterexamplePath
{
    /// <summary>Walks the keys again, to tell the steps between them.</summary>
    public static List<PathStep> Find(TransitionTable agents, SymmetryReduction symmetry, PackedState key, IReadOnlyList<ulong> keys)
    {
        var count = 0;
        var bounds = symmetry.Bounds;
        var now = new AgentState[bounds.Agents];
        var after = new AgentState[bounds.Agents];
        key.Unpack(keys[0], agents, now);
        var steps = new List<PathStep>();
        var saidAt = new Dictionary<int, int>();
        foreach (var wanted in keys.Skip(1))
        {
            var move = default(Action);
            foreach (var possible in ActionEnumerator.From(bounds, agents, now))
            {
                ActionEnumerator.Apply(agents, now, possible.Agent, possible.Next, after);
                if (symmetry.Canonical(key, after) == wanted)
                {
                    move = possible;
                    break;
                }
            }

            if (move.Next is null)
            {
                throw new InvalidOperationException("The rule is not symmetric: a path cannot be walked again. Explore without symmetry.");
            }

            count++;
            var outcome = agents.OutcomeOf(now[move.Agent], move.Code, move.Next.Index)!;
            steps.Add(new(move.Agent, saidAt.GetValueOrDefault(move.Code), Describe(agents.Messages, move.Code, outcome)));
            ActionEnumerator.Apply(agents, now, move.Agent, move.Next, after);
            foreach (var said in after.SelectMany(state => state.MessagesTo.SelectMany(words => words.Codes)))
            {
                saidAt.TryAdd(said, agents.Messages[said].Kind == CatalogMessageKind.LateHandshake ? saidAt.First(fact => agents.Messages[fact.Key].Kind == CatalogMessageKind.Handshake
                    && agents.Messages[fact.Key].Sender == agents.Messages[said].Sender).Value : count);
            }

            after.CopyTo(now, 0);
        }

        return steps;
    }

    private static string Describe(MessageCatalog facts, int code, Outcome outcome)
    {
        var text = new StringBuilder(code switch
        {
            TransitionTable.Window => "window over",
            TransitionTable.Poll => "polls",
            TransitionTable.StartTimer => "handshake window over",
            TransitionTable.Start => "told to start a run",
            TransitionTable.Reset => "reset",
            TransitionTable.CrashUp or TransitionTable.CrashDown => $"crash, restart (boot {outcome.Next.Machine.Boot})",
            _ => facts.Describe(code),
        });
        foreach (var protocolEvent in outcome.Events)
        {
            text.Append(EventFormatter.Of(protocolEvent) is { Length: > 0 } words ? "; " + words : "");
        }

        return text.ToString();
    }

    /// <summary>One column an agent, time down; (3) is what was said in step 3.</summary>
    public static IEnumerable<string> Draw(int agents, IReadOnlyList<PathStep> steps)
    {
        const int width = 36;
        var columns = Enumerable.Range(0, agents).Select(AgentIds.IdOf);
        yield return "      " + string.Concat(columns.Select(name => name.PadRight(width))).TrimEnd();
        for (var i = 0; i < steps.Count; i++)
        {
            var step = steps[i];
            var text = (step.From > 0 ? string.Create(CultureInfo.InvariantCulture, $"({step.From})> ") : "* ") + step.Text;
            var first = true;
            foreach (var line in EventFormatter.Wrap(text, width - 2, "  "))
            {
                var margin = first ? (i + 1).ToString(CultureInfo.InvariantCulture).PadLeft(4) + "  " : "      ";
                yield return (margin + string.Concat(Enumerable.Range(0, agents).Select(agent => (agent == step.Agent ? line : "|").PadRight(width)))).TrimEnd();
                first = false;
            }
        }
    }
}
