using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace Consensus.Tests;

/// <summary>How much an object holds: all objects that can be reached from it, and the elements of their collections.</summary>
internal static class ObjectGraph
{
    public static int SizeOf(object root)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var left = new Stack<object>([root]);
        while (left.TryPop(out var next))
        {
            if (next is not string and not Type && !next.GetType().IsPrimitive && !next.GetType().IsEnum && seen.Add(next))
            {
                foreach (var child in Children(next))
                {
                    left.Push(child);
                }
            }
        }

        return seen.Count + seen.OfType<ICollection>().Sum(collection => collection.Count);
    }

    /// <summary>Everything that can be reached from an object, as text: two graphs with equal text hold equal state.</summary>
    public static string Describe(object root)
    {
        var text = new StringBuilder();
        var numbers = new Dictionary<object, int>(ReferenceEqualityComparer.Instance);
        Append(root);
        return text.ToString();

        void Append(object? value)
        {
            if (value is null or string or Type || value.GetType() is { IsPrimitive: true } or { IsEnum: true })
            {
                text.Append(CultureInfo.InvariantCulture, $"{value};");
            }
            else if (!value.GetType().IsValueType && !numbers.TryAdd(value, numbers.Count))
            {
                text.Append(CultureInfo.InvariantCulture, $"#{numbers[value]};");
            }
            else
            {
                // The capacity of a collection is not its state.
                text.Append(value.GetType().Name).Append('{');
                foreach (var child in value is IEnumerable elements ? elements.Cast<object?>() : Fields(value))
                {
                    Append(child);
                }

                text.Append('}');
            }
        }
    }

    private static IEnumerable<object> Children(object parent)
    {
        if (parent is Array array)
        {
            foreach (var element in array)
            {
                if (element is not null)
                {
                    yield return element;
                }
            }

            yield break;
        }

        foreach (var child in Fields(parent).OfType<object>())
        {
            yield return child;
        }
    }

    private static IEnumerable<object?> Fields(object parent)
    {
        for (var type = parent.GetType(); type is not null; type = type.BaseType)
        {
            foreach (var field in type.GetFields(
                BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                if (!field.FieldType.IsPointer)
                {
                    yield return field.GetValue(parent);
                }
            }
        }
    }
}
