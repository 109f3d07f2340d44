#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
using System.Globalization;
using System.Text.Json.Nodes;
using Consensus.Protocol;

namespace Consensus.Hosting;

/// <summary>Options of a run as parameters, as fields of a dialog and as arguments on the command line.</summary>
internal static class RunOptionInput
{
    /// <summary>The choice that leaves an option to the parameter of its name, or to the agents.</summary>
    private const string Unset = "default";

    /// <summary>Whether a field of the dialog is filled in.</summary>
    public static bool IsSet(this RunOption option, string? value) =>
        !string.IsNullOrEmpty(value) && !(option.Choices.Count > 0 && value == Unset);

    /// <summary>Null where the value is allowed, else what is.</summary>
    public static string? Check(this RunOption option, string? value) =>
        option.Accepts(value) ? null : $"{option.CommandName} is '{value}'; it must be {option.Allowed}.";

    /// <summary>The value as the body of <c>POST /run</c> holds it.</summary>
    public static JsonNode? ToJson(this RunOption option, string value) =>
        option.Choices.Count > 0 ? value : long.Parse(value, CultureInfo.InvariantCulture);

    /// <summary>
    /// A field of the dialog that starts a run, and an argument on the command line. Empty, or <c>default</c>, leaves the option out.
    /// </summary>
    public static InteractionInput ToArgument(this RunOption option) => option.ToInput(
        [Unset, .. option.Choices], option == RunOption.Seed ? "random" : "the parameter's value", option.Choices.Count > 0 ? Unset : null);

    /// <summary>The field of the dialog that sets a parameter.</summary>
    public static InteractionInput ToParameter(this RunOption option) => option.ToInput(option.Choices, "", null);

    // The dialog's input of numbers holds 32 bits and cuts the rest in silence, so numbers are text.
    private static InteractionInput ToInput(this RunOption option, IEnumerable<string> choices, string placeholder, string? value) => new()
    {
        Name = option.CommandName,
        Label = option.Label,
        Description = option.Choices.Count > 0 ? option.Description
            : string.Create(CultureInfo.InvariantCulture, $"{option.Description} From {option.Min} to {option.Max}."),
        InputType = option.Choices.Count > 0 ? InputType.Choice : InputType.Text,
        Options = option.Choices.Count > 0 ? [.. choices.Select(choice => KeyValuePair.Create(choice, choice))] : null,
        Placeholder = placeholder,
        Value = value,
    };
}
