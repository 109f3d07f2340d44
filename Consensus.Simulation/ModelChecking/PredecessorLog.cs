namespace Consensus.Simulation.ModelChecking;

/// <summary>The states in the order they were first visited, each with the one it was reached from.</summary>
/// <param name="paths">False keeps no more than the states still to be visited from.</param>
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

    /// <summary>Everything before an index was visited from.</summary>
    public void Leave(long index)
    {
        for (var block = (int)(index >> Bits) - 1; !paths && block >= 0 && _keys[block].Length > 0; block--)
        {
            _keys[block] = [];
        }
    }

    /// <summary>Keys from the first state to this one.</summary>
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
