namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// A set of 64-bit keys that many threads add to at once: open addressing and linear probing. Its shards grow one by one, so
/// it needs little more memory than the keys take. A key is a whole state, so no two states are mistaken for each other.
/// </summary>
internal sealed class VisitedSet
{
    private const int ShardBits = 8;

    private readonly Shard[] _shards = [.. Enumerable.Range(0, 1 << ShardBits).Select(_ => new Shard())];

    /// <summary>Adds a key below 2^64 - 1.</summary>
    /// <returns>False where the key is in the set already.</returns>
    public bool Add(ulong key)
    {
        var stored = key + 1;
        var hash = Mix(stored);
        var shard = _shards[hash >> (64 - ShardBits)];
        lock (shard.Gate)
        {
            return shard.Add(stored, hash);
        }
    }

    private static ulong Mix(ulong stored)
    {
        stored = (stored ^ (stored >> 32)) * 0x9E3779B97F4A7C15UL;
        return (stored ^ (stored >> 29)) * 0xBF58476D1CE4E5B9UL;
    }

    private sealed class Shard
    {
        private ulong[] _slots = new ulong[64];
        private int _count;

        public Lock Gate { get; } = new();

        public bool Add(ulong stored, ulong hash)
        {
            var slot = Find(stored, hash);
            if (_slots[slot] == stored)
            {
                return false;
            }

            _slots[slot] = stored;
            _count++;

            // At most four in five slots are used, because longer probes cost more than memory.
            if (_count * 5L > _slots.Length * 4L)
            {
                Grow();
            }

            return true;
        }

        private void Grow()
        {
            var before = _slots;
            _slots = new ulong[before.Length + (before.Length / 4)];
            foreach (var stored in before)
            {
                if (stored != 0)
                {
                    _slots[Find(stored, Mix(stored))] = stored;
                }
            }
        }

        /// <summary>The slot of a key, or the free slot for it.</summary>
        private int Find(ulong stored, ulong hash)
        {
            var slots = _slots;
            var slot = (int)((((hash << ShardBits) >> 32) * (ulong)slots.Length) >> 32);
            while (slots[slot] != 0 && slots[slot] != stored)
            {
                slot = slot + 1 == slots.Length ? 0 : slot + 1;
            }

            return slot;
        }
    }
}
