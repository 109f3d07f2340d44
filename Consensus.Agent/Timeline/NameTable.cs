namespace Consensus.Agent.Timeline;

/// <summary>Names of agents and boots as numbers, so that a recorded event holds no text. Not thread safe.</summary>
internal sealed class NameTable
{
    private const int MaxNames = 1_024;

    private readonly string?[] _names = new string?[MaxNames];
    private readonly Dictionary<string, short> _indexes = new(StringComparer.Ordinal);
    private int _count = 1;

    /// <summary>The name with this number; null for 0.</summary>
    public string? this[short index] => _names[index];

    /// <summary>The number of a name; 0 for null, and once the table is full.</summary>
    public short IndexOf(string? name) => name is null ? (short)0 : IndexOf(name.AsSpan());

    /// <inheritdoc cref="IndexOf(string?)"/>
    public short IndexOf(ReadOnlySpan<char> name)
    {
        var lookup = _indexes.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(name, out var index))
        {
            return index;
        }

        // A caller can invent any number of names.
        if (_count == MaxNames)
        {
            return 0;
        }

        index = (short)_count;
        _names[_count++] = name.ToString();
        lookup[name] = index;
        return index;
    }
}
