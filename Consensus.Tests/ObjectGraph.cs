using System.Collections;
using System.Reflection;

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

        for (var type = parent.GetType(); type is not null; type = type.BaseType)
        {
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                if (!field.FieldType.IsPointer && field.GetValue(parent) is { } child)
                {
                    yield return child;
                }
            }
        }
    }
}
