using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>
/// The id of a run: a number, the initiator, and the initiator's boot. Ordered in that order, strings ordinally. The boot
/// is part of it because an initiator that restarts has forgotten its numbers and could use one again.
/// Written as <c>number.initiator.boot</c>.
/// </summary>
[JsonConverter(typeof(RunIdJsonConverter))]
public readonly record struct RunId(long Number, string Initiator, string Boot) : IComparable<RunId>
{
    /// <summary>Less than every run: the floor of an agent that has seen none.</summary>
    public static RunId None => new(0, "", "");

    /// <summary>True for <see cref="None"/> and for the default value.</summary>
    public bool IsNone => Number == 0;

    /// <inheritdoc/>
    public int CompareTo(RunId other)
    {
        var byNumber = Number.CompareTo(other.Number);
        if (byNumber != 0)
        {
            return byNumber;
        }

        var byInitiator = string.CompareOrdinal(Initiator, other.Initiator);
        return byInitiator != 0 ? byInitiator : string.CompareOrdinal(Boot, other.Boot);
    }

    /// <summary>True where <paramref name="left"/> is the older run.</summary>
    public static bool operator <(RunId left, RunId right) => left.CompareTo(right) < 0;

    /// <summary>True where <paramref name="left"/> is the newer run.</summary>
    public static bool operator >(RunId left, RunId right) => left.CompareTo(right) > 0;

    /// <summary>True where <paramref name="left"/> is the older run or the same.</summary>
    public static bool operator <=(RunId left, RunId right) => left.CompareTo(right) <= 0;

    /// <summary>True where <paramref name="left"/> is the newer run or the same.</summary>
    public static bool operator >=(RunId left, RunId right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}.{Initiator}.{Boot}");

    /// <summary>Reads <c>number.initiator.boot</c>; the initiator may hold dots, the boot may not.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out RunId id)
    {
        id = None;
        var first = text?.IndexOf('.') ?? -1;
        var last = text?.LastIndexOf('.') ?? -1;
        if (first <= 0 || last <= first + 1 || last == text!.Length - 1
            || !long.TryParse(text.AsSpan(0, first), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number <= 0)
        {
            return false;
        }

        id = new RunId(number, text[(first + 1)..last], text[(last + 1)..]);
        return true;
    }
}

/// <summary>A run id is a string in JSON.</summary>
public sealed class RunIdJsonConverter : JsonConverter<RunId>
{
    /// <inheritdoc/>
    public override RunId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && RunId.TryParse(reader.GetString(), out var id)
            ? id
            : throw new JsonException("A run id is a string 'number.initiator.boot'.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, RunId value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
