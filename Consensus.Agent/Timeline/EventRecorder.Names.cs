using System.Globalization;

namespace Consensus.Agent.Timeline;

/// <summary>Names of agents and boots, as numbers.</summary>
public sealed partial class EventRecorder
{
    private bool TryReadKey(string? key, out short sender, out short senderBoot, out long id)
    {
        (sender, senderBoot, id) = (0, 0, 0);
        var last = key?.LastIndexOf('/') ?? -1;
        var middle = last > 0 ? key!.LastIndexOf('/', last - 1) : -1;
        if (middle <= 0 || middle > 128 || last - middle > 129
            || !long.TryParse(key.AsSpan(last + 1), NumberStyles.None, CultureInfo.InvariantCulture, out id))
        {
            return false;
        }

        sender = NameIndex(key.AsSpan(0, middle));
        senderBoot = NameIndex(key.AsSpan(middle + 1, last - middle - 1));
        return true;
    }

    private short NameIndex(string? name) => name is null ? (short)0 : NameIndex(name.AsSpan());

    private short NameIndex(ReadOnlySpan<char> name)
    {
        var lookup = _nameIndex.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(name, out var index))
        {
            return index;
        }

        // Strangers can make up names without end.
        if (_nameCount == MaxNames)
        {
            return 0;
        }

        index = (short)_nameCount;
        _names[_nameCount++] = name.ToString();
        lookup[name] = index;
        return index;
    }
}
