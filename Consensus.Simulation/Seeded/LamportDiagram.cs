using System.Globalization;
using System.Text;
using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.Seeded;

/// <summary>
/// A log as text: a column an agent, time down. <c>(4)&gt;3</c> sends message 4 to agent3, where <c>(4)&gt;</c> is its arrival;
/// <c>(4)&lt;</c> is an answer, <c>(4)x</c> what was lost. Questions for state and answers that tell nothing are left out.
/// </summary>
public static class LamportDiagram
{
    private const int MostColumns = 8;
    private const int Width = 118;
    private const int Margin = 10;
    private const int FirstSteps = 200;
    private const int LastSteps = 100;

    /// <summary>The legend, in a line.</summary>
    public const string Legend = "(4)>3 sends 4 to agent3, (4)> is its arrival, (4)< an answer, x lost, * from within or outside; ms at the left";

    /// <summary>The diagram, a line each.</summary>
    /// <param name="log">What protocolEvent.</param>
    /// <param name="agents">How many agents there are.</param>
    /// <param name="everything">Whether to show steps that tell nothing, too.</param>
    public static IEnumerable<string> Lines(SimulationTrace log, int agents, bool everything = false)
    {
        var steps = Describe(log, everything);
        var columns = agents <= MostColumns;
        var width = Math.Clamp((Width - Margin) / Math.Max(1, agents), 13, 40);
        if (columns)
        {
            yield return new string(' ', Margin) + string.Concat(Enumerable.Range(0, agents).Select(agent => AgentIds.IdOf(agent).PadRight(width))).TrimEnd();
        }

        for (var i = 0; i < steps.Count; i++)
        {
            if (i == FirstSteps && steps.Count > FirstSteps + LastSteps)
            {
                i = steps.Count - LastSteps;
                yield return string.Create(CultureInfo.InvariantCulture, $"{new string(' ', Margin)}... {i - FirstSteps} steps ...");
            }

            var (at, agent, text) = steps[i];
            var time = string.Create(CultureInfo.InvariantCulture, $"{at / 1000.0:0.0}").PadLeft(Margin - 2) + "  ";
            if (agent < 0)
            {
                yield return $"{time}-- {text} ".PadRight(columns ? Margin + (agents * width) - 2 : 0, '-').TrimEnd();
            }
            else if (!columns)
            {
                yield return $"{time}{AgentIds.IdOf(agent),-9} {text}";
            }
            else
            {
                foreach (var line in EventFormatter.Wrap(text, width - 2, " "))
                {
                    yield return (time + string.Concat(Enumerable.Range(0, agents).Select(other => (other == agent ? line : "|").PadRight(width)))).TrimEnd();
                    time = new string(' ', Margin);
                }
            }
        }
    }

    private static List<(long At, int Agent, string Text)> Describe(SimulationTrace log, bool everything)
    {
        var numbers = new Dictionary<TraceCall, int>();
        var booted = new HashSet<int>();
        var runs = log.Steps.SelectMany(step => step.Events).Where(protocolEvent => protocolEvent.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner)
            .Select(protocolEvent => protocolEvent.Run).Distinct().Count();
        var lines = new List<(long, int, string)>();
        foreach (var step in log.Steps)
        {
            var first = step.Kind == TraceStepKind.Boot && booted.Add(step.Agent);
            var text = new StringBuilder();
            foreach (var protocolEvent in step.Events)
            {
                text.Append(EventFormatter.Of(protocolEvent) is { Length: > 0 } words ? "; " + words : "");
            }

            text.Append(step.Outcome switch { QuorumUnreachable => "; too few answered: 503", ClusterSizeMismatch => "; cluster sizes differ: 409", StartQueueFull => "; too many starts: 503", _ => "" });
            foreach (var said in step.Sent.Where(call => call.Message is not StateQuery).GroupBy(call => call.Message, ReferenceEqualityComparer.Instance))
            {
                var to = said.Select(call => string.Create(CultureInfo.InvariantCulture, $"({numbers[call] = numbers.Count + 1}){(IsLost(call) ? "x" : ">")}{call.To + 1}"));
                text.Append(CultureInfo.InvariantCulture, $"; {Say((Message)said.Key!, runs)} {string.Join(' ', to)}");
            }

            if (!first && (everything || text.Length > 0 || IsWorthALine(step)))
            {
                lines.Add((step.At, step.Agent, (Cause(step, numbers, runs) + text).TrimStart(';', ' ')));
            }
        }

        return lines;
    }

    private static bool IsLost(TraceCall call) => call.Lost && call.Receipts.Count == 0;

    private static bool IsWorthALine(TraceStep step) => step.Kind switch
    {
        TraceStepKind.Receive => step.Call!.Message is not StateQuery,
        TraceStepKind.Response or TraceStepKind.Failure or TraceStepKind.Timer => false,
        _ => true,
    };

    private static string Say(Message message, int runs) => EventFormatter.Of(message) + (runs > 1 && message.Run is { } run ? $" of {run.Id}" : "");

    private static string Cause(TraceStep step, Dictionary<TraceCall, int> numbers, int runs)
    {
        var number = step.Call is { } call && numbers.TryGetValue(call, out var known) ? string.Create(CultureInfo.InvariantCulture, $"({known})") : "";
        return step.Kind switch
        {
            TraceStepKind.Start => "* POST /run",
            TraceStepKind.Receive => $"{number}> {Say(step.Call!.Message, runs)}{(step.Copy > 0 ? " again" : "")}{(step.Call.ResponseLost && step.Call.Response is null ? ", answer lost x" : "")}",
            TraceStepKind.Response => $"{number}< {(step.Call!.Message is StateQuery ? $"agent{step.Call.To + 1}: " : "")}{EventFormatter.Of(step.Call.Response!)}",
            TraceStepKind.Failure => $"{number}x no answer",
            TraceStepKind.Timer => step.Timer switch
            {
                Timer.Window => "* window over",
                Timer.Start => "* handshake over",
                Timer.Retransmit => "* says it again",
                Timer.Dissemination => "* tells it again",
                _ => "* asks for state",
            },
            TraceStepKind.Reset => "* RESET",
            TraceStepKind.Crash => "# CRASH",
            TraceStepKind.Boot => $"# RESTART as {step.Note}",
            TraceStepKind.Pause => "# stands still",
            TraceStepKind.Resume => "# goes on",
            TraceStepKind.Cut => $"cut: {step.Note}",
            _ => "healed",
        };
    }
}
