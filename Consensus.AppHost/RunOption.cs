#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
using System.Globalization;

namespace Consensus.AppHost;

/// <summary>One option of a run: its limits are those of <c>POST /run</c>.</summary>
/// <param name="Name">Name of the argument and of the parameter, such as <c>window-ms</c>.</param>
/// <param name="Label">Label in a dialog.</param>
/// <param name="Description">What the option means.</param>
internal sealed record RunOption(string Name, string Label, string Description)
{
    public static readonly RunOption Rule = new("rule", "Rule", "ratified cannot disagree; classic is the original's rule and can.")
    {
        Choices = ["ratified", "classic"],
    };

    public static readonly RunOption Draw = new("draw", "Draw", "fresh draws at random each round; plurality draws what most proposed.")
    {
        Choices = ["fresh", "plurality"],
    };

    public static readonly RunOption Values = new("values", "Values", "Agents draw from 1 to this number.") { Min = 1, Max = 1_000_000_000 };

    public static readonly RunOption WindowMs = new("window-ms", "Window (ms)", "How long a round waits for slower agents, in ms.") { Max = 60_000 };

    public static readonly RunOption Spread = new("spread", "Spread", "direct: every agent sends to every agent; relay: the agent that starts the run passes on what the others send.")
    {
        Choices = ["direct", "relay"],
    };

    public static readonly RunOption Seed = new("seed", "Seed", "Makes the draws repeatable. Leave it empty for random draws.") { Min = -((1L << 53) - 1), Max = (1L << 53) - 1 };

    /// <summary>The allowed texts; empty for a number.</summary>
    public IReadOnlyList<string> Choices { get; private init; } = [];

    /// <summary>The least allowed number.</summary>
    public long Min { get; private init; }

    /// <summary>The greatest allowed number.</summary>
    public long Max { get; private init; }

    /// <summary>The field of the body of <c>POST /run</c>.</summary>
    public string Field => Name.Replace('-', '_');

    /// <summary>Null where the value is allowed, else what is.</summary>
    public string? Check(string? value)
    {
        if (Choices.Count > 0)
        {
            return Choices.Contains(value) ? null : $"{Name} is '{value}'; it must be {string.Join(" or ", Choices)}.";
        }

        return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= Min && number <= Max
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{Name} is '{value}'; it must be a number from {Min} to {Max}.");
    }

    /// <summary>A field of a dialog, and an argument on the command line.</summary>
    public InteractionInput ToInput() => new()
    {
        Name = Name,
        Label = Label,
        Description = Choices.Count > 0 ? Description : string.Create(CultureInfo.InvariantCulture, $"{Description} From {Min} to {Max}."),
        InputType = Choices.Count > 0 ? InputType.Choice : InputType.Number,
        Options = Choices.Count > 0 ? [.. Choices.Select(choice => KeyValuePair.Create(choice, choice))] : null,
        Placeholder = "the agents' default",
    };
}
