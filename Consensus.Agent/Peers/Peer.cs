using Consensus.Protocol;

namespace Consensus.Agent.Peers;

/// <summary>One peer as the calls to it show it. Thread safe: each value is written and read as a whole.</summary>
/// <param name="address">Its base address.</param>
/// <param name="time">The clock.</param>
internal sealed class Peer(Uri address, TimeProvider time)
{
    /// <summary>How long after the start a peer that was never reached may still be starting itself.</summary>
    public static readonly TimeSpan StartPeriod = TimeSpan.FromSeconds(5);

    private readonly Uri[] _calls = [.. Enum.GetValues<MessageKind>().Select(kind => new Uri(address, PathOf(kind)))];
    private readonly long _start = time.GetTimestamp();

    // A timestamp; 0: none.
    private long _respondedAt;
    private volatile string? _id;
    private volatile bool _failed;
    private string? _reason;
    private volatile bool _keyRefused;
    private volatile int _agents;
    private int _inFlight;

    /// <summary>Its base address.</summary>
    public Uri Address => address;

    /// <summary>Its id; null until its first response.</summary>
    public string? Id => _id;

    /// <summary>Its id, or its address while the id is unknown.</summary>
    public string Name => Id ?? Address.OriginalString;

    /// <summary>Its back-off.</summary>
    public PeerCircuitBreaker Breaker { get; } = new(time);

    /// <summary>The time since its last response; null where it never responded.</summary>
    public TimeSpan? SinceResponse => Volatile.Read(ref _respondedAt) is not 0 and var at ? time.GetElapsedTime(at) : null;

    /// <summary>Whether the last call to it failed.</summary>
    public bool HasFailed => _failed;

    /// <summary>Why calls to it fail although it is up; null: they do not, or it is not known.</summary>
    public string? Reason => Volatile.Read(ref _reason);

    /// <summary>Whether it counts as unreachable: the last call failed, and it is not <see cref="IsUnknown"/>.</summary>
    public bool IsUnreachable => HasFailed && !IsUnknown;

    /// <summary>Whether nothing is known of it yet: it never responded, and calls failed only while this agent started.</summary>
    public bool IsUnknown => SinceResponse is null && Reason is null && (!HasFailed || time.GetElapsedTime(_start) < StartPeriod);

    /// <summary>Whether it refused this agent's key in its last response.</summary>
    public bool HasRefusedKey => _keyRefused;

    /// <summary>How many agents it counts, itself included; null: no response has a count.</summary>
    public int? Agents => _agents is not 0 and var agents ? agents : null;

    /// <summary>The address of the call for a kind of message.</summary>
    public Uri CallOf(MessageKind kind) => _calls[(int)kind];

    /// <summary>Records that it responded, and what it said of itself; null: nothing.</summary>
    public void Responded(Response? response = null)
    {
        Volatile.Write(ref _respondedAt, time.GetTimestamp());
        (_failed, _keyRefused) = (false, false);
        Volatile.Write(ref _reason, null);
        _agents = response?.Agents ?? _agents;
        if (response?.AgentId is { } id && id != _id)
        {
            _id = id;
        }
    }

    /// <summary>Records that it refused this agent's key. It can be reached.</summary>
    public void KeyRefused()
    {
        Responded();
        _keyRefused = true;
    }

    /// <summary>Records that a call to it failed.</summary>
    /// <param name="reason">What to mend, where it is up and cannot be called; else null.</param>
    /// <returns>Whether the reason is another one than at the last call.</returns>
    public bool Failed(string? reason = null)
    {
        _failed = true;
        return Interlocked.Exchange(ref _reason, reason) != reason;
    }

    /// <summary>Counts one more call in flight, unless there are <paramref name="max"/>.</summary>
    public bool TryEnter(int max)
    {
        if (Interlocked.Increment(ref _inFlight) <= max)
        {
            return true;
        }

        Leave();
        return false;
    }

    /// <summary>A call in flight has ended.</summary>
    public void Leave() => Interlocked.Decrement(ref _inFlight);

    private static string PathOf(MessageKind kind) => "/" + (kind == MessageKind.Handshake ? MessageKind.Reset : kind).WireName();
}
