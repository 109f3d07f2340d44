using System.Globalization;
using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Simulation.Exploration;

/// <summary>Kinds of <see cref="ExplorationStep"/>.</summary>
public enum ExplorationStepKind
{
    /// <summary>A client asks the agent to start a run.</summary>
    Start,

    /// <summary>A message arrives.</summary>
    Deliver,

    /// <summary>A response arrives.</summary>
    Respond,

    /// <summary>A message or a response is lost, and its caller gives up.</summary>
    Lose,

    /// <summary>The window ends.</summary>
    Window,

    /// <summary>The wait for more responses to a start ends.</summary>
    StartWait,

    /// <summary>The agent retransmits its proposal or vote.</summary>
    Retransmit,

    /// <summary>The agent retransmits its decision.</summary>
    Disseminate,

    /// <summary>The agent queries its peers' state.</summary>
    Poll,

    /// <summary>The process crashes.</summary>
    Crash,

    /// <summary>Another process of the agent starts.</summary>
    Restart,

    /// <summary>The agent is reset.</summary>
    Reset,

    /// <summary>The network makes another copy of a message.</summary>
    Duplicate,
}

/// <summary>One step of a path: what happens, to which agent or call, and with which draws.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Number">The agent from 1, or the number of the call.</param>
/// <param name="Draws">The random choices of the step, each from 0. A fresh draw of 0 is the value 1.</param>
public readonly record struct ExplorationStep(ExplorationStepKind Kind, int Number, IReadOnlyList<int> Draws)
{
    // In the order of the kinds.
    private const string Letters = "sdrxwbtfpcuey";

    /// <summary>The timer of a kind; null: none.</summary>
    public Timer? Timer => Kind switch
    {
        ExplorationStepKind.Window => Protocol.Timer.Window,
        ExplorationStepKind.StartWait => Protocol.Timer.Start,
        ExplorationStepKind.Retransmit => Protocol.Timer.Retransmit,
        ExplorationStepKind.Disseminate => Protocol.Timer.Dissemination,
        ExplorationStepKind.Poll => Protocol.Timer.Poll,
        _ => null,
    };

    /// <summary>The kind of a timer's step.</summary>
    public static ExplorationStepKind KindOf(Timer timer) => timer switch
    {
        Protocol.Timer.Window => ExplorationStepKind.Window,
        Protocol.Timer.Start => ExplorationStepKind.StartWait,
        Protocol.Timer.Retransmit => ExplorationStepKind.Retransmit,
        Protocol.Timer.Dissemination => ExplorationStepKind.Disseminate,
        _ => ExplorationStepKind.Poll,
    };

    /// <summary>The step in an address: a letter, a number, and each draw as the value it stands for, such as <c>d4.2</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Letters[(int)Kind]}{Number}")
        + string.Concat((Draws ?? []).Select(draw => string.Create(CultureInfo.InvariantCulture, $".{draw + 1}")));

    /// <summary>Reads a step.</summary>
    /// <returns>Null where the text is none.</returns>
    public static ExplorationStep? Parse(string text)
    {
        var parts = text.Split('.');
        var numbers = new List<int>();
        foreach (var part in parts.Select((part, i) => i == 0 && part.Length > 0 ? part[1..] : part))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 99_999)
            {
                return null;
            }

            numbers.Add(number);
        }

        return Letters.IndexOf(text[0], StringComparison.Ordinal) is >= 0 and var kind
            ? new ExplorationStep((ExplorationStepKind)kind, numbers[0], [.. numbers.Skip(1).Select(draw => draw - 1)]) : null;
    }

    /// <summary>Reads a path: steps with hyphens between them.</summary>
    /// <exception cref="FormatException">A step is none; the message names it.</exception>
    public static IReadOnlyList<ExplorationStep> ParsePath(string path)
    {
        var steps = path.Length == 0 ? [] : path.Split('-');
        return steps.Length > ExplorationOptions.MaxSteps
            ? throw new FormatException($"path has {steps.Length} steps; it may have {ExplorationOptions.MaxSteps}.")
            : [.. steps.Select((step, i) => Parse(step) ?? throw new FormatException(
                $"Step {i + 1} of the path, '{step}', must be a letter of {Letters}, a number, and the drawn values, such as d4.2."))];
    }
}
