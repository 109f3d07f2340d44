namespace Consensus.Simulation.ModelChecking;

/// <summary>The visited states in order, each with its predecessor.</summary>
/// <param name="paths">False: only states that are still to be expanded are held, without predecessors.</param>
internal sealed class PredecessorLog(bool paths)
{
    private const int Bits = 20;
    private readonly List<ulong[]> _keys = [];
    private readonly List<uint[]> _parents = [];

    public long Count { get; private set; }

    public ulong Key(long index) => _keys[(int)(index >> Bits)][index & ((1 << Bits) - 1)];

    public uint Parent(long index) => _parents[(int)(index >> Bits)][index & ((1 << Bits) - 1)];

    public void Add(ulong key, uint parent)
    {
        if (paths && Count == uint.MaxValue)
        {
            throw new BoundsTooLargeException($"More than {uint.MaxValue} states; choose smaller bounds.");
        }

        if (Count >> Bits == _keys.Count)
        {
            _keys.Add(new ulong[1 << Bits]);
            _parents.Add(paths ? new uint[1 << Bits] : []);
        }

        _keys[^1][Count & ((1 << Bits) - 1)] = key;
        if (paths)
        {
            _parents[^1][Count & ((1 << Bits) - 1)] = parent;
        }

        Count++;
    }

    /// <summary>Drops states before an index, which are expanded.</summary>
    public void DropBefore(long index)
    {
        for (var block = (int)(index >> Bits) - 1; !paths && block >= 0 && _keys[block].Length > 0; block--)
        {
            _keys[block] = [];
        }
    }

    /// <summary>The keys on the path from the first state.</summary>
    public IReadOnlyList<ulong> PathTo(long index)
    {
        var path = new List<ulong> { Key(index) };
        while (index != 0)
        {
            index = Parent(index);
            path.Add(Key(index));
        }

        path.Reverse();
        return path;
    }
}
