using Consensus.Agent.Peers;

namespace Consensus.Agent.Timeline;

/// <summary>Names of agents and boots, as numbers.</summary>
public sealed partial class EventRecorder
{
    private bool TryReadKey(string? key, out short sender, out short senderBoot, out long id)
    {
        var isId = MessageId.TryParse(key, out var agent, out var boot, out id);
        (sender, senderBoot) = isId ? (NameIndex(agent), NameIndex(boot)) : ((short)0, (short)0);
        return isId;
    }

    private short NameIndex(string? name) => name is null ? (short)0 : NameIndex(name.AsSpan());

    private short NameIndex(ReadOnlySpan<char> name)
    {
        var lookup = _nameIndex.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(name, out var index))
        {
            return index;
        }

        // Anybody can invent any number of names.
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
