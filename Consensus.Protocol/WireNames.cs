using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>
/// The names of enums' members in JSON, logs and traces: the member's <see cref="JsonStringEnumMemberNameAttribute"/>, else its
/// name in snake case.
/// </summary>
public static class WireNames
{
    /// <summary>The name of a member.</summary>
    public static string WireName<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>(this T member)
        where T : struct, Enum => Table<T>.Names[member];

    /// <summary>The names of all members, in the order of their numbers.</summary>
    public static IEnumerable<string> All<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>()
        where T : struct, Enum => Table<T>.Names.OrderBy(name => name.Key).Select(name => name.Value);

    /// <summary>The member with this name; null where there is none.</summary>
    public static T? Parse<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>(string? name)
        where T : struct, Enum => name is not null && Table<T>.Members.TryGetValue(name, out var member) ? member : null;

    private static class Table<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>
        where T : struct, Enum
    {
        public static readonly Dictionary<T, string> Names = typeof(T).GetFields(BindingFlags.Public | BindingFlags.Static).ToDictionary(
            field => (T)field.GetValue(null)!,
            field => field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name
                ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name));

        public static readonly Dictionary<string, T> Members = Names.ToDictionary(
            name => name.Value, name => name.Key, StringComparer.Ordinal);
    }
}

/// <summary>An enum is its wire name in JSON, never a number.</summary>
public sealed class EnumNameConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>An enum is its wire name in JSON. A name that this version does not know is read as the member 0.</summary>
public sealed class LenientEnumNameConverter<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T> : JsonConverter<T>
    where T : struct, Enum
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String
            ? WireNames.Parse<T>(reader.GetString()).GetValueOrDefault() : throw new JsonException("A string is expected.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.WireName());
}
