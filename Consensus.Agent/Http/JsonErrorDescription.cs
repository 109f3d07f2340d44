using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Consensus.Protocol;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Http;

/// <summary>
/// Says in a sentence what is wrong with a body that could not be read. Only then is it looked at a second time, so a
/// good body costs nothing more.
/// </summary>
internal static class JsonErrorDescription
{

    // A response repeats only the beginning of a long name.
    private const int MaxName = 40;

    /// <summary>What to change in <paramref name="body"/>; null where nothing is found.</summary>
    public static string? About(ReadOnlyMemory<byte> body, JsonTypeInfo type)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return "The body is not UTF-8; send JSON in UTF-8.";
        }

        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = WireLimits.MaxJsonDepth });
            return About(document.RootElement, type, "");
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, written as an escape.
            return "The body holds text that is not Unicode; send whole characters.";
        }
        catch (JsonException e)
        {
            return $"The body is not JSON, or is nested more than {WireLimits.MaxJsonDepth} deep: "
                + $"see line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.";
        }
    }

    private static string? About(JsonElement element, JsonTypeInfo type, string at) => type.Kind switch
    {
        JsonTypeInfoKind.Object when element.ValueKind is not JsonValueKind.Object => $"{Name(at)} must be a JSON object.",
        JsonTypeInfoKind.Dictionary when element.ValueKind is not JsonValueKind.Object => $"{Name(at)} must be a JSON object.",
        JsonTypeInfoKind.Enumerable when element.ValueKind is not JsonValueKind.Array => $"{Name(at)} must be a list.",
        JsonTypeInfoKind.Object => AboutProperties(element, type, at),
        JsonTypeInfoKind.Dictionary => Twice(element, at)
            ?? First(element.EnumerateObject(),
                entry => AboutMember(entry.Value, type.ElementType!, mayBeNull: false, Inside(at, Short(entry.Name)), type)),
        JsonTypeInfoKind.Enumerable =>
            First(element.EnumerateArray(), entry => AboutMember(entry, type.ElementType!, mayBeNull: true, at, type)),
        _ => Fits(element, type) ? null : $"{Name(at)} must be {Expected(type.Type)}.",
    };

    private static string? AboutProperties(JsonElement element, JsonTypeInfo type, string at) =>
        Twice(element, at) ?? First(type.Properties, property =>
        {
            var name = Inside(at, property.Name);
            return element.TryGetProperty(property.Name, out var value)
                ? AboutMember(value, property.PropertyType, MayBeNull(property), name, type)
                : property.IsRequired || property.AssociatedParameter is { HasDefaultValue: false } ? $"{name} is missing." : null;
        });

    private static string? AboutMember(JsonElement value, Type type, bool mayBeNull, string at, JsonTypeInfo owner)
    {
        var info = owner.Options.GetTypeInfo(type);
        return value.ValueKind is not JsonValueKind.Null ? About(value, info, at)
            : mayBeNull || Nullable.GetUnderlyingType(type) is not null ? null
            : $"{at} must not be null.";
    }

    private static bool MayBeNull(JsonPropertyInfo property) =>
        !property.PropertyType.IsValueType && (property.AssociatedParameter?.IsNullable ?? property.IsSetNullable);

    private static string? Twice(JsonElement element, string at)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        return First(element.EnumerateObject(),
            entry => names.Add(entry.Name) ? null : $"{Inside(at, Short(entry.Name))} is there twice; say it once.");
    }

    private static bool Fits(JsonElement element, JsonTypeInfo type)
    {
        try
        {
            _ = element.Deserialize(type);
            return true;
        }
        catch (JsonException)
        {
            // Text that is not valid Unicode throws here, and the caller reports it.
            _ = element.ValueKind is JsonValueKind.String ? element.GetString() : null;
            return false;
        }
    }

    private static string Expected(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(int) ? $"a whole number of at most {int.MaxValue}"
            : type == typeof(long) ? ProtocolLimits.SeedRange
            : type == typeof(bool) ? "true or false"
            : type == typeof(string) ? "a string"
            : type == typeof(RunId) ? "a run id: a string number.initiator.boot"
            : type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type)).ToLowerInvariant()}"
            : "something else";
    }

    private static string Name(string at) => at.Length == 0 ? "The body" : at;

    internal static string Inside(string at, string name) => at.Length == 0 ? name : $"{at}.{name}";

    internal static string Short(string name) => ForeignText.Cut(name, MaxName, "…");

    private static string? First<T>(IEnumerable<T> items, Func<T, string?> complaint)
    {
        foreach (var item in items)
        {
            if (complaint(item) is { } found)
            {
                return found;
            }
        }

        return null;
    }
}
