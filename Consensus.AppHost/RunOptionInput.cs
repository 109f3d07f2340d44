#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
using System.Globalization;
using System.Text.Json.Nodes;
using Consensus.Protocol;

namespace Consensus.AppHost;

/// <summary>Options of a run as parameters, as fields of a dialog and as arguments on the command line.</summary>
internal static class RunOptionInput
{
    /// <summary>Null where the value is allowed, else what is.</summary>
    public static string? Check(this RunOption option, string? value) =>
        option.Accepts(value) ? null : $"{option.CommandName} is '{value}'; it must be {option.Allowed}.";

    /// <summary>The value as the body of <c>POST /run</c> holds it.</summary>
    public static JsonNode? ToJson(this RunOption option, string value) =>
        option.Choices.Count > 0 ? value : long.Parse(value, CultureInfo.InvariantCulture);

    /// <summary>A field of a dialog, and an argument on the command line.</summary>
    public static InteractionInput ToInput(this RunOption option) => new()
    {
        Name = option.CommandName,
        Label = option.Label,
        Description = option.Choices.Count > 0 ? option.Description : string.Create(CultureInfo.InvariantCulture, $"{option.Description} From {option.Min} to {option.Max}."),
        InputType = option.Choices.Count > 0 ? InputType.Choice : InputType.Number,
        Options = option.Choices.Count > 0 ? [.. option.Choices.Select(choice => KeyValuePair.Create(choice, choice))] : null,
        Placeholder = "the agents' default",
    };
}
