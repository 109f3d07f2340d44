namespace Consensus.Agent.Peers;

/// <summary>What calls to the peers came to: when each peer last responded, and what it refused. Thread safe.</summary>
/// <param name="peers">The number of peers.</param>
/// <param name="time">The clock.</param>
public sealed class PeerContacts(int peers, TimeProvider time)
{
    /// <summary>How long after the start a peer that was never reached does not count as unreachable.</summary>
    public static readonly TimeSpan StartPeriod = TimeSpan.FromSeconds(5);

    private readonly long _start = time.GetTimestamp();

    // Timestamps of the last responses; 0: none.
    private readonly long[] _respondedAt = new long[peers];
    private readonly bool[] _failed = new bool[peers];
    private readonly bool[] _keyRefused = new bool[peers];
    private readonly int[] _agents = new int[peers];

    /// <summary>The number of peers.</summary>
    public int Count => peers;

    /// <summary>Records that a peer responded.</summary>
    public void Responded(int peer)
    {
        Volatile.Write(ref _respondedAt[peer], time.GetTimestamp());
        Volatile.Write(ref _failed[peer], false);
        Volatile.Write(ref _keyRefused[peer], false);
    }

    /// <summary>Records that a peer refused this agent's key. The peer can be reached.</summary>
    public void KeyRefused(int peer)
    {
        Responded(peer);
        Volatile.Write(ref _keyRefused[peer], true);
    }

    /// <summary>Records that a call to a peer failed.</summary>
    public void Failed(int peer) => Volatile.Write(ref _failed[peer], true);

    /// <summary>Records how many agents a peer counts, itself included.</summary>
    public void Counts(int peer, int agents) => Volatile.Write(ref _agents[peer], agents);

    /// <summary>The time since a peer's last response; null where it never responded.</summary>
    public TimeSpan? SinceResponse(int peer) =>
        Volatile.Read(ref _respondedAt[peer]) is not 0 and var at ? time.GetElapsedTime(at) : null;

    /// <summary>Whether the last call to a peer failed.</summary>
    public bool HasFailed(int peer) => Volatile.Read(ref _failed[peer]);

    /// <summary>Whether a peer counts as unreachable: the last call failed, and this agent is not just starting.</summary>
    public bool IsUnreachable(int peer) =>
        HasFailed(peer) && (SinceResponse(peer) is not null || time.GetElapsedTime(_start) >= StartPeriod);

    /// <summary>Whether a peer refused this agent's key in its last response.</summary>
    public bool HasRefusedKey(int peer) => Volatile.Read(ref _keyRefused[peer]);

    /// <summary>How many agents a peer counts; null: no response of the peer has a count.</summary>
    public int? AgentsOf(int peer) => Volatile.Read(ref _agents[peer]) is not 0 and var agents ? agents : null;
}
