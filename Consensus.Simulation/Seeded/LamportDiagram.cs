using System.Globalization;
using System.Text;
using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>
/// A trace as text: one column an agent, time runs down. <c>(4)&gt;3</c> sends message 4 to agent3, where <c>(4)&gt;</c> is
/// its arrival. <c>(4)&lt;</c> is a response, <c>(4)x</c> what was lost. Queries for state are left out, and so are responses
/// that cause nothing.
/// </summary>
public static class LamportDiagram
{
    private const int MaxColumns = 8;
    private const int Width = 118;
    private const int Margin = 10;
    private const int FirstSteps = 200;
    private const int LastSteps = 100;

    /// <summary>The legend, in a line.</summary>
    public const string Legend = "(4)>3 sends 4 to agent3, (4)> is its arrival, "
        + "(4)< a response, x lost, * a timer or client; ms at the left";

    /// <summary>The diagram, a line each.</summary>
    /// <param name="trace">What happened.</param>
    /// <param name="agents">How many agents there are.</param>
    /// <param name="everything">Whether to show steps that cause nothing, too.</param>
    public static IEnumerable<string> Lines(SimulationTrace trace, int agents, bool everything = false)
    {
        var steps = Describe(trace, everything);
        var width = Math.Clamp((Width - Margin) / Math.Max(1, agents), 13, 40);
        var columns = agents <= MaxColumns ? new DiagramColumns(agents, width) : null;
        if (columns is not null)
        {
            yield return columns.Header(Margin);
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
                yield return $"{time}-- {text} ".PadRight(columns is null ? 0 : Margin + (agents * width) - 2, '-').TrimEnd();
            }
            else if (columns is null)
            {
                yield return $"{time}{AgentIds.IdOf(agent),-9} {text}";
            }
            else
            {
                foreach (var line in columns.Row(time, agent, text, " "))
                {
                    yield return line;
                }
            }
        }
    }

    private static List<(long At, int Agent, string Text)> Describe(SimulationTrace trace, bool everything)
    {
        var numbers = new Dictionary<TraceCall, int>();
        var booted = new HashSet<int>();
        var namesRun = trace.Steps.SelectMany(step => step.Events)
            .Where(protocolEvent => protocolEvent.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner)
            .Select(protocolEvent => protocolEvent.Run).Distinct().Count() > 1;
        var lines = new List<(long, int, string)>();
        foreach (var step in trace.Steps)
        {
            var first = step.Kind == TraceStepKind.Boot && booted.Add(step.Agent);
            var text = new StringBuilder();
            foreach (var protocolEvent in step.Events.Where(protocolEvent => protocolEvent.Kind != ProtocolEventKind.WasReset))
            {
                text.Append("; ").Append(EventFormatter.Of(protocolEvent));
            }

            text.Append(step.Outcome switch { null or RunStarted => "", var outcome => "; " + EventFormatter.Of(outcome) });
            foreach (var sent in step.Sent.Where(call => call.Message is not StateQuery)
                .GroupBy(call => call.Message, ReferenceEqualityComparer.Instance))
            {
                var to = sent.Select(call => string.Create(
                    CultureInfo.InvariantCulture, $"({numbers[call] = numbers.Count + 1}){(IsLost(call) ? "x" : ">")}{call.To + 1}"));
                text.Append("; ").Append(EventFormatter.Of((Message)sent.Key!, namesRun)).Append(' ').AppendJoin(' ', to);
            }

            if (!first && (everything || text.Length > 0 || IsWorthALine(step)))
            {
                lines.Add((step.At, step.Agent, (Cause(step, numbers, namesRun) + text).TrimStart(';', ' ')));
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

    private static string Cause(TraceStep step, Dictionary<TraceCall, int> numbers, bool namesRun)
    {
        var number = step.Call is { } call && numbers.TryGetValue(call, out var known)
            ? string.Create(CultureInfo.InvariantCulture, $"({known})") : "";
        return step.Kind switch
        {
            TraceStepKind.Start => "* POST /run",
            TraceStepKind.Receive => $"{number}> {EventFormatter.Of(step.Call!.Message, namesRun)}{(step.Copy > 0 ? " again" : "")}"
                + (step.Call.ResponseLost && step.Call.Response is null ? ", response lost x" : ""),
            TraceStepKind.Response => $"{number}< {(step.Call!.Message is StateQuery ? $"{AgentIds.IdOf(step.Call.To)}: " : "")}"
                + EventFormatter.Summary(step.Call.Response!),
            TraceStepKind.Failure => $"{number}x no response",
            TraceStepKind.Timer => $"* {EventFormatter.Of(step.Timer)}",
            TraceStepKind.Reset => "* RESET",
            TraceStepKind.Crash => "# CRASH",
            TraceStepKind.Boot => $"# RESTART as {step.Note}",
            TraceStepKind.Pause => "# PAUSE",
            TraceStepKind.Resume => "# RESUME",
            TraceStepKind.Send => "",
            TraceStepKind.Cut => $"cut: {step.Note}",
            _ => "healed",
        };
    }
}
