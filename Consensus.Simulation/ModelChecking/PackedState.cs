namespace Consensus.Simulation.ModelChecking;

/// <summary>A global state in 64 bits: one number per agent. Nothing is hashed away, so no two states share a key.</summary>
internal sealed class PackedState(int agents)
{
    private readonly int _bits = Math.Min(31, 64 / agents);

    /// <summary>States one agent may have; the highest number stays free, so that no key is 2^64 - 1.</summary>
    public int Most => (int)((1L << _bits) - 1);

    public ulong Pack(AgentState[] state)
    {
        var key = 0UL;
        for (var i = 0; i < state.Length; i++)
        {
            key |= (ulong)state[i].Index << (i * _bits);
        }

        return key;
    }

    public ulong At(int agent, int index) => (ulong)index << (agent * _bits);

    public void Unpack(ulong key, TransitionTable agents, AgentState[] state)
    {
        for (var i = 0; i < state.Length; i++)
        {
            state[i] = agents[i, (int)(key >> (i * _bits)) & Most];
        }
    }
}
