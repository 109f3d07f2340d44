using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Agent.Peers;

/// <summary>
/// The id of a message between agents, <c>agent/boot/number</c>, in a header of its call. The timeline pairs the two ends of a
/// message by it. The fault injector and the back-off know the sender by it. No page of a browser can send the header.
/// </summary>
internal static class MessageId
{
    /// <summary>The header that carries the id.</summary>
    public const string Header = "Consensus-Message";

    /// <summary>Writes an id.</summary>
    public static string Format(string agentId, string boot, long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{agentId}/{boot}/{number}");

    /// <summary>Reads an id, which any caller may have made up.</summary>
    /// <returns>False where it is none, or names no number.</returns>
    public static bool TryParse(string? id, out ReadOnlySpan<char> agentId, out ReadOnlySpan<char> boot, out long number)
    {
        agentId = boot = default;
        number = 0;
        var last = id?.LastIndexOf('/') ?? -1;
        var middle = last > 0 ? id!.LastIndexOf('/', last - 1) : -1;
        if (middle <= 0 || middle > WireLimits.MaxIdLength || last - middle - 1 > WireLimits.MaxIdLength
            || !long.TryParse(id.AsSpan(last + 1), NumberStyles.None, CultureInfo.InvariantCulture, out number))
        {
            return false;
        }

        agentId = id.AsSpan(0, middle);
        boot = id.AsSpan(middle + 1, last - middle - 1);
        return true;
    }

    /// <summary>The sender that an id names; null: it names none.</summary>
    public static string? SenderOf(string? id) => id?.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? id[..end] : null;

    /// <summary>Whether an id names this sender.</summary>
    public static bool IsFrom(string id, string agentId) =>
        id.StartsWith(agentId, StringComparison.Ordinal) && id.AsSpan(agentId.Length).StartsWith("/");
}
