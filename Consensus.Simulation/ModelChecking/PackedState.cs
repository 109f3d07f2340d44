namespace Consensus.Simulation.ModelChecking;

/// <summary>Packs a global state into 64 bits: one number for each agent. It is no hash: no two states share a key.</summary>
internal sealed class PackedState(int agents)
{
    private readonly int _bits = Math.Min(31, 64 / agents);

    /// <summary>How many states one agent may have. The highest number stays free, so that no key is 2^64 - 1.</summary>
    public int MaxStates => (int)((1L << _bits) - 1);

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
            state[i] = agents[i, (int)(key >> (i * _bits)) & MaxStates];
        }
    }
}
