namespace Consensus.Protocol;

/// <summary>What a cluster's key may be and where it is sent: for agents, and for the AppHost that gives it to them.</summary>
public static class ClusterKeyRule
{
    /// <summary>The header that carries the key.</summary>
    public const string Header = "Consensus-Key";

    private const int MinLength = 16;
    private const int MaxLength = 256;

    /// <summary>What is allowed, as it stands after "must be".</summary>
    public static string Allowed =>
        $"{MinLength} to {MaxLength} ASCII characters without spaces or line breaks; openssl rand -hex 32 makes a good one";

    /// <summary>Whether the text is long enough to be a secret, and can be sent in a header.</summary>
    public static bool Accepts(string? key) =>
        key is { Length: >= MinLength and <= MaxLength } && key.All(character => character is > ' ' and <= '~');
}
