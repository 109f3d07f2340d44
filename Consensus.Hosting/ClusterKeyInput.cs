#pragma warning disable ASPIREINTERACTION001 // Custom inputs of parameters are marked experimental.
using Consensus.Protocol;

namespace Consensus.Hosting;

/// <summary>The cluster's key as a parameter.</summary>
internal static class ClusterKeyInput
{
    /// <summary>The parameter's name.</summary>
    public const string Name = "cluster-key";

    /// <summary>What the key is for.</summary>
    public const string Description = "The key by which agents know each other. The page asks for it before it breaks calls.";

    /// <summary>Null where agents take the key, else what they take.</summary>
    public static string? Check(string? key) => ClusterKeyRule.Accepts(key) ? null : $"{Name} must be {ClusterKeyRule.Allowed}.";

    /// <summary>The field of the dialog that sets the parameter.</summary>
    public static InteractionInput ToParameter() =>
        new() { Name = Name, Label = "Cluster key", Description = Description, InputType = InputType.SecretText };
}
