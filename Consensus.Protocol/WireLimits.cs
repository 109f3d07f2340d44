namespace Consensus.Protocol;

/// <summary>The limits of what agents and clients send.</summary>
public static class WireLimits
{
    /// <summary>The longest id of an agent or a boot, in characters.</summary>
    public const int MaxIdLength = 128;

    /// <summary>The longest body of a request or response, in bytes. A run of 101 members fits many times.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    /// <summary>The deepest nesting of JSON objects and arrays.</summary>
    public const int MaxJsonDepth = 16;
}
