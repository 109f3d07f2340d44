using System.Globalization;
using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.ModelChecking;

/// <summary>One step on the path to a violation.</summary>
/// <param name="Agent">The agent that takes it, from 0.</param>
/// <param name="From">The number of the step that first sent the delivered message; 0 where none is delivered.</param>
/// <param name="Text">The input and the events of the step.</param>
public sealed record PathStep(int Agent, int From, string Text);

/// <summary>Finds and draws the path to a violation.</summary>
internal static class CounterexamplePath
{
    private const int Width = 36;
    private const int Margin = 6;

    /// <summary>Walks a path of keys again, to find the steps between them.</summary>
    /// <returns>The steps, and a trace of them.</returns>
    public static (List<PathStep> Steps, SimulationTrace Trace) Find(
        TransitionTable agents, SymmetryReduction symmetry, PackedState key, IReadOnlyList<ulong> keys)
    {
        var bounds = symmetry.Bounds;
        var now = new AgentState[bounds.Agents];
        var after = new AgentState[bounds.Agents];
        key.Unpack(keys[0], agents, now);
        var trace = new SimulationTrace();
        foreach (var state in now)
        {
            trace.Add(new TraceStep(0, state.Agent, TraceStepKind.Boot) { Process = TransitionTable.Beginning(state.Local.Machine) });
        }

        var steps = new List<PathStep>();
        var sentAt = new Dictionary<int, int>();
        foreach (var wanted in keys.Skip(1))
        {
            var transition = default(Transition);
            foreach (var possible in TransitionEnumerator.From(bounds, agents, now))
            {
                TransitionEnumerator.Apply(agents, now, possible.Agent, possible.Next, after);
                if (symmetry.Canonical(key, after) == wanted)
                {
                    transition = possible;
                    break;
                }
            }

            if (transition.Next is null)
            {
                throw new InvalidOperationException(
                    "The rule is not symmetric, so a path cannot be walked again. Check without symmetry reduction.");
            }

            var outcome = agents.OutcomeOf(now[transition.Agent], transition.Code, transition.Next.Index)!;
            trace.Add(agents.TraceOf(now[transition.Agent], transition.Code, outcome.Events, steps.Count + 1));
            steps.Add(new(
                transition.Agent, sentAt.GetValueOrDefault(transition.Code.Number), Describe(agents.Messages, transition.Code, outcome)));
            TransitionEnumerator.Apply(agents, now, transition.Agent, transition.Next, after);
            foreach (var sent in after.SelectMany(state => state.MessagesTo.SelectMany(messages => messages.Codes)))
            {
                sentAt.TryAdd(sent, HandshakeBefore(agents.Messages, sentAt.Keys, sent) is { } handshake ? sentAt[handshake] : steps.Count);
            }

            after.CopyTo(now, 0);
        }

        return (steps, trace);
    }

    /// <summary>One column an agent, time runs down; (3) is a message that step 3 sent.</summary>
    public static IEnumerable<string> Draw(int agents, IReadOnlyList<PathStep> steps)
    {
        var columns = new DiagramColumns(agents, Width);
        return steps.SelectMany((step, i) => columns.Row(
            (i + 1).ToString(CultureInfo.InvariantCulture).PadLeft(Margin - 2) + "  ", step.Agent,
            (step.From > 0 ? string.Create(CultureInfo.InvariantCulture, $"({step.From})> ") : "* ") + step.Text, "  "))
            .Prepend(columns.Header(Margin));
    }

    // A late handshake was sent when the handshake was.
    private static int? HandshakeBefore(MessageCatalog messages, IEnumerable<int> known, int code) =>
        messages[code].Kind != CatalogMessageKind.LateHandshake ? null
        : known.First(other => messages[other].Kind == CatalogMessageKind.Handshake && messages[other].Sender == messages[code].Sender);

    private static string Describe(MessageCatalog messages, TransitionCode code, Outcome outcome)
    {
        var cause = code.Kind switch
        {
            TransitionKind.Window => EventFormatter.Of(Timer.Window),
            TransitionKind.Poll => EventFormatter.Of(Timer.Poll),
            TransitionKind.StartTimer => EventFormatter.Of(Timer.Start),
            TransitionKind.Start => "POST /run",
            TransitionKind.Reset => "",
            _ when code.IsCrash => $"crash, restart (boot {outcome.Next.Machine.Boot})",
            _ => messages.Describe(code),
        };
        return string.Join("; ", outcome.Events.Select(EventFormatter.Of).Prepend(cause).Where(text => text.Length > 0));
    }
}
