using System.Text.Json;

namespace Consensus.Conformance;

/// <summary>Reads JSON that anybody wrote.</summary>
public static class JsonText
{
    /// <summary>Parses a text; the element is undefined where the text is no JSON, or a string in it holds half a character.</summary>
    public static JsonElement Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            ReadStrings(document.RootElement);
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return default;
        }
    }

    // A string such as "\ud800" is valid by the grammar. Reading it throws, so it is refused here, before any caller reads it.
    private static void ReadStrings(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var entry in element.EnumerateArray())
                {
                    ReadStrings(entry);
                }

                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    ReadStrings(property.Value);
                }

                break;
        }
    }

    /// <summary>The field of an object; null where there is no such field, or no object.</summary>
    public static JsonElement? Find(this JsonElement element, string field) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(field, out var found) ? found : null;

    /// <summary>The field as a whole number; null where it is none.</summary>
    public static int? Number(this JsonElement element, string field) =>
        element.Find(field) is { ValueKind: JsonValueKind.Number } found && found.TryGetInt32(out var number) ? number : null;

    /// <summary>The field as text; null where it is none.</summary>
    public static string? Text(this JsonElement element, string field) =>
        element.Find(field) is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;
}
