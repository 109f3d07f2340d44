using System.Numerics;

namespace Consensus.Agent.Simulation.Exploring;

/// <summary>
/// A set of 64-bit keys that many threads add to at once, without locks: open addressing, linear probing. A key is a
/// whole state, so nothing is ever taken for something else.
/// </summary>
internal sealed class StateSet
{
    private ulong[] _slots = new ulong[1 << 16];
    private int _shift = 48;

    /// <summary>Makes room for more keys; nobody may be adding meanwhile.</summary>
    public void Reserve(long count)
    {
        // At most three in five slots are used: longer probes cost more than memory.
        if (count * 5 <= _slots.LongLength * 3)
        {
            return;
        }

        var before = _slots;
        _slots = new ulong[BitOperations.RoundUpToPowerOf2((ulong)count * 5 / 3)];
        _shift = 64 - BitOperations.Log2((ulong)_slots.LongLength);
        foreach (var key in before)
        {
            if (key != 0)
            {
                _slots[Free(key)] = key;
            }
        }
    }

    private long Free(ulong stored)
    {
        var slot = Home(stored);
        while (_slots[slot] != 0)
        {
            slot = (slot + 1) & (_slots.LongLength - 1);
        }

        return slot;
    }

    /// <summary>Adds a key; false if it was there. Keys are below 2^64 - 1.</summary>
    public bool Add(ulong key)
    {
        var stored = key + 1;
        var slots = _slots;
        for (var slot = Home(stored); ; slot = (slot + 1) & (slots.LongLength - 1))
        {
            var there = Volatile.Read(ref slots[slot]);
            if (there == 0)
            {
                there = Interlocked.CompareExchange(ref slots[slot], stored, 0);
                if (there == 0)
                {
                    return true;
                }
            }

            if (there == stored)
            {
                return false;
            }
        }
    }

    private long Home(ulong stored)
    {
        stored ^= stored >> 32;
        return (long)((stored * 0x9E3779B97F4A7C15UL) >> _shift);
    }
}
