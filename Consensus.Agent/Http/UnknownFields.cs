using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Consensus.Agent.Http;

/// <summary>Finds the fields of a body that its type does not have. They change nothing, and the response names them.</summary>
internal static class UnknownFields
{
    private const int MaxNames = 20;

    /// <summary>Adds the paths of the unknown fields in <paramref name="body"/>, as many as a response names.</summary>
    public static void AddTo(List<string> names, ReadOnlyMemory<byte> body, JsonTypeInfo type)
    {
        using var document = JsonDocument.Parse(body);
        Add(names, document.RootElement, type, "");
    }

    private static void Add(List<string> names, JsonElement element, JsonTypeInfo type, string at)
    {
        if (type.Kind is JsonTypeInfoKind.Object && element.ValueKind is JsonValueKind.Object)
        {
            foreach (var entry in element.EnumerateObject())
            {
                var property = type.Properties.FirstOrDefault(property => property.Name == entry.Name);
                if (property is not null)
                {
                    Add(names, entry.Value, type.Options.GetTypeInfo(property.PropertyType), JsonErrorDescription.Inside(at, entry.Name));
                }
                else if (names.Count < MaxNames)
                {
                    names.Add(JsonErrorDescription.Inside(at, JsonErrorDescription.Short(entry.Name)));
                }
            }
        }
        else if (type.Kind is JsonTypeInfoKind.Enumerable && element.ValueKind is JsonValueKind.Array)
        {
            foreach (var entry in element.EnumerateArray())
            {
                Add(names, entry, type.Options.GetTypeInfo(type.ElementType!), at);
            }
        }
    }
}
